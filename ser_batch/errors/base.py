"""The error tree. The class decides what happens next, the fields make the message.

`FileError`   the file goes to quarantine, the night goes on.
`StopError`   the run stops: going on would lose or falsify something.
"""

from __future__ import annotations

from typing import Any, ClassVar


class SerError(Exception):
    """Root of every error that ser-batch raises on purpose.

    Attributes:
        code: stable machine-readable reason
        message: what is wrong, where it needs no fields
        remedy: what the reader of the message can do about it
    """

    code: ClassVar[str] = "error"
    message: ClassVar[str] = ""
    remedy: ClassVar[str] = ""

    def __init__(self, message: str | None = None) -> None:
        super().__init__(self.message if message is None else message)

    def __reduce__(self) -> tuple[Any, ...]:
        """Errors travel between processes: rebuilt as they are, not by calling `__init__`."""
        return _restored, (type(self), self.args, self.__dict__)

    def one_line(self) -> str:
        """Message and remedy as the terminal shows them."""
        return sentences(str(self), self.remedy)


def sentences(message: str, remedy: str) -> str:
    """A message and what to do about it on one line."""
    if not remedy:
        return message
    return f"{message}{'' if message.endswith(('.', '?', '!')) else '.'} {remedy}"


def _restored(kind: type[SerError], args: tuple[Any, ...], state: dict[str, Any]) -> SerError:
    error = kind.__new__(kind, *args)
    error.args = args
    error.__dict__.update(state)
    return error


class FileError(SerError):
    """One input file cannot be used: quarantine it and go on."""

    code = "bad_file"


class StopError(SerError):
    """The run must stop."""

    code = "stop"
