"""A folder that tests change, made once and put back before each."""

from __future__ import annotations

import shutil
from pathlib import Path


class Kept:
    """A copy of a folder as it is now.

    It is put back in the same place, for rows that hold paths.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._copy = Path(shutil.copytree(folder, folder.with_name(f"{folder.name}-kept")))

    def put_back(self) -> None:
        """Make the folder what it was; times of modification too."""
        shutil.rmtree(self.folder)
        shutil.copytree(self._copy, self.folder)
