"""Batches of clips of one length over ever new lines; each is drawn from its number alone."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from ser_batch.arrays import DoubleArray, FloatArray
from ser_batch.audio.channel_simulator import ChannelRanges, simulate_channel
from ser_batch.audio.telephone import TELEPHONE_RATE_HZ
from ser_batch.features.encoders.mel import levelled, log_mel
from ser_batch.lab.distill.material import LENGTHS_S, RATE_HZ, Material, audio_files
from ser_batch.lab.distill.targets import Targets

AHEAD = 3
VOTED_WEIGHT = 2.0
"""How much more often a clip with votes is used."""

BABBLE_SHARE = 0.35
"""Of the surroundings that are other voices."""

N_VOICES = 3


@dataclass(frozen=True)
class Batch:
    """Clips of one length.

    Attributes:
        spectra: of their telephone copies, shape (n_clips, n_frames, n_mels)
        states: what the teacher says of them, shape (n_clips, n_states, n_blocks, width)
        shares: of their listeners by perceived emotion, NaN where nobody voted, shape (n_clips,
            n_classes); None: no votes are learnt
    """

    spectra: FloatArray
    states: NDArray[np.float16]
    shares: FloatArray | None = None


class Batches:
    """Batches by number.

    Args:
        material: the clips
        targets: what the teacher says of them
        noises: sounds at 8 kHz that may lie behind them
        n_mels: lowest bands that are read
        seconds: of speech in a batch
        seed: of everything that is drawn
        shares: of each clip's listeners, see `votes.vote_shares`; None: no votes are learnt
    """

    def __init__(
        self,
        material: Material,
        targets: Targets,
        noises: Sequence[FloatArray],
        *,
        n_mels: int,
        seconds: float,
        seed: int,
        shares: FloatArray | None = None,
    ) -> None:
        self._material, self._targets, self._noises = material, targets, noises
        self._n_mels, self._seconds, self._seed = n_mels, seconds, seed
        self.shares = shares
        self._by_length, self._chances = _weights(material, shares)

    def since(self, first: int) -> Generator[Batch, None, None]:
        """Batches from a number on, made ahead of their use; without end."""
        with ThreadPoolExecutor(1) as pool:
            waiting = [pool.submit(self.batch, first + ahead) for ahead in range(AHEAD)]
            number = first + AHEAD
            while True:
                batch = waiting.pop(0).result()
                waiting.append(pool.submit(self.batch, number))
                number += 1
                yield batch

    def batch(self, number: int) -> Batch:
        """A batch of clips that are trained on."""
        rng = np.random.default_rng([self._seed, number])
        chances = np.array([chance.sum() for chance in self._chances])
        length = int(rng.choice(len(chances), p=chances / chances.sum()))
        clips, chance = self._by_length[length], self._chances[length]
        n_clips = max(round(self._seconds / LENGTHS_S[length]), 2)
        chosen = rng.choice(clips, n_clips, p=chance / chance.sum())
        return self._of(chosen, rng)

    def held_out(self) -> list[Batch]:
        """Every clip that is never trained on, always over the same line."""
        cuts = self._material.cuts
        batches = []
        for length in sorted({cut.length for cut in cuts if cut.held_out}):
            numbers = [i for i, c in enumerate(cuts) if c.held_out and c.length == length]
            rng = np.random.default_rng([self._seed, length])
            size = max(round(self._seconds / LENGTHS_S[length]), 1)
            batches += [
                self._of(np.array(numbers[first : first + size]), rng)
                for first in range(0, len(numbers), size)
            ]
        return batches

    def _of(self, clips: NDArray[np.int64], rng: np.random.Generator) -> Batch:
        clean = [self._material.clip(int(clip)) for clip in clips]
        spectra = []
        for signal in clean:
            surroundings: Sequence[FloatArray] = self._noises
            if not len(surroundings) or rng.random() < BABBLE_SHARE:
                surroundings = [_babble(clean, rng)]
            received = simulate_channel(signal, RATE_HZ, ChannelRanges(), rng, surroundings)
            spectra.append(levelled(log_mel(received, TELEPHONE_RATE_HZ))[:, : self._n_mels])
        states = np.stack([self._targets.of(int(clip)) for clip in clips])
        shares = None if self.shares is None else self.shares[clips]
        return Batch(np.stack(spectra), states, shares)


def read_noises(folder: Path | None) -> list[FloatArray]:
    """Sounds below a folder, at the telephone's rate; none without a folder."""
    if folder is None:
        return []
    noises = []
    for path in audio_files(folder):
        samples, rate_hz = soundfile.read(path, dtype="float32", always_2d=True)
        noises.append(soxr.resample(samples.mean(axis=1), rate_hz, TELEPHONE_RATE_HZ))
    return noises


def _babble(clean: Sequence[FloatArray], rng: np.random.Generator) -> FloatArray:
    """Some of the batch's own voices at once, at the telephone's rate."""
    voices = [clean[int(i)] for i in rng.choice(len(clean), min(N_VOICES, len(clean)))]
    levels = [max(float(np.sqrt(np.mean(np.square(voice)))), 1e-6) for voice in voices]
    mixed = np.sum([v / level for v, level in zip(voices, levels, strict=True)], axis=0)
    return np.asarray(soxr.resample(mixed, RATE_HZ, TELEPHONE_RATE_HZ, "LQ"), np.float32)


def _weights(
    material: Material, shares: FloatArray | None
) -> tuple[list[NDArray[np.int64]], list[DoubleArray]]:
    """Clips of each length that are trained on, and how often each is used.

    A source is used in proportion to the square root of its hours, so that no source drowns others;
    clips with votes `VOTED_WEIGHT` times as often.
    """
    voted = np.zeros(len(material.cuts), np.bool_)
    if shares is not None:
        voted[:] = ~np.isnan(shares).any(axis=1)
    sources = [material.recordings[cut.recording].source for cut in material.cuts]
    seconds: dict[str, float] = {}
    for cut, source in zip(material.cuts, sources, strict=True):
        seconds[source] = seconds.get(source, 0.0) + LENGTHS_S[cut.length]
    by_length: list[list[int]] = [[] for _ in LENGTHS_S]
    for number, cut in enumerate(material.cuts):
        if not cut.held_out:
            by_length[cut.length].append(number)
    chances = [
        np.array([LENGTHS_S[length] * seconds[sources[clip]] ** -0.5 for clip in clips])
        * np.where(voted[clips], VOTED_WEIGHT, 1.0)
        for length, clips in enumerate(by_length)
    ]
    return [np.array(clips, np.int64) for clips in by_length], chances
