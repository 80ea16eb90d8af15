"""Texts in the formats in which scrapes come."""

from __future__ import annotations

from unspin.formats.model import (
    Failure,
    Format,
    HtmlMode,
    Packing,
    Reader,
    Reading,
    Record,
    Writer,
)
from unspin.formats.prose import Prose

__all__ = ["Failure", "Format", "HtmlMode", "Packing", "Prose", "Reader", "Reading", "Record", "Writer"]
