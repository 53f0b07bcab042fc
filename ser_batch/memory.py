"""What a process keeps of the memory that arrays leave."""

from __future__ import annotations

import ctypes
from contextlib import suppress

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
"""Of glibc's `mallopt`."""
KEPT_BYTES = 64 << 20


def keep_freed_memory() -> None:
    """Let this process keep what arrays of some MB leave, for the next ones.

    glibc would give it back to the system each time, and fetch and clear it page by page again: a
    fifth of the time in which features are computed. With another C library nothing changes.
    """
    with suppress(OSError, AttributeError):
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(_TRIM_THRESHOLD, KEPT_BYTES)
        mallopt(_MMAP_THRESHOLD, KEPT_BYTES // 2)
