from __future__ import annotations

import grp
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from ser_batch.errors import SettingsError
from ser_batch.store.atomic import write_text_atomic
from ser_batch.store.lake import Lake, Part
from ser_batch.store.paths import Root
from ser_batch.store.permissions import follow_root, private_files
from ser_batch.tables import ERASED

GROUP = grp.getgrgid(os.getgid()).gr_name


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def write_some(root: Root) -> None:
    """A part of the lake, a text, and a file of another process."""
    Lake(root.lake).write(ERASED, Part(None, "part"), ERASED.from_rows([]))
    write_text_atomic(root.reports / "deep" / "report.html", "text")
    code = "import pathlib, sys; pathlib.Path(sys.argv[1]).write_text('x')"
    subprocess.run([sys.executable, "-c", code, str(root.path / "other")], check=True)


@pytest.mark.parametrize(
    ("group", "folder", "file"), [(None, 0o700, 0o600), (GROUP, 0o2750, 0o640)]
)
def test_everything_under_the_root_is_for_its_owner_and_a_group_that_is_named(
    tmp_path: Path, group: str | None, folder: int, file: int
) -> None:
    root = Root(tmp_path / "root")
    (root.path / "old" / "folder").mkdir(parents=True)
    (root.path / "old" / "file").touch()

    with private_files(root, group):
        write_some(root)

    for path in (root.path, *root.path.rglob("*")):
        assert mode(path) == (folder if path.is_dir() else file), path
    (tmp_path / "outside").touch()
    assert mode(tmp_path / "outside") == 0o644, "the umask is as it was"


def test_commands_write_as_the_root_says(tmp_path: Path) -> None:
    with (
        private_files(Root(tmp_path / "shared"), GROUP),
        private_files(Root(tmp_path / "own"), None),
    ):
        pass
    for name, expected in (("shared", 0o640), ("own", 0o600), ("not there", 0o600)):
        follow_root(Root(tmp_path / name))
        (tmp_path / f"file of {name}").touch()
        assert mode(tmp_path / f"file of {name}") == expected


def test_a_group_that_is_not_there_is_named(tmp_path: Path) -> None:
    with (
        pytest.raises(SettingsError, match="no group 'nobody-at-all'"),
        private_files(Root(tmp_path), "nobody-at-all"),
    ):
        pass
