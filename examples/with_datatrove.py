"""A datatrove step that restores documents, and a pipeline around it: JSON Lines in, JSON Lines out.

    pip install unspin datatrove orjson
    python examples/with_datatrove.py scrape/ restored/ [--tasks 8] [--workers 2]

Each document's metadata says how much it was spun, and what was changed. A document that cannot be restored goes on as
it is, with the reason. datatrove counts spun documents, edits and failures in its statistics.
"""

from __future__ import annotations

import argparse
from typing import Any

from datatrove.data import DocumentsPipeline
from datatrove.executor import LocalPipelineExecutor
from datatrove.pipeline.base import PipelineStep
from datatrove.pipeline.readers import JsonlReader
from datatrove.pipeline.writers import JsonlWriter

import unspin


class Restore(PipelineStep):
    """Documents with their texts restored, as `unspin.restore` does it with the same options."""

    name = "unspin"
    type = "✏️ - FORMAT"

    def __init__(self, **options: Any) -> None:
        super().__init__()
        self.options = options

    def run(self, data: DocumentsPipeline, rank: int = 0, world_size: int = 1) -> DocumentsPipeline:
        for document in data or ():
            with self.track_time():
                try:
                    restoration = unspin.restore(document.text, **self.options)
                    text = unspin.cleaned(restoration)
                except Exception as error:  # one bad document must not end the task
                    document.metadata["unspin_error"] = f"{type(error).__name__}: {error}"
                    self.stat_update("failed")
                else:
                    changes = [[edit.before, edit.after] for edit in restoration.edits]
                    document.metadata |= {"spin_rate": restoration.spin.rate, "edits": changes}
                    document.text = text
                    self.stat_update("spun" if restoration.spin.is_spun else "clean")
                    self.stat_update("edits", value=len(changes), unit="document")
            yield document


def main() -> None:
    parser = argparse.ArgumentParser(description="Restore a folder of JSON Lines.")
    parser.add_argument("input")
    parser.add_argument("output")
    parser.add_argument("--tasks", type=int, default=1)
    parser.add_argument("--workers", type=int, default=1)
    given = parser.parse_args()
    steps = [JsonlReader(given.input), Restore(), JsonlWriter(given.output, compression=None)]
    logs = f"{given.output.rstrip('/')}.logs"
    LocalPipelineExecutor(steps, tasks=given.tasks, workers=given.workers, logging_dir=logs).run()


if __name__ == "__main__":
    main()
