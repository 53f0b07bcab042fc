"""How long work reports its progress: a function that whoever waits passes down, and a format."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import Literal

Progress = Callable[[str, int, int], None]
"""Called with the name of a step, what is done of it, and all of it."""

LogFormat = Literal["auto", "bars", "text", "json", "off"]
"""What a run writes on standard error; auto: bars on a terminal, else lines of text."""


def silent(_step: str, _done: int, _total: int) -> None:
    """Report nothing."""


def counted(step: str, total: int, on_progress: Progress) -> Callable[[], None]:
    """A function to call once for each piece of a step that is done."""
    done = count(1)
    return lambda: on_progress(step, next(done), total)
