"""A small teacher with made-up weights, and made speech, for tests of the training."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import soundfile

from ser_batch.arrays import FloatArray
from ser_batch.features.encoders.encoder import encoder_of, sinusoids
from ser_batch.features.encoders.graph import encoder_graph
from ser_batch.lab.distill.material import RATE_HZ, Material, read_material
from ser_batch.lab.distill.teachers import Teacher
from ser_batch.lab.distill.voices import made_speech

WIDTH, STEM, HIDDEN, N_MELS = 128, 48, 160, 80
HEAD_WIDTH = 64
BLOCKS = (1, 2)


def made_up_arrays(seed: int = 0) -> dict[str, FloatArray]:
    """Weights of a small encoder with two heads and two blocks."""
    rng = np.random.default_rng(seed)

    def drawn(*shape: int) -> FloatArray:
        size = float(np.sqrt(np.prod(shape[1:]))) if len(shape) > 1 else 10.0
        return (rng.standard_normal(shape) / size).astype(np.float32)

    arrays = {
        "conv1.weight": drawn(STEM, N_MELS, 3),
        "conv1.bias": drawn(STEM),
        "conv2.weight": drawn(WIDTH, STEM, 3),
        "conv2.bias": drawn(WIDTH),
        "positions": sinusoids(1500, WIDTH),
    }
    for block in range(max(BLOCKS)):
        at = f"blocks.{block}"
        shapes = {
            "query_key_value": (3 * WIDTH, WIDTH),
            "mix": (WIDTH, WIDTH),
            "widen": (HIDDEN, WIDTH),
            "narrow": (WIDTH, HIDDEN),
        }
        for name, shape in shapes.items():
            arrays[f"{at}.{name}.weight"] = drawn(*shape)
            arrays[f"{at}.{name}.bias"] = drawn(shape[0])
        for name in ("attention_norm", "feed_norm"):
            arrays[f"{at}.{name}.weight"] = 1 + drawn(WIDTH)
            arrays[f"{at}.{name}.bias"] = drawn(WIDTH)
    return arrays


def made_up_teacher() -> Teacher:
    """A teacher that reads 16 kHz and says what random weights make of it."""
    arrays = made_up_arrays()
    graph = encoder_graph(arrays, head_width=HEAD_WIDTH, after_blocks=BLOCKS, int8=False)
    return Teacher(
        name="made_up",
        title="a made-up teacher",
        licence="MIT",
        sha256="0" * 64,
        after_blocks=BLOCKS,
        sample_rate=RATE_HZ,
        n_mels=None,
        arrays=arrays,
        encoder=encoder_of(graph, arrays["positions"], BLOCKS),
    )


def write_speech(folder: Path, *, minutes: float = 0.6) -> Path:
    """Made sentences, one file each."""
    folder.mkdir(parents=True)
    for number, (_, samples) in enumerate(made_speech(minutes, seed=4)):
        soundfile.write(folder / f"said_{number:02d}.wav", samples, RATE_HZ, "PCM_16")
    return folder


def speech_material(folder: Path) -> Material:
    """The clips of a folder of made speech."""
    from ser_batch.config import Settings

    return read_material([folder], Settings(), seed=1)
