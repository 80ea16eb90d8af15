"""What all tests share."""

from __future__ import annotations

import gc


def pytest_collection_finish() -> None:
    """Keep what the suite itself allocated out of garbage collection, whose pauses upset tests of linear time."""
    gc.collect()
    gc.freeze()
