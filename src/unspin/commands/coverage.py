"""What a lexicon covers, topic by topic, and how often it fires where nothing was spun.

In come a lexicon and texts known to be clean; out go counts, as tables or as JSON. A topic is what stands after
"curated: " in an entry's source; other entries go by the first word of theirs (learned, inflected).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from unspin.channel import matches
from unspin.commands import terminal
from unspin.commands.terminal import legible
from unspin.files import chunks
from unspin.lexicon import Lexicon, Phrase
from unspin.model import Entry, Status
from unspin.text import phrase, segment

if TYPE_CHECKING:
    from unspin.model import Progress

_CURATED = "curated: "


def topic(entry: Entry) -> str:
    """What an entry's source says it is about.

    >>> topic(Entry("athletes", "players", 0.4, source="curated: sport"))
    'sport'
    """
    if entry.source.startswith(_CURATED):
        return entry.source.removeprefix(_CURATED)
    return entry.source.partition(":")[0]


@dataclass(frozen=True, slots=True)
class FalseFires:
    """How often spun phrases stand in clean text. A candidate is a span that could be a swap."""

    words: int
    candidates: int
    times: Counter[Phrase]

    def per_million(self, *spun: Phrase) -> float:
        """Occurrences per million words."""
        return 1e6 * sum(self.times[key] for key in spun) / max(1, self.words)

    @property
    def candidates_per_thousand(self) -> float:
        return 1e3 * self.candidates / max(1, self.words)


def false_fires(lexicon: Lexicon, paths: Sequence[Path], *, progress: Progress) -> FalseFires:
    """Count a lexicon's active spun phrases in clean texts (UTF-8, `.gz` or not). Raises InputError."""
    times: Counter[Phrase] = Counter()
    words = 0
    for path in paths:
        before = words
        for text in chunks(path):
            for paragraph in segment(text).paragraphs:
                for sentence in paragraph.sentences:
                    norms = [token.norm for token in sentence.tokens]
                    spans = {(match.start, match.end) for match in matches(norms, lexicon)[0]}
                    times.update(tuple(norms[start:end]) for start, end in spans)
                    words += sum(token.is_word for token in sentence.tokens)
            progress(f"{path.name}, words", words - before, 0)
    return FalseFires(words, times.total(), times)


@dataclass(frozen=True, slots=True)
class Topic:
    """The entries of a topic in numbers; heads and spun phrases are those of active entries."""

    name: str
    entries: int
    statuses: dict[Status, int]
    heads: int
    spun: frozenset[Phrase]

    @property
    def alternates(self) -> float:
        """Active entries per head."""
        return (self.entries - self.statuses[Status.OFF]) / max(1, self.heads)


def topics(lexicon: Lexicon) -> tuple[Topic, ...]:
    """The topics of a lexicon, the largest first."""
    found = []
    for name, number in Counter(map(topic, lexicon.entries)).most_common():
        entries = [entry for entry in lexicon.entries if topic(entry) == name]
        active = [entry for entry in entries if entry.status != Status.OFF]
        counts = Counter(entry.status for entry in entries)
        heads = {phrase(entry.original) for entry in active}
        spun = frozenset(phrase(entry.spun) for entry in active)
        found.append(Topic(name, number, {status: counts[status] for status in Status}, len(heads), spun))
    return tuple(found)


def topic_table(lexicon: Lexicon, fires: FalseFires | None, *, colour: bool) -> str:
    """Topics in rows."""
    columns = ["topic", "#entries", *(f"#{status}" for status in Status), "#heads", "#alternates"]
    made = terminal.table(*columns, *(["#fires/million"] if fires else []), title="Topics")
    for each in topics(lexicon):
        counts = (each.entries, *each.statuses.values(), each.heads)
        fired = [f"{fires.per_million(*each.spun):,.0f}"] if fires else []
        made.add_row(legible(each.name), *(f"{count:,}" for count in counts), f"{each.alternates:.2f}", *fired)
    return terminal.drawn(made, colour=colour)


def fires_table(lexicon: Lexicon, fires: FalseFires, *, top: int, colour: bool) -> str:
    """The spun phrases that stand in clean text most often."""
    title = f"False fires in {fires.words:,} clean words: {fires.candidates_per_thousand:.1f} candidates per 1,000"
    made = terminal.table("spun", "#per million", "originals", "topics", title=title)
    for key, _ in sorted(fires.times.items(), key=lambda item: (-item[1], item[0]))[:top]:
        entries = [lexicon.active[number] for number in lexicon.by_spun[key]]
        originals = ", ".join(entry.original for entry in entries)
        about = ", ".join(sorted({topic(entry) for entry in entries}))
        cells = (entries[0].spun, f"{fires.per_million(key):,.1f}", originals, about)
        made.add_row(*map(legible, cells))
    return terminal.drawn(made, colour=colour)


def _topic_row(each: Topic, fires: FalseFires | None) -> dict[str, Any]:
    statuses = {str(status): number for status, number in each.statuses.items()}
    row: dict[str, Any] = {"topic": each.name, "entries": each.entries} | statuses | {"heads": each.heads}
    row["alternates_per_head"] = round(each.alternates, 4)
    if fires:
        row["per_million"] = round(fires.per_million(*each.spun), 2)
    return row


def _firing(lexicon: Lexicon, fires: FalseFires) -> Iterator[dict[str, Any]]:
    for key in sorted(fires.times, key=lambda key: (-fires.times[key], key)):
        for number in lexicon.by_spun[key]:
            entry = lexicon.active[number]
            words = {"spun": entry.spun, "original": entry.original, "status": entry.status, "topic": topic(entry)}
            yield words | {"per_million": round(fires.per_million(key), 2)}


def fields(lexicon: Lexicon, fires: FalseFires | None) -> dict[str, Any]:
    """The same for JSON, with every entry that fires."""
    about: dict[str, Any] = {"topics": [_topic_row(each, fires) for each in topics(lexicon)]}
    if fires:
        totals = {"words": fires.words, "candidates_per_thousand": round(fires.candidates_per_thousand, 3)}
        about["clean"] = totals | {"entries": list(_firing(lexicon, fires))}
    return about
