"""A call as text: who speaks when, and what is wrong with its line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ser_batch.arrays import DoubleArray
from ser_batch.audio.analysis import CallAnalysis, ChannelAnalysis
from ser_batch.audio.intervals import common, to_mask, union
from ser_batch.report.words import clock

_BLOCKS = " ▁▂▃▄▅▆▇█"
_STEPS_S = (5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600)
_FRAME_S = 0.05
_NOTHING = "–"


@dataclass(frozen=True)
class Lane:
    """What a picture of a call shows in one row.

    Attributes:
        name: who or what
        kind: agent, customer, unknown, both at once, hold music or tones
        times: seconds, shape (n, 2)
        fine: the segments within a side's turns; None in other lanes
    """

    name: str
    kind: str
    times: DoubleArray
    fine: DoubleArray | None = None


def lanes(analysis: CallAnalysis, roles: Sequence[str]) -> list[Lane]:
    """A row for each side; and for what both sides, music and tones take, where there is any."""
    names = side_names(analysis, roles)
    rows = [
        Lane(name, role, channel.turns, channel.segments)
        for name, role, channel in zip(names, roles, analysis.channels, strict=True)
    ]
    turns = [channel.turns for channel in analysis.channels]
    sounds = [channel.sounds for channel in analysis.channels]
    both = common(*turns) if len(turns) == 2 else np.zeros((0, 2))
    music = union(*(each.music for each in sounds))
    tones = union(*(times for each in sounds for times in (each.ring, each.keys, each.beep)))
    for name, times in (("both at once", both), ("hold music", music), ("tones", tones)):
        if len(times):
            rows.append(Lane(name, name, times))
    return rows


def side_names(analysis: CallAnalysis, roles: Sequence[str]) -> list[str]:
    """Each side's name in pictures and tables."""
    kind = "voice" if analysis.diarized else "channel"
    spoken = (role if role != "unknown" else "role unknown" for role in roles)
    return [f"{kind} {number}, {role}" for number, role in enumerate(spoken)]


def bars(times: DoubleArray, duration_s: float, width: int) -> str:
    """A row of blocks, each as high as its share of time that lies in some stretches.

    A share above nothing shows at least the lowest block.
    """
    n_frames = max(round(duration_s / _FRAME_S), width)
    mask = to_mask(times, n_frames, duration_s / n_frames)
    edges = np.linspace(0, n_frames, width + 1).astype(np.int64)[:-1]
    shares = np.add.reduceat(mask.astype(np.float64), edges) / np.diff([*edges, n_frames])
    return "".join(_BLOCKS[int(np.ceil(share * (len(_BLOCKS) - 1)))] for share in shares)


def ticks(duration_s: float, n_most: int) -> list[int]:
    """Whole seconds for an axis of at most so many marks."""
    step = next((step for step in _STEPS_S if duration_s / step < n_most), _STEPS_S[-1])
    return list(range(0, int(duration_s) + 1, step))


def scale(duration_s: float, width: int) -> str:
    """Minutes and seconds below a row of bars."""
    line = [" "] * (width + 8)
    for at in ticks(duration_s, max(width // 10, 2)):
        place = round(at / duration_s * width)
        text = clock(at)
        line[place : place + len(text)] = text
    return "".join(line).rstrip()


def diagnosis(analysis: CallAnalysis) -> list[tuple[str, tuple[str, ...]]]:
    """What was measured on each side: name with unit, and a value a channel."""
    sides = analysis.interaction.sides
    columns = [_measures(channel) for channel in analysis.channels]
    rows = [(name, tuple(column[name] for column in columns)) for name in columns[0]]
    spoken = [
        ("turns", tuple(str(side.n_turns) for side in sides)),
        ("share of the talk (%)", tuple(f"{100 * side.talk_share:.0f}" for side in sides)),
        ("interruptions", tuple(str(side.n_interruptions) for side in sides)),
        (
            "median answer after (s)",
            tuple(_number(side.response_time_median_s, 1) for side in sides),
        ),
        ("syllables a second", tuple(_number(side.syllable_rate, 1) for side in sides)),
    ]
    return [rows[0], *spoken, *rows[1:]]


def course(analysis: CallAnalysis) -> str:
    """How the call went, in a line."""
    found = analysis.interaction
    said = [
        f"{clock(analysis.duration_s)} long",
        f"music and tones {found.hold.total_s:.0f} s",
        f"silence {found.silence.total_s:.0f} s (longest {found.silence.longest_s:.0f} s)",
    ]
    if analysis.diarized:
        said.append(f"voices told apart, confidence {analysis.diarization_confidence:.2f}")
    elif len(analysis.channels) > 1:  # in one channel nobody knows
        said.append(f"both at once {found.overtalk_s:.1f} s")
    return ", ".join(said)


def _measures(channel: ChannelAnalysis) -> dict[str, str]:
    line = channel.line
    return {
        "speech (s)": f"{channel.speech_s:.1f}",
        "speech too short to describe (s)": f"{channel.dropped_speech_s:.1f}",
        "speech level (dB of full scale)": _number(channel.level_db, 0),
        "noise level (dB of full scale)": _number(channel.noise_db, 0),
        "signal to noise (dB)": _number(channel.snr_db, 0),
        "so noisy that it is denoised": "yes" if channel.denoised else "no",
        "bandwidth as recorded (Hz)": _number(line.bandwidth_hz, 0),
        "clipped samples (%)": f"{100 * channel.clipping_ratio:.2f}",
        "offset (% of full scale)": f"{100 * channel.dc_offset:z.2f}",
        "other side leaks in at (dB)": _number(line.crosstalk_db, 0),
        "of it taken out (s)": f"{line.crosstalk_removed_s:.1f}",
        "ringing (s)": f"{line.ring_s:.1f}",
        "keys (s)": f"{line.keys_s:.1f}",
        "beeps (s)": f"{line.beep_s:.1f}",
        "hold music (s)": f"{line.music_s:.1f}",
        "dead": "yes" if line.is_dead else "no",
    }


def _number(value: float, places: int) -> str:
    """A dash for what could not be measured."""
    return _NOTHING if np.isnan(value) else f"{value:.{places}f}"
