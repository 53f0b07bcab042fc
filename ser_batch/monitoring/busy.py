"""How long at least one of several threads was at work."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager


class BusyClock:
    """Wall seconds in which any thread stood inside `working`."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._n_inside = 0
        self._since = 0.0
        self._seconds = 0.0

    @contextmanager
    def working(self) -> Iterator[None]:
        """The time inside counts, once however many threads are inside."""
        with self._lock:
            if self._n_inside == 0:
                self._since = time.perf_counter()
            self._n_inside += 1
        try:
            yield
        finally:
            with self._lock:
                self._n_inside -= 1
                if self._n_inside == 0:
                    self._seconds += time.perf_counter() - self._since

    @property
    def seconds(self) -> float:
        """So far."""
        return self._seconds
