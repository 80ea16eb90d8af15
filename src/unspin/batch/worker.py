"""What a worker process does: it restores documents, one after the other, until nobody asks any more.

In come tasks over a pipe; out go their outcomes, each as soon as it is there, so that a worker that dies takes no more
than one document with it. A failure of whatever kind becomes an outcome with the reason: this is the edge that
nothing may pass.
"""

from __future__ import annotations

import gc
import json
import signal
from collections.abc import Iterable, Sequence
from contextlib import suppress
from functools import lru_cache
from multiprocessing.connection import Connection
from pathlib import Path
from typing import NoReturn

from unspin.batch.model import Outcome, Settings, Task
from unspin.consensus import Sibling
from unspin.diff.json_lines import json_lines
from unspin.edit import cleaned
from unspin.heap import give_back
from unspin.language import LanguageModel, default_model, load_model
from unspin.lexicon import Lexicon
from unspin.model import DecidedBy, Held, Restoration
from unspin.pipeline import default_lexicon, restore, sign
from unspin.rank import CONTEXT, NEURAL, UNRANKED, Ranker, context_ranker, load_ranker

AT_HAND = 32  # siblings kept after they were read; it bounds memory
GIVEN_BACK = 1_000_000  # characters after which what was freed is given back
_MENDED = (DecidedBy.AGREEMENT, DecidedBy.DEBRIS)
# Long enough to be decoded, and repeated: it has every table made that restoring looks things up in.
_SAMPLE = "The struggle has lasted greater than a yr, and there may be little signal of a settlement in the area.\n" * 2


@lru_cache(maxsize=1)
def tables(settings: Settings) -> tuple[Lexicon, LanguageModel]:
    """What workers share: loaded before they are forked, it stands in memory once. Raises InputError, FormatError."""
    lexicon = Lexicon.load(*settings.lexicons) if settings.lexicons else default_lexicon()
    model = load_model(Path(settings.model)) if settings.model else default_model()
    if settings.ranker in (NEURAL, CONTEXT):
        context_ranker()
    restore(_SAMPLE, lexicon=lexicon, model=model, ranker=UNRANKED, screened=True)
    return lexicon, model


class Restorer:
    """Restores documents as the settings say. Its ranker is of this process alone: sessions do not survive a fork."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.lexicon, self.model = tables(settings)
        self.ranker: Ranker = load_ranker(settings.ranker)
        self._sibling = lru_cache(AT_HAND)(lambda name, text: Sibling(text, self.lexicon, self.model, name=name))

    @property
    def signature(self) -> str:
        """What the restoration of a document without siblings depends on besides its text."""
        wanted = self.settings
        return str(
            sign(
                lexicon=self.lexicon,
                model=self.model,
                ranker=self.ranker,
                min_confidence=wanted.min_confidence,
                keep_duplicates=wanted.keep_duplicates,
                screened=wanted.screened,
            )
        )

    def restored(self, task: Task) -> Restoration:
        """The restoration of a task's source. Raises whatever goes wrong."""
        found = restore(
            task.prose.text,
            lexicon=self.lexicon,
            model=self.model,
            ranker=self.ranker,
            min_confidence=self.settings.min_confidence,
            keep_duplicates=self.settings.keep_duplicates,
            screened=self.settings.screened,
            siblings=[self._sibling(name, text) for name, text in task.siblings],
        )
        return task.prose.landed(found)

    def outcome(self, task: Task) -> Outcome:
        """What becomes of a document, whatever happens."""
        try:
            return outcome(task.id, self.restored(task))
        except Exception as error:
            return Outcome(error=f"{type(error).__name__}: {error}")


def outcome(record: str, restoration: Restoration) -> Outcome:
    """A restoration as what is kept of it. Raises EditConflict."""
    after = cleaned(restoration)
    mended = sum(edit.decided_by in _MENDED for edit in restoration.edits)
    return Outcome(
        after=None if after == restoration.original else after,
        edits=json_lines(restoration, record=record),
        held="".join(_held_lines(record, restoration.held)),
        repeats=tuple(
            (group.start, group.end, one.start, one.end, one.kind.value, one.score)
            for group in restoration.duplicates
            for one in group.repeats
        ),
        words=restoration.spin.words,
        rate=restoration.spin.rate,
        evidence=restoration.spin.evidence,
        is_spun=restoration.spin.is_spun,
        swaps=len(restoration.edits) - mended,
        waiting=len(restoration.held),
    )


def _held_lines(record: str, held: Iterable[Held]) -> Iterable[str]:
    for one in held:
        at = one.candidate
        row = {
            "record": record,
            "start": at.start,
            "end": at.end,
            "before": at.before,
            "reason": one.reason.value,
            "options": [{"after": option.after, "posterior": option.posterior} for option in at.options],
        }
        yield json.dumps(row, ensure_ascii=True) + "\n"


def serve(settings: Settings, pipe: Connection, inherited: Sequence[Connection]) -> None:
    """The life of a worker: its first word is the signature, or what keeps it from working, and then tasks are done."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's affair, which ends its workers
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    for other in inherited:  # else a pipe whose parent is gone would never end
        other.close()
    with suppress(EOFError, OSError):  # the parent is gone
        try:
            restorer = Restorer(settings)
        except Exception as error:
            pipe.send((False, str(error)))
            return
        gc.collect()
        gc.freeze()  # what is shared stays shared
        pipe.send((True, restorer.signature))
        work(restorer, pipe)


def work(restorer: Restorer, pipe: Connection) -> NoReturn:
    """Do tasks, some at a time, for as long as somebody asks. Raises EOFError and OSError when nobody does any more."""
    read = 0
    while True:
        for task in pipe.recv():
            pipe.send(restorer.outcome(task))
            read += len(task.prose.source)
        if read >= GIVEN_BACK:
            read = 0
            give_back()
