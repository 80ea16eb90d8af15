"""The article with its changes inline, `[-spun-]{+original+}`, for a terminal. Removed passages stand as one line."""

from __future__ import annotations

from typing import assert_never

import click

from unspin.diff.pieces import Piece, Removed, pieces, visible
from unspin.model import Edit, Held, Restoration


def words(restoration: Restoration, *, colour: bool) -> str:
    """`colour` shows changes in ANSI colours instead of brackets. Raises EditConflict."""
    return "".join(_word_piece(piece, colour=colour) for piece in pieces(restoration))


def _word_piece(piece: Piece, *, colour: bool) -> str:
    match piece:
        case str():
            return visible(piece)
        case Held():
            return visible(piece.candidate.before)  # it changes nothing
        case Removed():
            before, _, after = piece.parts  # the line breaks keep its line apart
            note = f"[-- paragraph removed: {piece} --]"
            return before + (click.style(note, fg="red") if colour else note) + after
        case Edit():
            before, after = visible(piece.before), visible(piece.after)
            if colour:
                deleted = click.style(before, fg="red", strikethrough=True)
                inserted = click.style(after, fg="green", underline=True)
            else:
                deleted, inserted = f"[-{before}-]", f"{{+{after}+}}"
            return (deleted if before else "") + (inserted if after else "")
        case _:
            assert_never(piece)
