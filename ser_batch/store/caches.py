"""A process made ready for a root: its encoders, and folders that libraries need for caches."""

from __future__ import annotations

import atexit
import importlib.util
import os
import shutil
import tempfile
from functools import cache
from pathlib import Path

from ser_batch.environment import set_unless_given
from ser_batch.resources import add_encoders
from ser_batch.store.paths import Root

NUMBA_CACHE = "NUMBA_CACHE_DIR"


def use_root(root: Root) -> None:
    """Make this process ready for a root; call it before Prefect or librosa is imported.

    The root's adapted encoders are found from then on. Where the user's home offers no place,
    libraries have one below the root: Prefect cannot be imported where there is no home, librosa
    where numba can keep nothing that it compiles. Processes that are started later inherit it.

    Args:
        root: the root folder; a temporary folder takes its place where it cannot be written
    """
    add_encoders(root.encoders)
    try:
        Path.home()
    except RuntimeError:  # no HOME, and a user whom the system does not know
        set_unless_given({"HOME": str(_cache(root))})
    if NUMBA_CACHE not in os.environ and not any(map(_is_writable, _usual_places())):
        set_unless_given({NUMBA_CACHE: str(_cache(root) / "numba")})


@cache
def _cache(root: Root) -> Path:
    if _is_writable(root.cache):
        return root.cache
    folder = tempfile.mkdtemp(prefix="ser-batch-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Path(folder)


def _usual_places() -> list[Path]:
    """Beside the code that is compiled, and the cache of the user's home."""
    librosa = importlib.util.find_spec("librosa")
    beside = [Path(librosa.origin).parent] if librosa and librosa.origin else []
    return [*beside, Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")]


def _is_writable(folder: Path) -> bool:
    """Whether files can be put there, or the folder made."""
    nearest = next(place for place in (folder, *folder.parents) if place.exists())
    return os.access(nearest, os.W_OK | os.X_OK)
