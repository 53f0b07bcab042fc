"""Look at what a night needs, one finding a line, each with what to do if it is wrong."""

from __future__ import annotations

import importlib.metadata
import io
import shutil
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import soundfile

import ser_batch
from ser_batch import warehouse
from ser_batch.config import Settings
from ser_batch.errors import SerError, WarehouseError
from ser_batch.features.encoders.sets import RECOMMENDED
from ser_batch.features.encoders.weights import WEIGHTS
from ser_batch.ingest.metadata_import import known_attributes, no_meaning
from ser_batch.scoring.choose import load_model
from ser_batch.settings_file import find_settings_file, load_settings
from ser_batch.store.encrypt import open_keys
from ser_batch.store.lake import Lake
from ser_batch.store.paths import Root
from ser_batch.store.working_copy import working_copy

LEAST_FREE_GB = 2.0
PACKAGES = ("prefect", "polars", "pyarrow", "librosa", "lightgbm", "duckdb", "soundfile")
DECODERS = {"WAV": "ULAW", "FLAC": "PCM_16", "OGG": "OPUS", "MP3": "MPEG_LAYER_III", "AIFF": "ALAW"}


@dataclass(frozen=True)
class Check:
    """One finding.

    Attributes:
        name: what was looked at
        state: ok, note (works, but know it) or failed
        finding: what was found
        remedy: what to do about it
    """

    name: str
    state: Literal["ok", "note", "failed"]
    finding: str
    remedy: str = ""


def examine(root: Root, settings_file: Path | None) -> list[Check]:
    """Every finding about a root folder and this installation."""
    checks = [_versions(), _decoders(), *_folder(root)]
    try:
        file = settings_file or find_settings_file(root.path)
        settings = load_settings(file)
    except SerError as error:
        return [*checks, Check("settings", "failed", str(error), "Correct the file named.")]
    checks.append(Check("settings", "ok", str(file) if file else "defaults (no file)"))
    try:
        open_keys(root, settings.encryption)
    except SerError as error:
        return [*checks, Check("encryption", "failed", str(error), error.remedy)]
    checks += [_model(root, settings), _weights(), _warehouse(root), *_metadata(root, settings)]
    return checks


def _versions() -> Check:
    python = ".".join(str(part) for part in sys.version_info[:3])
    packages = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in PACKAGES)
    return Check(
        "versions", "ok", f"ser-batch {ser_batch.__version__}, Python {python}, {packages}"
    )


def _decoders() -> Check:
    failed = [name for name, codec in DECODERS.items() if not _decodes(name, codec)]
    if failed:
        remedy = "Install a soundfile wheel, which brings its own libsndfile."
        return Check("decoders", "failed", f"cannot read {', '.join(failed)}", remedy)
    return Check("decoders", "ok", f"{', '.join(DECODERS)} (libsndfile)")


def _decodes(container: str, codec: str) -> bool:
    """Whether a second of silence survives writing and reading."""
    buffer = io.BytesIO()
    try:
        soundfile.write(buffer, np.zeros(8000, np.float32), 8000, codec, format=container)
        buffer.seek(0)
        return len(soundfile.read(buffer)[0]) >= 8000
    except (soundfile.LibsndfileError, ValueError):
        return False


def _folder(root: Root) -> Iterator[Check]:
    here = next(folder for folder in (root.path, *root.path.parents) if folder.exists())
    try:
        with tempfile.TemporaryFile(dir=here):
            pass
    except OSError as error:
        remedy = "Give the user that runs the night the right to write there."
        yield Check("root", "failed", f"{here}: {error.strerror}", remedy)
        return
    if copy := working_copy(root.path):
        yield Check("store", "ok", f"{copy.address} answers; {root.path} is its copy here")
    if here == root.path:
        yield Check("root", "ok", f"{root.path} can be written")
    else:
        yield Check("root", "note", f"{root.path} is not there yet", "The first night makes it.")
    free = shutil.disk_usage(here).free / 1e9
    if free < LEAST_FREE_GB:
        yield Check("disk", "failed", f"{free:.1f} GB free", f"Free {LEAST_FREE_GB:g} GB or more.")
    else:
        yield Check("disk", "ok", f"{free:.0f} GB free")


def _model(root: Root, settings: Settings) -> Check:
    try:
        bundle = load_model(root, settings)
    except SerError as error:
        return Check("model", "failed", str(error), error.remedy)
    return Check("model", "ok", f"{bundle.model_id}, reads {bundle.feature_set}")


def _metadata(root: Root, settings: Settings) -> Iterator[Check]:
    """Columns of the metadata that nobody has mapped: consent may be among them."""
    if names := known_attributes(Lake(root.lake), settings.ingest):
        yield Check("metadata", "note", *no_meaning(names))


def _weights() -> Check:
    """What the weights of a speech model add, where there are none."""
    here = [weights.name for weights in WEIGHTS.values() if weights.path.exists()]
    if here:
        return Check("embeddings", "ok", f"weights here: {', '.join(here)}")
    finding = "no weights of a speech model: with them fewer labels and other lines go further"
    remedy = f'`ser-batch weights get`, then features.set = "{RECOMMENDED}".'
    return Check("embeddings", "note", finding, remedy)


def _warehouse(root: Root) -> Check:
    try:
        with warehouse.connect(root.warehouse) as con:
            row = con.execute("select count(*) from call_summary").fetchone()
    except WarehouseError as error:
        return Check("warehouse", "note", str(error))
    return Check("warehouse", "ok", f"{root.warehouse}: {row[0] if row else 0} calls")
