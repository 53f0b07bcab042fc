"""Where numba keeps what it compiles: librosa cannot be imported where it has no place."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path

from ser_batch.store.paths import Root

NUMBA_CACHE = "NUMBA_CACHE_DIR"


def set_caches(root: Root) -> None:
    """Let numba compile into the root where its usual places cannot be written.

    Processes that are started later inherit it. Call it before librosa is imported.

    Args:
        root: the root folder
    """
    if NUMBA_CACHE not in os.environ and not any(map(_is_writable, _usual_places())):
        os.environ[NUMBA_CACHE] = str(root.cache / "numba")


def _usual_places() -> list[Path]:
    """Beside the code that is compiled, and the cache of the user's home."""
    librosa = importlib.util.find_spec("librosa")
    beside = [Path(librosa.origin).parent] if librosa and librosa.origin else []
    home = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")  # noqa: PTH111
    return [*beside, Path(home)]


def _is_writable(folder: Path) -> bool:
    """Whether files can be put there, or the folder made."""
    if not folder.is_absolute():  # a user without a home
        return False
    nearest = next(place for place in (folder, *folder.parents) if place.exists())
    return os.access(nearest, os.W_OK | os.X_OK)
