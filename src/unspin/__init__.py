"""Undo article spinning: find the swaps and the repeats in a spun text, and restore the original.

>>> import unspin
>>> unspin.cleaned(unspin.restore("A short, clean sentence."))
'A short, clean sentence.'

The names below are loaded when first used, so that the command line answers at once.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from unspin.ask import decide_held
    from unspin.consensus import Sibling
    from unspin.copies import changes, dedupe, without
    from unspin.edit import apply, cleaned, invert
    from unspin.endpoint import Endpoint
    from unspin.errors import EditConflict, FormatError, IndexFault, InputError, LexiconError, OutputError, UnspinError
    from unspin.index import Added, Index
    from unspin.language import load_model
    from unspin.lexicon import Lexicon
    from unspin.model import (
        Answer,
        Candidate,
        Copy,
        CopyGroup,
        DuplicateGroup,
        Edit,
        Entry,
        Held,
        Keep,
        KnownPassage,
        Level,
        NamedText,
        Option,
        Place,
        Restoration,
        SpinEvidence,
    )
    from unspin.pipeline import Inspection, inspect, restore, restore_all
    from unspin.rank import Ranker, load_ranker
    from unspin.spill import Groups, spilled

_HOME = {
    "ask": ("decide_held",),
    "consensus": ("Sibling",),
    "copies": ("changes", "dedupe", "without"),
    "edit": ("apply", "cleaned", "invert"),
    "endpoint": ("Endpoint",),
    "errors": (
        "EditConflict",
        "FormatError",
        "IndexFault",
        "InputError",
        "LexiconError",
        "OutputError",
        "UnspinError",
    ),
    "index": ("Added", "Index"),
    "language": ("load_model",),
    "lexicon": ("Lexicon",),
    "model": (
        "Answer",
        "Candidate",
        "Copy",
        "CopyGroup",
        "DuplicateGroup",
        "Edit",
        "Entry",
        "Held",
        "Keep",
        "KnownPassage",
        "Level",
        "NamedText",
        "Option",
        "Place",
        "Restoration",
        "SpinEvidence",
    ),
    "pipeline": ("Inspection", "inspect", "restore", "restore_all"),
    "rank": ("Ranker", "load_ranker"),
    "spill": ("Groups", "spilled"),
}

__all__ = [
    "Added",
    "Answer",
    "Candidate",
    "Copy",
    "CopyGroup",
    "DuplicateGroup",
    "Edit",
    "EditConflict",
    "Endpoint",
    "Entry",
    "FormatError",
    "Groups",
    "Held",
    "Index",
    "IndexFault",
    "InputError",
    "Inspection",
    "Keep",
    "KnownPassage",
    "Level",
    "Lexicon",
    "LexiconError",
    "NamedText",
    "Option",
    "OutputError",
    "Place",
    "Ranker",
    "Restoration",
    "Sibling",
    "SpinEvidence",
    "UnspinError",
    "apply",
    "changes",
    "cleaned",
    "decide_held",
    "dedupe",
    "inspect",
    "invert",
    "load_model",
    "load_ranker",
    "restore",
    "restore_all",
    "spilled",
    "without",
]


def __getattr__(name: str) -> object:
    for module, names in _HOME.items():
        if name in names:
            return getattr(import_module(f"unspin.{module}"), name)
    raise AttributeError(f"module 'unspin' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
