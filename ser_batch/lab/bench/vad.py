"""Voice activity beside Silero's own way: speed on one core and agreement, on the same calls.

The peer is timed as it is published, one pass over a channel. Agreement is with the published
network at the same level and in the same windows.
"""

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
from ser_batch.audio.vad import FRAME_S, WINDOW_HOP_FRAMES, level_gain, speech_probability
from ser_batch.config import Settings, VadSettings

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
        and of the worst channel; max_difference_ungated of the probabilities without the gate;
        speech_s by ours and speech_s_one_pass by the published way (frames above 0.5)
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
    without_gate = settings.vad.model_copy(update={"gate_db": -math.inf})
    ungated = speech_probability(signals, rate, without_gate)
    windows = [in_windows(signal, rate, without_gate) for signal in signals]
    same = [(a >= SPEECH) == (b >= SPEECH) for a, b in zip(ours, windows, strict=True)]
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
            max(np.abs(a - b).max(initial=0) for a, b in zip(ungated, windows, strict=True))
        ),
        "speech_s": _speech_s(ours),
        "speech_s_one_pass": _speech_s(published),
    }


def _speech_s(probabilities: Sequence[FloatArray]) -> float:
    return float(sum(np.count_nonzero(each >= SPEECH) for each in probabilities) * FRAME_S)


def in_windows(signal: FloatArray, rate_hz: int, settings: VadSettings) -> FloatArray:
    """The published network as the product runs it: at one level, in windows, the higher counts.

    Args:
        signal: mono samples, shape (n_samples,)
        rate_hz: 8000 or 16000
        settings: level of the energy gate, below which frames do not count for the level

    Returns:
        shape (ceil(n_samples / frame),); no frame is gated
    """
    n_frame = 32 * rate_hz // 1000
    padded = np.pad(signal, (0, -len(signal) % n_frame))
    gain = level_gain(np.square(padded).reshape(-1, n_frame).mean(axis=1), settings.gate_db)
    highest = np.zeros(len(padded) // n_frame, np.float32)
    for first in range(-WINDOW_HOP_FRAMES, len(highest), WINDOW_HOP_FRAMES):
        window = slice(max(first, 0), first + 2 * WINDOW_HOP_FRAMES)
        before = min(window.start, 1)  # the frame before, for the network's context
        samples = signal[(window.start - before) * n_frame : window.stop * n_frame]
        found = step_by_step(samples * gain, rate_hz, skipped=before)
        np.maximum(highest[window], found, out=highest[window])
    return highest


def step_by_step(signal: FloatArray, rate_hz: int, *, skipped: int = 0) -> FloatArray:
    """Speech probability as Silero publishes it: one frame after the other through onnxruntime.

    Args:
        signal: mono samples, shape (n_samples,)
        rate_hz: 8000 or 16000
        skipped: frames at the start that are context only

    Returns:
        shape (ceil(n_samples / frame) - skipped,)
    """
    session = _session()
    n_frame = 32 * rate_hz // 1000
    n_context = n_frame // 8
    n_frames = -(-len(signal) // n_frame)
    padded = np.zeros(n_context + n_frames * n_frame, np.float32)
    padded[n_context : n_context + len(signal)] = signal
    state, rate = np.zeros((2, 1, 128), np.float32), np.array(rate_hz, np.int64)
    probability = np.empty(n_frames, np.float32)
    for number in range(skipped, n_frames):
        window = padded[None, number * n_frame : (number + 1) * n_frame + n_context]
        output, state = session.run(None, {"input": window, "state": state, "sr": rate})
        probability[number] = output[0, 0]
    return probability[skipped:]


@lru_cache(maxsize=1)
def _session() -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(str(weights_path()), options)
