"""The commands of `unspin`, a module for each group: parse, call the library, render, say what was done.

What is product goes to standard output, what is talk to standard error. Nothing is overwritten unasked.
"""
