"""What an encoder is trained on: recordings cut into clips of a few lengths.

Clips have one of a few lengths, so that a batch holds clips of one length and nothing is padded.
Nothing is copied: a clip is a place in a recording, and a speed at which it is said.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from ser_batch.arrays import DoubleArray, FloatArray
from ser_batch.audio.analysis import analyse_calls
from ser_batch.audio.decode import at_rate, read_audio
from ser_batch.audio.intervals import from_mask, merge_gaps
from ser_batch.config import Settings
from ser_batch.corpora import CORPORA
from ser_batch.corpora.base import AUDIO_ENDINGS
from ser_batch.errors import CorpusError, FileError
from ser_batch.ingest.scan import content_id

RATE_HZ = 16000
"""Of the clean clips that the teacher reads."""

LENGTHS_S = tuple(round(0.64 * 1.12**step, 2) for step in range(27))
"""Lengths of clips: .64 s to 12.2 s, each an eighth longer than the one before."""

UNKNOWN = -1
"""Stands for a recording of which nothing is known."""

FRAME_S = 0.02
QUIET_DB = 38.0
"""What lies this far below a recording's loudest moments is silence between its clips."""

LEAST_GAP_S = 0.24
MARGIN_S = 0.04
MADE = "made"
"""The source of speech that is no recording."""

NOTHING_KNOWN: Mapping[str, int | None] = MappingProxyType({})
HELD_OUT_SHARE = 0.05
SPEEDS = (1.0, 0.88, 1.13)
"""Said as it was, slower and lower, faster and higher: further voices."""


@dataclass(frozen=True)
class Recording:
    """The speech of one person or more, in one channel.

    Attributes:
        samples: at `RATE_HZ`, full scale 32767, shape (n_samples,)
        group: whose voice, or which file: all of it is trained on, or none
        content: digest of the file's bytes
        source: the folder or file that was named, for the card
        intervals: where somebody speaks, seconds, shape (n, 2)
    """

    samples: NDArray[np.int16] = field(repr=False)
    group: str
    content: str
    source: str
    intervals: DoubleArray = field(repr=False)


@dataclass(frozen=True, order=True)
class Cut:
    """A clip.

    Attributes:
        length: which of `LENGTHS_S` it has once it is said at its speed
        recording: number of the recording
        start: first sample
        speed: which of `SPEEDS`
        held_out: never trained on
    """

    length: int
    recording: int
    start: int
    speed: int
    held_out: bool


@dataclass(frozen=True)
class Material:
    """Recordings and their clips.

    Attributes:
        recordings: in the order of their files
        cuts: sorted; the same recordings give the same clips
        digest: of all recordings' bytes and of how they are cut
    """

    recordings: tuple[Recording, ...]
    cuts: tuple[Cut, ...]
    digest: str

    def clip(self, number: int) -> FloatArray:
        """Samples of a clip at `RATE_HZ`, said at its speed."""
        cut = self.cuts[number]
        n_wanted = n_samples(cut.length)
        n_said = round(n_wanted * SPEEDS[cut.speed])
        samples = self.recordings[cut.recording].samples[cut.start : cut.start + n_said]
        said = (samples / 32768).astype(np.float32)
        if SPEEDS[cut.speed] == 1:
            return said
        received = soxr.resample(said, RATE_HZ * SPEEDS[cut.speed], RATE_HZ)[:n_wanted]
        return np.pad(received, (0, n_wanted - len(received))).astype(np.float32)

    def hours(self) -> float:
        """Of clips at their own speed."""
        return sum(LENGTHS_S[cut.length] for cut in self.cuts if cut.speed == 0) / 3600


def n_samples(length: int) -> int:
    """Samples of a clip of a length, a whole number of the encoder's states."""
    return round(LENGTHS_S[length] * 50) * RATE_HZ // 50


def read_material(
    sources: Sequence[Path],
    settings: Settings,
    *,
    seed: int,
    made: Iterable[tuple[str, FloatArray]] = (),
    channels: Mapping[str, int | None] = NOTHING_KNOWN,
    on_file: Callable[[int, int], None] = lambda _done, _total: None,
) -> Material:
    """Clips of all recordings below some folders.

    A recording of two channels is a call: only the customer's channel is used, where the
    settings' voice activity finds speech. Of one channel everything but silence is used, unless
    the settings say that it is the agent's. What is known of a recording goes before the settings.

    Args:
        sources: folders, or files
        settings: of the analysis, and which channel is the customer's
        seed: of where long intervals are cut
        made: names of voices and samples at `RATE_HZ`, of speech that is no recording
        channels: by recording id the channel that may be used, None for none of it
        on_file: called with how many files are read, of how many

    Raises:
        CorpusError: if there is no audio, or a file cannot be read
    """
    files = [(source, path) for source in sources for path in audio_files(source)]
    if not files:
        raise CorpusError(f"no audio lies in {', '.join(str(source) for source in sources)}")
    recordings: dict[str, Recording] = {}
    for number, (source, path) in enumerate(files, start=1):
        recording = _recording(source, path, settings, channels)
        if recording is not None and len(recording.intervals):
            recordings.setdefault(recording.content, recording)
        on_file(number, len(files))
    for voice, samples in made:
        recording = _made(voice, samples)
        recordings.setdefault(recording.content, recording)
    found = tuple(recordings.values())
    if not found:
        raise CorpusError("no speech was found in the recordings")
    return Material(found, *_cut_up(found, seed))


def _cut_up(found: Sequence[Recording], seed: int) -> tuple[tuple[Cut, ...], str]:
    """Clips of recordings, and a digest of both."""
    held_out = held_out_groups([recording.group for recording in found])
    cuts: list[Cut] = []
    for number, recording in enumerate(found):
        rng = np.random.default_rng([seed, *bytes.fromhex(recording.content)])
        for speed in range(1 if recording.group in held_out else len(SPEEDS)):
            for start_s, end_s in recording.intervals:
                span = (round(start_s * RATE_HZ), round(end_s * RATE_HZ))
                for start, length in _places(*span, SPEEDS[speed], rng):
                    cuts.append(Cut(length, number, start, speed, recording.group in held_out))
    whole = hashlib.blake2b(digest_size=16)
    for recording in found:
        whole.update(bytes.fromhex(recording.content))
    whole.update(repr((sorted(cuts), LENGTHS_S, SPEEDS)).encode())
    return tuple(sorted(cuts)), whole.hexdigest()


def audio_files(source: Path) -> list[Path]:
    """Audio files at or below a path, in their order."""
    if source.is_file():
        return [source]
    return sorted(p for p in source.rglob("*") if p.suffix.lower() in AUDIO_ENDINGS)


def held_out_groups(groups: Sequence[str]) -> set[str]:
    """Groups that are never trained on: a twentieth, at least one of each kind that is plenty.

    A group's kind is what its name begins with, up to the colon.
    """
    kinds: dict[str, list[str]] = {}
    for group in sorted(set(groups), key=_lot):
        kinds.setdefault(group.partition(":")[0], []).append(group)
    chosen: set[str] = set()
    for members in kinds.values():
        n_wanted = max(round(HELD_OUT_SHARE * len(members)), 1) if len(members) > 4 else 0
        chosen.update(members[:n_wanted])
    return chosen or {min(set(groups), key=_lot)} if len(set(groups)) > 1 else set()


def _lot(group: str) -> bytes:
    return hashlib.blake2b(group.encode(), digest_size=8).digest()


def _recording(
    source: Path, path: Path, settings: Settings, channels: Mapping[str, int | None]
) -> Recording | None:
    """A recording as it may be used; None if it may not."""
    try:
        n_channels = soundfile.info(path).channels
        content = content_id(path)
        channel = _channel(channels.get(content, UNKNOWN), n_channels, settings)
        if channel is None:
            return None
        if n_channels == 2:
            samples, intervals = _one_side(path, channel, settings)
        else:
            samples, rate_hz = soundfile.read(path, dtype="float32", always_2d=True)
            samples = soxr.resample(samples.mean(axis=1), rate_hz, RATE_HZ)
            intervals = loud_intervals(samples)
    except (FileError, soundfile.LibsndfileError) as error:
        raise CorpusError(f"{path} cannot be read: {error}") from error
    speakers = [clip.speaker for c in CORPORA.values() if (clip := c.parse(path)) is not None]
    group = speakers[0] if speakers else f"{source.name}:{content}"
    return Recording(_in_16_bits(samples), group, content, source.name, intervals)


def _channel(known: int | None, n_channels: int, settings: Settings) -> int | None:
    """The channel that may be used: what is known of the recording, else what the settings say."""
    if known != UNKNOWN:
        return known
    if n_channels != 2:
        return None if settings.roles.single_channel == "agent" else 0
    roles = settings.roles.channels
    return roles.index("customer") if "customer" in roles else None


def _made(voice: str, samples: FloatArray) -> Recording:
    whole = _in_16_bits(samples)
    content = hashlib.blake2b(whole.tobytes(), digest_size=16).hexdigest()
    intervals = np.array([[0.0, len(whole) / RATE_HZ]])
    return Recording(whole, f"{MADE}:{voice}", content, MADE, intervals)


def _in_16_bits(samples: FloatArray) -> NDArray[np.int16]:
    return np.rint(np.clip(samples, -1, 1) * 32767).astype(np.int16)


def _one_side(path: Path, channel: int, settings: Settings) -> tuple[FloatArray, DoubleArray]:
    """One channel of a call at `RATE_HZ`, and where somebody speaks on it."""
    audio = read_audio(path, settings.audio)
    analysed = analyse_calls([audio], settings)[0].channels
    samples = at_rate(audio, RATE_HZ).samples
    if len(analysed) != len(samples):  # both sides in one channel, twice
        return np.zeros(0, np.float32), np.zeros((0, 2))
    return samples[channel], analysed[channel].segments


def loud_intervals(signal: FloatArray) -> DoubleArray:
    """Where a clean recording is not silent, seconds, shape (n, 2)."""
    size = int(FRAME_S * RATE_HZ)
    n_frames = len(signal) // size
    if not n_frames:
        return np.zeros((0, 2))
    power = np.square(signal[: n_frames * size].reshape(n_frames, size)).mean(axis=1)
    loud = power > max(np.percentile(power, 98) * 10 ** (-QUIET_DB / 10), 1e-9)
    found = merge_gaps(from_mask(loud, FRAME_S), LEAST_GAP_S)
    wider: DoubleArray = np.clip(found + np.array([-MARGIN_S, MARGIN_S]), 0, len(signal) / RATE_HZ)
    return wider


def _places(start: int, end: int, speed: float, rng: np.random.Generator) -> list[tuple[int, int]]:
    """First sample and length of the clips of an interval, one after the other.

    An interval no longer than the longest clip is one clip; a longer one is cut at random lengths.
    """
    places: list[tuple[int, int]] = []
    longest = len(LENGTHS_S) - 1
    while True:
        left = (end - start) / speed
        fitting = [length for length in range(longest + 1) if n_samples(length) <= left]
        if not fitting:
            return places
        length = fitting[-1]
        if length == longest and left > n_samples(longest):
            length = int(rng.integers(longest // 3, longest + 1))
        places.append((start, length))
        start += round(n_samples(length) * speed)
