"""The commented settings file that `ser-batch init` writes."""

from __future__ import annotations

import json
import textwrap
from typing import Any

from pydantic.fields import FieldInfo

from ser_batch.config import Section, sections

_WIDTH = 96


def commented_settings() -> str:
    """Every setting as a commented TOML line with its default, below its meaning."""
    lines = [
        "# Settings of ser-batch. Every line is a default: take off the # to change it.",
        "# The environment wins over this file: SER_INGEST__MIN_AGE_S=0.",
    ]
    for name, section in sections().items():
        lines += ["", f"[{name}]", *_comment((section.__doc__ or "").strip())]
        for key, field in section.model_fields.items():
            lines += _setting(key, field, section())
    return "\n".join(lines) + "\n"


def _setting(key: str, field: FieldInfo, defaults: Section) -> list[str]:
    value = getattr(defaults, key)
    meaning = _comment(f"{field.description}{_range(field)}")
    if isinstance(value, dict) and value:
        pairs = ", ".join(f"{name} = {_toml(weight)}" for name, weight in value.items())
        return [*meaning, f"#{key} = {{ {pairs} }}"]
    if value is None:
        return [*meaning, f'#{key} = ""']
    return [*meaning, f"#{key} = {_toml(value)}"]


def _range(field: FieldInfo) -> str:
    """` (from 0 to 1)` where the declaration limits the value."""
    low = next((limit.ge for limit in field.metadata if hasattr(limit, "ge")), None)
    high = next((limit.le for limit in field.metadata if hasattr(limit, "le")), None)
    if low is None and high is None:
        return ""
    if high is None:
        return f" (from {low:g})"
    return f" (up to {high:g})" if low is None else f" ({low:g} to {high:g})"


def _toml(value: Any) -> str:
    if isinstance(value, tuple):
        value = list(value)
    return json.dumps(value, ensure_ascii=False)


def _comment(text: str) -> list[str]:
    return [f"# {line}" for line in textwrap.wrap(text, _WIDTH)]
