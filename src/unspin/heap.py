"""Memory that was freed goes back to the system.

The C library of most Linux systems keeps what a program frees among what it still holds, so that a process that lives
long comes to hold its worst moments, one beside the other. Nothing comes in, nothing goes out, and nothing is refused:
on other systems nothing happens.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable
from functools import cache


@cache
def _trim() -> Callable[[int], int] | None:
    """glibc's `malloc_trim`, where there is one."""
    if sys.platform != "linux":
        return None
    try:
        trim: Callable[[int], int] = ctypes.CDLL(None).malloc_trim
    except (OSError, AttributeError):  # another C library, or a program that is linked to none
        return None
    return trim


def give_back() -> None:
    """Give back all pages that hold nothing; takes some milliseconds."""
    if (trim := _trim()) is not None:
        trim(0)
