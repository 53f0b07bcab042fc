"""What every section of the settings is made of."""

from __future__ import annotations

import difflib
import hashlib
import json
from collections.abc import Iterable, Sequence
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from ser_batch.emotions import EMOTIONS

Role = Literal["agent", "customer", "unknown"]
Speaker = Literal["agent", "customer"]
Share = Annotated[float, Field(ge=0, le=1)]
Seconds = Annotated[float, Field(ge=0)]
EMPTY_IS_UNSET = BeforeValidator(lambda value: None if value == "" else value)
"""TOML and the environment cannot say None."""
OptionalText = Annotated[str | None, EMPTY_IS_UNSET]


class Section(BaseModel):
    """A table of the settings file."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)

    def digest(self) -> str:
        """Short hash of the values, for rows that depend on them."""
        return digest(self.model_dump(mode="json"))


def digest(value: object) -> str:
    """Sixteen hex digits that change when a JSON-able value does."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


def nearest(name: str, known: Iterable[str]) -> str:
    """`; did you mean 'x'?`, or nothing where no name is near."""
    close = difflib.get_close_matches(name, list(known), n=1, cutoff=0.6)
    return f"; did you mean {close[0]!r}?" if close else ""


def check_emotions(names: Iterable[str]) -> None:
    """Refuse what is no emotion.

    Raises:
        ValueError: naming it, and the nearest emotion
    """
    for name in names:
        if name not in EMOTIONS:
            raise ValueError(no_emotion(name))


def no_emotion(name: str, known: Sequence[str] = EMOTIONS) -> str:
    """What to say of a name that is no emotion: the nearest one, or all where none is near."""
    said = nearest(name.strip().lower(), known) or f"; it can be {', '.join(known)}"
    return f"{name!r} is no emotion{said}"
