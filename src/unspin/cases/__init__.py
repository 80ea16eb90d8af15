"""Golden cases: what a text must restore to, why, and how well it was restored before.

`model` has the values, `reading` reads `*.case.toml`, `running` restores and judges, `floors` records what was reached,
`telling` says in words what went wrong and `junit` tells it to machines.
"""
