"""Voice activity beside Silero's own way: speed on one core and agreement, on the same calls."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime

from ser_batch.arrays import FloatArray
from ser_batch.audio.decode import at_rate, read_audio
from ser_batch.audio.silero import weights_path
from ser_batch.audio.vad import speech_probability
from ser_batch.config import Settings

PEER = "silero_step_by_step"
SPEECH = 0.5
"""Probability on whose two sides an agreement is judged."""


def run(paths: Sequence[Path], settings: Settings, *, repeats: int = 3) -> dict[str, Any]:
    """Time both on the channels of some recordings and compare their answers.

    Args:
        paths: recordings
        settings: analysis rate and energy gate
        repeats: of which the fastest counts, for both

    Returns:
        rate_hz; audio_s (of all channels); ours and peers in times real time of one channel per
        core, and their ratios; agreement (share of frames on the same side of 0.5) over all
        and of the worst channel; max_difference_ungated of the probabilities without the gate
    """
    rate = settings.audio.analysis_rate_hz
    signals = [
        channel
        for path in paths
        for channel in at_rate(read_audio(path, settings.audio), rate).samples
    ]
    audio_s = sum(len(signal) for signal in signals) / rate
    ours_s, published_s = [], []
    for _ in range(repeats):
        started = time.process_time()
        ours = speech_probability(signals, rate, settings.vad)
        ours_s.append(time.process_time() - started)
        started = time.process_time()
        published = [step_by_step(signal, rate) for signal in signals]
        published_s.append(time.process_time() - started)
    ungated = speech_probability(
        signals, rate, settings.vad.model_copy(update={"gate_db": -math.inf})
    )
    same = [(a >= SPEECH) == (b >= SPEECH) for a, b in zip(ours, published, strict=True)]
    return {
        "rate_hz": rate,
        "n_channels": len(signals),
        "audio_s": round(audio_s, 1),
        "unit": "channel-seconds per core-second",
        "ours": {"voice_activity": audio_s / min(ours_s)},
        "peers": {PEER: audio_s / min(published_s)},
        "ratios": {PEER: min(published_s) / min(ours_s)},
        "agreement": float(np.mean(np.concatenate(same))),
        "agreement_worst_channel": float(min(frames.mean() for frames in same)),
        "max_difference_ungated": float(
            max(np.abs(a - b).max(initial=0) for a, b in zip(ungated, published, strict=True))
        ),
    }


def step_by_step(signal: FloatArray, rate_hz: int) -> FloatArray:
    """Speech probability as Silero publishes it: one frame after the other through onnxruntime.

    Args:
        signal: mono samples, shape (n_samples,)
        rate_hz: 8000 or 16000

    Returns:
        shape (ceil(n_samples / frame),)
    """
    session = _session()
    n_frame = 32 * rate_hz // 1000
    n_context = n_frame // 8
    n_frames = -(-len(signal) // n_frame)
    padded = np.zeros(n_context + n_frames * n_frame, np.float32)
    padded[n_context : n_context + len(signal)] = signal
    state, rate = np.zeros((2, 1, 128), np.float32), np.array(rate_hz, np.int64)
    probability = np.empty(n_frames, np.float32)
    for number in range(n_frames):
        window = padded[None, number * n_frame : (number + 1) * n_frame + n_context]
        output, state = session.run(None, {"input": window, "state": state, "sr": rate})
        probability[number] = output[0, 0]
    return probability


@lru_cache(maxsize=1)
def _session() -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(str(weights_path()), options)
