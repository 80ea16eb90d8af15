"""`clean`: a column of texts restored, row by row, in the executors.

A DataFrame comes in; the same rows come out, with what was restored beside them. A row that cannot be restored says
why in its `error`, and the job goes on. Refused, by ValueError: columns that are missing, of another type or in the
way, a confidence that is none; by InputError: a model that is not there.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql.pandas.types import to_arrow_schema
from pyspark.sql.types import ArrayType, StringType, StructType

from unspin.consensus import Sibling
from unspin.decide import MIN_CONFIDENCE
from unspin.diff.pieces import changes
from unspin.edit import apply
from unspin.heap import give_back
from unspin.lexicon import Lexicon
from unspin.model import Edit
from unspin.pipeline import restore
from unspin.rank import DEFAULT
from unspin.spark.frames import Batches, built, parts, refuse_ids, refuse_taken, refuse_texts, strings, struct
from unspin.spark.shipping import Loaded, Shipped, load, ship
from unspin.spark.siblings import SIBLINGS, accompanied

ROWS = 64  # restored before they are handed on
AT_HAND = 32  # siblings kept after they were read
# Spans count code points of the text; `attested_by` names siblings.
EDIT = struct("start integer, end integer, before string, after string, confidence double, decided_by string").add(
    "attested_by", ArrayType(StringType())
)


class _Options(NamedTuple):
    """What to restore, and how."""

    text_col: str
    min_confidence: float
    keep_duplicates: bool
    assume_spun: bool
    screened: bool


def clean(
    df: DataFrame,
    text_col: str = "text",
    *,
    id_col: str | None = None,
    out_col: str = "restored",
    siblings: bool = False,
    lexicon: Lexicon | None = None,
    model: Path | None = None,
    ranker: str = DEFAULT,
    min_confidence: float = MIN_CONFIDENCE,
    keep_duplicates: bool = False,
    assume_spun: bool = False,
    screened: bool = False,
) -> DataFrame:
    """The rows of a DataFrame, with their texts restored as `unspin.restore` does it.

    New columns are `out_col` and, for each text, `is_spun`, `spin_rate`, `edits` (all that make the restored text of
    the original, removals of repeats among them), `held` (how many candidates wait for a person), `siblings` and
    `error`: a row that failed has this alone, and no restored text. `model` and `ranker` may be files on the driver;
    what is not told here is told of `unspin.restore`.

    With `siblings`, texts are read together with their copies among the others, as `unspin.restore_all` does it; that
    needs `id_col`, by which edits name the copies, and a checkpoint directory, as `dedupe` does: the search for copies
    runs at once. Without, nothing runs before the result is asked for. Raises ValueError, InputError and SparkFault.
    """
    if not 0.0 <= min_confidence <= 1.0:
        raise ValueError(f"min_confidence {min_confidence} is not in [0, 1]")
    refuse_texts(df, text_col)
    new = _columns(out_col)
    refuse_taken(df, new.names)
    shipped = ship(df.sparkSession, lexicon=lexicon, model=model, ranker=ranker)
    schema = StructType([*df.schema.fields, *new.fields])
    options = _Options(text_col, min_confidence, keep_duplicates, assume_spun, screened)
    if siblings:
        if id_col is None:
            raise ValueError("siblings need id_col: edits name the copies that spoke for them")
        refuse_ids(df, id_col)
        refuse_taken(df, [SIBLINGS])
        df = accompanied(df, text_col, id_col, shipped)
    return df.mapInArrow(partial(_restored, shipped=shipped, options=options, new=to_arrow_schema(new)), schema)


def _columns(out_col: str) -> StructType:
    """What a row says of its text."""
    told = StructType().add(out_col, "string").add("is_spun", "boolean").add("spin_rate", "double")
    told.add("edits", ArrayType(EDIT)).add("held", "integer").add("siblings", ArrayType(StringType()))
    return told.add("error", "string")


def _restored(batches: Batches, *, shipped: Shipped, options: _Options, new: pa.Schema) -> Iterator[pa.RecordBatch]:
    """Batches with what was restored, in an executor."""
    stages = load(shipped)
    read = lru_cache(AT_HAND)(lambda name, text: Sibling(text, stages.lexicon, stages.model, name=name))
    for batch in batches:
        for part in parts(batch, ROWS):
            columns = dict(zip(part.schema.names, part.columns, strict=True))
            copies = columns.pop(SIBLINGS, None)
            given = copies.to_pylist() if copies is not None else [None] * part.num_rows
            rows = []
            for text, others in zip(strings(columns[options.text_col]), given, strict=True):
                found = [read(other["name"], other["text"]) for other in others or ()]
                rows.append(_row(text, found, stages, options))
            made = built(rows, new)
            yield pa.RecordBatch.from_arrays([*columns.values(), *made.columns], names=[*columns, *new.names])
        give_back()


def _row(
    text: str | UnicodeDecodeError | None, siblings: list[Sibling], stages: Loaded, options: _Options
) -> tuple[Any, ...]:
    """What the new columns say of a text."""
    try:
        if not isinstance(text, str):
            raise ValueError("no text" if text is None else f"not UTF-8: {text.reason} at byte {text.start}")
        restoration = restore(
            text,
            **stages._asdict(),
            min_confidence=options.min_confidence,
            keep_duplicates=options.keep_duplicates,
            assume_spun=options.assume_spun,
            screened=options.screened,
            siblings=siblings,
        )
        edits = changes(restoration)
    except Exception as error:  # the worker's edge: one bad row must not end the job
        return None, None, None, None, None, None, f"{type(error).__name__}: {error}"
    spin = restoration.spin
    held = len(restoration.held)
    read = list(restoration.siblings)
    return apply(text, edits), spin.is_spun, spin.rate, [*map(_edit, edits)], held, read, None


def _edit(edit: Edit) -> dict[str, Any]:
    """An edit as a value of its column."""
    return {
        "start": edit.start,
        "end": edit.end,
        "before": edit.before,
        "after": edit.after,
        "confidence": edit.confidence,
        "decided_by": edit.decided_by.value,
        "attested_by": [attestation.sibling for attestation in edit.attested_by],
    }
