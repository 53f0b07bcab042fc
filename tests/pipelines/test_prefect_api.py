"""A command's own Prefect server ends with the command, and one that does not start is named."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

ROOT = Path(__file__).parents[2]
ENDS_S = 20.0

pytestmark = pytest.mark.slow


def command_with_a_server(root: Path, **variables: str) -> subprocess.Popen[str]:
    """A command that prints its server's address and waits."""
    program = (
        "import os, sys; from pathlib import Path\n"
        "from pipelines.prefect_api import prefect_api\n"
        "from pipelines.prefect_server import PrefectStartError\n"
        "from ser_batch.store.paths import Root\n"
        "try:\n"
        "    with prefect_api(Root(Path(sys.argv[1])), lambda: os.getpid()) as flow:\n"
        "        from prefect.settings import PREFECT_API_URL\n"
        "        assert flow == os.getpid()\n"
        "        print(PREFECT_API_URL.value(), flush=True); sys.stdin.read()\n"
        "except PrefectStartError as error: print(error.code)\n"
    )
    return subprocess.Popen(
        [sys.executable, "-c", program, str(root)],
        env={"PYTHONPATH": str(ROOT), "HOME": str(root), "OPENBLAS_NUM_THREADS": "1", **variables},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/health", timeout=5).is_success
    except httpx.TransportError:
        return False


@pytest.mark.parametrize("how", ["ends", "is killed"])
def test_a_server_ends_with_its_command(tmp_path: Path, how: str) -> None:
    command = command_with_a_server(tmp_path)
    assert command.stdin is not None
    assert command.stdout is not None
    url = command.stdout.readline().strip()
    assert answers(url)

    if how == "is killed":
        command.kill()
    command.stdin.close()

    assert command.wait() == (-9 if how == "is killed" else 0)
    deadline = time.monotonic() + ENDS_S
    while answers(url) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not answers(url)


def test_a_server_that_cannot_start_is_an_error_of_its_own(tmp_path: Path) -> None:
    database = f"sqlite+aiosqlite:///{tmp_path}/gone/prefect.db"
    command = command_with_a_server(
        tmp_path, PREFECT_SERVER_DATABASE_CONNECTION_URL=database, PREFECT_HOME=str(tmp_path)
    )
    assert command.communicate()[0].split() == ["prefect_start"]


def test_a_server_whose_disk_is_full_is_one_error_that_names_the_space(tmp_path: Path) -> None:
    """The size of files is limited, since a test cannot fill a disk: the database holds no more."""
    program = (
        "import resource, sys; from pathlib import Path\n"
        "from pipelines.prefect_api import prefect_api\n"
        "from ser_batch.errors import StopError\n"
        "from ser_batch.store.paths import Root\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1_100_000, 1_100_000))\n"
        "try:\n"
        "    with prefect_api(Root(Path(sys.argv[1])), lambda: None):\n"
        "        from prefect.client.orchestration import get_client\n"
        "        with get_client(sync_client=True) as client:\n"
        "            for number in range(999): client.create_flow_from_name(f'{number:4000}')\n"
        "except StopError as error: print(error.code, error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)],
        env={"PYTHONPATH": str(ROOT), "HOME": str(tmp_path), "OPENBLAS_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.startswith("prefect_write Prefect's server cannot write to ")
    assert "MB of the disk are free" in done.stdout
