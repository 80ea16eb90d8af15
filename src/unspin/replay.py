"""Edits made again from their signatures, to show that they are what the same text, lexicon and models give.

In come lines of `unspin clean --diff json`, or of a batch's edits, and the text that they were made for; out goes, for
each, whether it came out the same. A line whose signature names another version, lexicon, model, ranker, option or
sibling is refused, and so is one for another text: the answer says which part differs. Another runtime of the ranker is
no reason to refuse, for most edits are the same with it; where one is not, the answer names both. What a person or an
endpoint decided cannot be made again. Refused, by `FormatError`: lines that are no edits, or carry no signature.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from unspin.consensus import Sibling, digest
from unspin.diff.json_lines import fields, text_digest
from unspin.diff.pieces import changes
from unspin.errors import FormatError, InputError, reason
from unspin.formats import Prose
from unspin.language import LanguageModel
from unspin.lexicon import Lexicon
from unspin.model import DecidedBy, Signature
from unspin.pipeline import restore, sign
from unspin.rank import Ranker, runtime

_FLAGS = ("keep_duplicates", "assume_spun", "screened")
_UNTOLD = "its signature does not say with what options it was made"
_ANSWERS = {"decisions"}  # options that tell of what was decided afterwards
_RUNTIME = "runtime"  # the option that tells what computed the ranker's scores
_NAMED = ("ranker", _RUNTIME, "siblings")  # options that are called by their names
_BY_OTHERS = {
    DecidedBy.ENDPOINT: "an endpoint decided it",
    DecidedBy.REVIEWER: "a person decided it",
    DecidedBy.SPINNER: "it is a swap made, not one undone",
}


@dataclass(frozen=True, slots=True)
class Recorded:
    """An edit as a line of JSON has it: `edit` without the signature, the text's digest and the id of its record."""

    line: int
    edit: dict[str, Any]
    signature: Signature
    text: str
    record: str = ""

    @property
    def siblings(self) -> tuple[str, ...]:
        """The digests of the siblings that it was decided with."""
        return tuple(filter(None, dict(self.signature.options).get("siblings", "").split(",")))

    @property
    def change(self) -> str:
        """What it does, in a few words."""
        before, after = (" ".join(str(self.edit[key]).split()) for key in ("before", "after"))
        return f"{self.edit['start']}:{self.edit['end']} {before:.40} -> {after:.40}"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a recorded edit; `problem` is empty if it is the same once more."""

    recorded: Recorded
    problem: str


def read_edits(path: Path) -> Iterator[Recorded]:
    """The edits of a file. Raises InputError, or FormatError, with the line, for what is no edit with a signature."""
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except OSError as error:
        raise InputError(path, reason(error)) from error
    except UnicodeDecodeError as error:
        raise InputError(path, f"cannot be read as UTF-8 ({error.reason} at byte {error.start})") from error
    for number, line in enumerate(lines, 1):
        if line.strip():
            try:
                yield _recorded(number, json.loads(line))
            except (ValueError, RecursionError) as error:
                raise FormatError(path, str(error), line=number) from error


def _recorded(number: int, found: object) -> Recorded:
    kinds: dict[str, Any] = {
        "start": int,
        "end": int,
        "before": str,
        "after": str,
        "confidence": (int, float),
        "decided_by": str,
    }
    if not isinstance(found, dict) or not all(isinstance(found.get(key), kind) for key, kind in kinds.items()):
        raise ValueError("no edit: a line of `unspin clean --diff json` was expected")
    signature, text, record = (found.pop(key, None) for key in ("signature", "text", "record"))
    if not isinstance(signature, str) or not isinstance(text, str):
        raise ValueError("an edit without a signature: nothing says what it was made with")
    try:
        return Recorded(number, found, Signature.parse(signature), text, str(record or ""))
    except ValueError:
        raise ValueError(f"{signature!r} is no signature") from None


def differences(was: Signature, now: Signature) -> tuple[str, ...]:
    """What of one signature another one has otherwise, in words.

    >>> differences(Signature.parse("unspin:1|lexicon:a|model:b"), Signature.parse("unspin:1|lexicon:x|model:b"))
    ("the lexicon was 'a' and is 'x'",)
    """
    before, after = _parts(was), _parts(now)
    return tuple(
        f"the {name} was {before.get(name, 'none')!r} and is {after.get(name, 'none')!r}"
        for name in dict.fromkeys((*before, *after))
        if before.get(name) != after.get(name)
    )


def _parts(signature: Signature) -> dict[str, str]:
    return {
        "version": signature.version,
        "lexicon": signature.lexicon,
        "model": signature.model,
        **{(key if key in _NAMED else f"option {key}"): value for key, value in signature.options},
    }


def replay(
    prose: Prose,
    recorded: Sequence[Recorded],
    *,
    lexicon: Lexicon,
    model: LanguageModel,
    ranker: Ranker,
    siblings: Sequence[Sibling] = (),
) -> Iterator[Outcome]:
    """Make edits of a text again, each by the options of its signature; one outcome for each."""
    made: dict[Signature, list[dict[str, Any]] | str] = {}
    found = text_digest(prose.source)
    for one in recorded:
        if one.text != found:
            problem = f"it was made for another text, with the digest {one.text:.12}; this one has {found:.12}"
            yield Outcome(one, problem)
            continue
        if one.signature not in made:
            made[one.signature] = _made(prose, one.signature, lexicon, model, ranker, siblings)
        yield Outcome(one, _problem(one, made[one.signature], roundings(one.signature, ranker)))


def roundings(signature: Signature, ranker: Ranker) -> str:
    """Why edits by a signature may come out otherwise with the same ranker: another runtime; "" if it is the same.
    Signatures of before it was told have none."""
    options = dict(signature.options)
    was, now = options.get(_RUNTIME, ""), runtime(ranker)
    if was == now or options.get("ranker") != ranker.digest:
        return ""
    return f"the runtime was {was or 'not told'} and is {now or 'none'}, which may round otherwise"


def _made(
    prose: Prose,
    signature: Signature,
    lexicon: Lexicon,
    model: LanguageModel,
    ranker: Ranker,
    siblings: Sequence[Sibling],
) -> list[dict[str, Any]] | str:
    """All edits by a signature, or why there are none."""
    options = {"screened": "false"} | dict(signature.options)
    try:
        wanted: dict[str, Any] = {
            "min_confidence": float(options["min_confidence"]),
            **{name: {"true": True, "false": False}[options[name]] for name in _FLAGS},
        }
    except (KeyError, ValueError):
        return _UNTOLD
    if not 0.0 <= wanted["min_confidence"] <= 1.0:
        return _UNTOLD
    used = _chosen(options.get("siblings", ""), siblings)
    now = sign(lexicon=lexicon, model=model, ranker=ranker, siblings=used, **wanted)
    was = _without(signature, _ANSWERS)
    if differences(_without(was, {_RUNTIME}), _without(now, {_RUNTIME})):
        return "; ".join(differences(was, now))
    restoration = restore(prose.text, lexicon=lexicon, model=model, ranker=ranker, siblings=used, **wanted)
    return [_anonymous(json.loads(json.dumps(fields(edit)))) for edit in changes(prose.landed(restoration))]


def _anonymous(edit: dict[str, Any]) -> dict[str, Any]:
    """An edit without the names of its siblings: the same copies may be called otherwise today."""
    if not isinstance(copies := edit.get("attested_by"), list):
        return edit
    named = (copy for copy in copies if isinstance(copy, dict))
    return edit | {"attested_by": [{key: value for key, value in copy.items() if key != "sibling"} for copy in named]}


def _without(signature: Signature, names: set[str]) -> Signature:
    """The signature without some options: before persons decided, for what they left alone must still come out."""
    return replace(signature, options=tuple(option for option in signature.options if option[0] not in names))


def _chosen(wanted: str, siblings: Sequence[Sibling]) -> list[Sibling]:
    """The siblings in the order that a signature has them; all of them if it knows others."""
    by_digest = {digest(sibling.text): sibling for sibling in siblings}
    names = wanted.split(",") if wanted else []
    return [by_digest[name] for name in names] if by_digest.keys() >= {*names} else list(siblings)


def _problem(one: Recorded, made: list[dict[str, Any]] | str, rounding: str) -> str:
    if one.edit["decided_by"] in _BY_OTHERS:
        return f"cannot be made again: {_BY_OTHERS[DecidedBy(one.edit['decided_by'])]}"
    if isinstance(made, str):
        return made
    was = _anonymous(one.edit)
    if was in made:
        return ""
    near = next((edit for edit in made if (edit["start"], edit["end"]) == (was["start"], was["end"])), None)
    if near is None:
        return "; ".join(filter(None, ("no edit is made there", rounding)))
    keys = dict.fromkeys((*near, *was))
    differ = [f"{key} is {near.get(key)!r}, not {was.get(key)!r}" for key in keys if near.get(key) != was.get(key)]
    return "it comes out otherwise: " + "; ".join(filter(None, (*differ, rounding)))
