"""The settings file: read with the environment, and written with its comments."""

from __future__ import annotations

import json
import os
import textwrap
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from pydantic import SecretStr, ValidationError
from pydantic.fields import FieldInfo
from pydantic_settings import SettingsError as SourceError

from ser_batch.config import ENV_PREFIX, Section, Settings, nearest, sections
from ser_batch.errors import SettingsError

SETTINGS_FILE = "ser-batch.toml"
OTHER_VARIABLES = (
    "SER_ROOT", "SER_SETTINGS", "SER_CORPUS_DIR", "SER_DEBUG", "SER_HOME", "SER_AUDIO",
    "SER_METADATA", "SER_ALERT",
)  # fmt: skip
"""Variables with the prefix that are not settings."""
_WIDTH = 96


def load_settings(path: Path | None = None) -> Settings:
    """Settings from a TOML file and the environment.

    Args:
        path: the file, or None for defaults and environment only

    Raises:
        SettingsError: naming the file, the key, what is wrong and the nearest right key
    """
    tables: dict[str, Any] = {}
    if path is not None:
        try:
            tables = tomllib.loads(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise SettingsError(f"cannot read {path}: {error.strerror}") from error
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise SettingsError(f"{path} is not TOML: {error}") from error
    _refuse_unknown_variables()
    try:
        return Settings(**tables)
    except ValidationError as error:
        raise SettingsError(_explain(error, path)) from error
    except SourceError as error:
        raise SettingsError(f"{error}; lists and tables in the environment are JSON") from error


def find_settings_file(root: Path) -> Path | None:
    """The settings file of a root folder, else of the current folder, else None."""
    for folder in (root, Path.cwd()):
        if (folder / SETTINGS_FILE).is_file():
            return folder / SETTINGS_FILE
    return None


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
    meaning = _comment(f"{field.description}{_range(field)}{_choices(field.annotation)}")
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


def _choices(annotation: Any) -> str:
    """` (one of "off", "gated", "always")` where the declaration names the values."""
    found: dict[str, None] = {}
    todo = [annotation]
    while todo:
        kind = todo.pop(0)
        if get_origin(kind) is Literal:
            found |= dict.fromkeys(map(_toml, get_args(kind)))
        else:
            todo += get_args(kind)
    return f" (one of {', '.join(found)})" if found else ""


def _toml(value: Any) -> str:
    if isinstance(value, tuple):
        value = list(value)
    return json.dumps(value, ensure_ascii=False)


def _comment(text: str) -> list[str]:
    return [f"# {line}" for line in textwrap.wrap(text, _WIDTH)]


def _refuse_unknown_variables() -> None:
    """A misspelt variable would else be ignored without a word."""
    known = {f"{ENV_PREFIX}{name}".upper() for name in sections()} | set(OTHER_VARIABLES)
    for variable in os.environ:
        table = variable.split("__")[0]
        if variable.startswith(ENV_PREFIX) and table not in known:
            raise SettingsError(f"no setting belongs to {variable}{nearest(table, known)}")


def _explain(error: ValidationError, path: Path | None) -> str:
    """One line a wrong key, with the nearest right one; no secret is shown."""
    lines = []
    for problem in error.errors():
        *parents, key = [str(part) for part in problem["loc"]] or ["settings"]
        name = ".".join([*parents, key])
        known = _fields(parents)
        if problem["type"] == "extra_forbidden":
            lines.append(f"there is no setting {name!r}{nearest(key, known)}")
        elif isinstance(problem.get("input"), dict) or (key in known and _is_secret(known[key])):
            lines.append(f"{name}: {problem['msg']}")
        else:
            lines.append(f"{name}: {problem['msg']} (given: {problem.get('input')!r})")
    source = f"{path}: " if path else ""
    return source + "; ".join(lines)


def _fields(parents: Sequence[str]) -> dict[str, FieldInfo]:
    """Declarations of the table below some keys, also of a table in a list; empty: none."""
    table: Any = Settings
    for name in parents:
        if name.isdecimal():  # a place in a list of tables
            continue
        field = table.model_fields.get(name)
        kinds = (field.annotation, *get_args(field.annotation)) if field else ()
        table = next((k for k in kinds if isinstance(k, type) and issubclass(k, Section)), None)
        if table is None:
            return {}
    return dict(table.model_fields)


def _is_secret(field: FieldInfo) -> bool:
    return SecretStr in (field.annotation, *get_args(field.annotation))
