"""Undo article spinning: find the swaps and the repeats in a spun text, and restore the original.

>>> import unspin
>>> unspin.cleaned(unspin.restore("A short, clean sentence."))
'A short, clean sentence.'
"""

from unspin.edit import apply, cleaned, invert
from unspin.errors import EditConflict, FormatError, InputError, LexiconError, UnspinError
from unspin.lexicon import Lexicon
from unspin.model import Candidate, DuplicateGroup, Edit, Entry, Held, Option, Restoration, SpinEvidence
from unspin.pipeline import Inspection, inspect, restore

__all__ = [
    "Candidate",
    "DuplicateGroup",
    "Edit",
    "EditConflict",
    "Entry",
    "FormatError",
    "Held",
    "InputError",
    "Inspection",
    "Lexicon",
    "LexiconError",
    "Option",
    "Restoration",
    "SpinEvidence",
    "UnspinError",
    "apply",
    "cleaned",
    "inspect",
    "invert",
    "restore",
]
