"""`datasets.Dataset.map` with unspin: a column of texts restored, in as many processes as you like.

    pip install unspin datasets
    python examples/with_datasets.py scrape.jsonl restored.jsonl [--processes 2]

`restored` takes a row and returns its new columns, so that it works with `IterableDataset.map`, too.
"""

from __future__ import annotations

import argparse
from typing import Any

from datasets import Dataset, Features, Value, load_dataset

import unspin

# Named, for a process whose texts are all clean could not tell them.
COLUMNS = {
    "restored": Value("string"),
    "is_spun": Value("bool"),
    "edits": [{"before": Value("string"), "after": Value("string"), "start": Value("int64")}],
    "error": Value("string"),
}


def restored(row: dict[str, Any], *, column: str = "text") -> dict[str, Any]:
    """The restored text and what was changed: for `Dataset.map`."""
    try:
        restoration = unspin.restore(row[column])
        text = unspin.cleaned(restoration)
    except Exception as error:  # one bad row must not end the job
        return {"restored": None, "is_spun": None, "edits": [], "error": f"{type(error).__name__}: {error}"}
    edits = [{"before": edit.before, "after": edit.after, "start": edit.start} for edit in restoration.edits]
    return {"restored": text, "is_spun": restoration.spin.is_spun, "edits": edits, "error": None}


def main() -> None:
    parser = argparse.ArgumentParser(description="Restore a file of JSON Lines.")
    parser.add_argument("input")
    parser.add_argument("output")
    parser.add_argument("--processes", type=int)
    given = parser.parse_args()
    texts = load_dataset("json", data_files=given.input, split="train")
    assert isinstance(texts, Dataset)
    features = Features({**texts.features, **COLUMNS})
    texts.map(restored, features=features, num_proc=given.processes).to_json(given.output)


if __name__ == "__main__":
    main()
