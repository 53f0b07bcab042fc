"""Diarization of two speakers in one channel, by clustering.

The timbre and pitch of short pieces of speech are clustered; a mixture of Gaussians for each
cluster then decides again for each frame, with a penalty on every change of speaker. Everything is
learnt from the one call and forgotten with it: nothing that identifies a person is stored.

Source: clustering and Viterbi resegmentation, as in Tranter and Reynolds (2006), "An overview
of automatic speaker diarization systems", without their background model.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import scipy

from ser_batch.arrays import BoolArray, DoubleArray, FloatArray, IntArray
from ser_batch.audio import filters
from ser_batch.audio.intervals import intervals, lengths, min_duration, to_mask

HOP_S = 0.02
WINDOW_S, PITCH_WINDOW_S = 0.032, 0.064
BAND_HZ, N_BANDS = (120.0, 3900.0), 24
N_CEPSTRA = 14
PITCH_HZ = (65.0, 400.0)
VOICED = 0.5
"""Autocorrelation from which a frame is voiced."""

PIECE_S = 2.0
"""s; longest piece that is clustered as one speaker's."""
PITCH_WEIGHT, LEVEL_WEIGHT = 6.0, 0.3
"""Of an octave and of a natural logarithm of power, beside the cepstra's own spread."""
N_GAUSSIANS = 4
SPEAKER_CHANGE_PENALTY = 30.0
"""Log likelihood that a change of speaker must win; a third of it after a pause."""
PAUSE_S = 0.2
N_ROUNDS = 4
LEAST_S = 1.0
"""s; a speaker with less speech is none."""
FIRST_S = 0.5
"""s; a shorter sound at the start of a call, a click or a breath, is not its first word."""
CLEAR_MARGIN = 2.5
"""Mean difference of log likelihood a frame at which the two are clearly distinguished."""


@dataclass(frozen=True)
class Separation:
    """Who speaks when in one channel.

    Attributes:
        speakers: speech of each, seconds, shape (n, 2) each; the first to say a word first
        confidence: how clearly the voices differ, 0..1; 0 where there is only one
    """

    speakers: tuple[DoubleArray, ...]
    confidence: float

    def is_clear(self, least_confidence: float) -> bool:
        """Whether there are two speakers, distinguished well enough."""
        return len(self.speakers) > 1 and self.confidence >= least_confidence


def separate(
    signal: FloatArray, sample_rate: int, bursts: DoubleArray, *, n_speakers: int = 2
) -> Separation:
    """Assign each interval of speech to one of the speakers.

    Args:
        signal: mono samples, shape (n_samples,)
        sample_rate: Hz
        bursts: speech, seconds, shape (n, 2), in order
        n_speakers: how many speak

    Returns:
        one speaker where there is too little speech to distinguish two
    """
    pieces = _pieces(bursts)
    if n_speakers < 2 or lengths(bursts).sum() < n_speakers * LEAST_S or len(pieces) <= n_speakers:
        return Separation((bursts,), 0.0)
    voice = _voice(signal, sample_rate)
    speech = np.flatnonzero(to_mask(bursts, len(voice.cepstra), HOP_S))
    speaker = np.full(len(voice.cepstra), -1)
    for (start, stop), label in zip(pieces, _clustered(voice, pieces, n_speakers), strict=True):
        speaker[round(start / HOP_S) : round(stop / HOP_S)] = label
    described = _described(voice, speech)
    likelihood = np.zeros((len(speech), n_speakers))
    for _ in range(N_ROUNDS):
        likelihood = _likelihood(described, speaker[speech], n_speakers)
        speaker[speech] = _best_path(likelihood, speech)
    return _separation(speaker, bursts, likelihood, n_speakers)


@dataclass(frozen=True)
class _Voice:
    """Timbre, pitch and voicing of each 20 ms of a channel.

    Attributes:
        cepstra: shape (n_frames, N_CEPSTRA); the first is the level
        octave: log2 of the pitch over 100 Hz, shape (n_frames,)
        voiced: shape (n_frames,)
    """

    cepstra: FloatArray
    octave: FloatArray
    voiced: BoolArray


def _voice(signal: FloatArray, sample_rate: int) -> _Voice:
    """Mel cepstra and the pitch by autocorrelation.

    Source of the pitch: Boersma (1993), without the path search.
    """
    hop, n_window = round(HOP_S * sample_rate), round(WINDOW_S * sample_rate)
    n_frames = len(signal) // hop
    spectrum = scipy.fft.rfft(_frames(signal, n_window, hop, n_frames), axis=1)
    bands = filters.mel(sample_rate, n_window, N_BANDS, *BAND_HZ, is_htk=True)
    mel = np.square(np.abs(spectrum)) @ bands
    cepstra = scipy.fft.dct(np.log(mel + 1e-7), axis=1, norm="ortho")[:, :N_CEPSTRA]
    n_pitch = round(PITCH_WINDOW_S * sample_rate)
    lags = slice(round(sample_rate / PITCH_HZ[1]), round(sample_rate / PITCH_HZ[0]))
    power = np.square(
        np.abs(scipy.fft.rfft(_frames(signal, n_pitch, hop, n_frames), 2 * n_pitch, axis=1))
    )
    correlation = scipy.fft.irfft(power, axis=1)[:, : lags.stop]
    window = scipy.signal.get_window("hann", n_pitch)
    of_window = scipy.fft.irfft(np.square(np.abs(scipy.fft.rfft(window, 2 * n_pitch))))[: lags.stop]
    correlation /= (correlation[:, :1] + 1e-9) * (of_window / of_window[0])
    best = correlation[:, lags].argmax(axis=1) + lags.start
    return _Voice(
        cepstra=cepstra.astype(np.float32),
        octave=np.log2(sample_rate / best / 100).astype(np.float32),
        voiced=correlation[np.arange(n_frames), best] >= VOICED,
    )


def _frames(signal: FloatArray, n_window: int, hop: int, n_frames: int) -> FloatArray:
    """Windowed frames, centred on the middle of each hop, shape (n_frames, n_window)."""
    padded = np.pad(signal, (n_window - hop) // 2 + n_window)
    first = n_window
    frames = np.lib.stride_tricks.sliding_window_view(padded[first:], n_window)[::hop][:n_frames]
    return np.asarray(frames * scipy.signal.get_window("hann", n_window), np.float32)


def _pieces(bursts: DoubleArray) -> list[tuple[float, float]]:
    """Bursts in equal pieces no longer than `PIECE_S`."""
    pieces = []
    for start, stop in bursts.tolist():
        edges = np.linspace(start, stop, int(np.ceil((stop - start) / PIECE_S)) + 1)
        pieces += list(pairwise(edges.tolist()))
    return [piece for piece in pieces if piece[1] - piece[0] >= 2 * HOP_S]


def _clustered(voice: _Voice, pieces: list[tuple[float, float]], n_speakers: int) -> IntArray:
    """Cluster of each piece, shape (n_pieces,)."""
    from sklearn.cluster import KMeans  # noqa: PLC0415  a second to import

    timbre, pitch, level = [], [], []
    for start, stop in pieces:
        frames = slice(round(start / HOP_S), round(stop / HOP_S))
        cepstra, voiced = voice.cepstra[frames], voice.voiced[frames]
        loud = cepstra[:, 0] >= np.median(cepstra[:, 0])
        timbre.append(cepstra[loud, 1:].mean(axis=0))
        pitch.append(np.median(voice.octave[frames][voiced]) if voiced.sum() >= 3 else np.nan)
        level.append(cepstra[:, 0].mean())
    octave = np.array(pitch)
    octave = np.where(np.isnan(octave), np.nanmedian(octave) if len(octave) else 0.0, octave)
    spread = np.mean(np.std(timbre, axis=0)) + 1e-9
    points = np.column_stack(
        [
            np.array(timbre) / spread,
            PITCH_WEIGHT * np.nan_to_num(octave),
            LEVEL_WEIGHT * np.array(level),
        ]
    )
    labels = KMeans(n_speakers, n_init=5, random_state=0).fit_predict(points)
    return np.asarray(labels, np.int64)


def _described(voice: _Voice, speech: IntArray) -> DoubleArray:
    """Each speech frame as a point of unit spread, shape (n_speech, N_CEPSTRA + 1)."""
    points = np.column_stack([voice.cepstra, voice.octave * voice.voiced])[speech]
    return np.asarray((points - points.mean(axis=0)) / (points.std(axis=0) + 1e-9), np.float64)


def _likelihood(described: DoubleArray, speaker: IntArray, n_speakers: int) -> DoubleArray:
    """Log likelihood of each frame under each speaker's own mixture."""
    from sklearn.exceptions import ConvergenceWarning  # noqa: PLC0415
    from sklearn.mixture import GaussianMixture  # noqa: PLC0415

    likelihood = np.full((len(described), n_speakers), -1e3)
    for number in range(n_speakers):
        own = described[speaker == number]
        if len(own) * HOP_S >= LEAST_S:
            mixture = GaussianMixture(
                min(N_GAUSSIANS, 1 + len(own) // 50),
                covariance_type="diag",
                reg_covar=0.01,
                max_iter=30,
                random_state=0,
            )
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", ConvergenceWarning)
                likelihood[:, number] = mixture.fit(own).score_samples(described)
    return likelihood


def _best_path(likelihood: DoubleArray, speech: IntArray) -> IntArray:
    """The speakers of all frames that make the call likeliest, changes paid for (Viterbi)."""
    n_frames, n_speakers = likelihood.shape
    after_pause = np.diff(speech, prepend=speech[0]) * HOP_S > PAUSE_S
    penalty = np.where(after_pause, SPEAKER_CHANGE_PENALTY / 3, SPEAKER_CHANGE_PENALTY)
    came_from = np.zeros((n_frames, n_speakers), np.int64)
    score = likelihood[0].copy()
    for frame in range(1, n_frames):
        best = int(score.argmax())
        changed = score[best] - penalty[frame]
        stays = score >= changed
        came_from[frame] = np.where(stays, np.arange(n_speakers), best)
        score = np.where(stays, score, changed) + likelihood[frame]
    path = np.empty(n_frames, np.int64)
    path[-1] = score.argmax()
    for frame in range(n_frames - 1, 0, -1):
        path[frame - 1] = came_from[frame, path[frame]]
    return path


def _separation(
    speaker: IntArray, bursts: DoubleArray, likelihood: DoubleArray, n_speakers: int
) -> Separation:
    """The intervals of each speaker, and how clearly they differ."""
    spoken: list[list[tuple[float, float]]] = [[] for _ in range(n_speakers)]
    for begin, end in bursts.tolist():
        first = round(begin / HOP_S)
        labels = speaker[first : round(end / HOP_S)]
        if not len(labels):
            continue  # shorter than a frame
        changes = np.flatnonzero(np.diff(labels)) + 1
        edges = [begin, *((first + changes) * HOP_S).tolist(), end]
        for label, piece in zip(labels[[0, *changes]].tolist(), pairwise(edges), strict=True):
            spoken[label].append(piece)
    speakers = [intervals(pieces) for pieces in spoken]
    if min(lengths(own).sum() for own in speakers) < LEAST_S:
        return Separation((bursts,), 0.0)
    ordered = np.sort(likelihood, axis=1)
    margin = float(np.mean(ordered[:, -1] - ordered[:, -2]))
    chosen = speaker[speaker >= 0]
    agreed = float(np.mean(likelihood.argmax(axis=1) == chosen))
    confidence = min(margin / CLEAR_MARGIN, 1.0) * max(2 * agreed - 1, 0.0)
    return Separation(tuple(sorted(speakers, key=_first_word_s)), confidence)


def _first_word_s(speech: DoubleArray) -> float:
    """When a speaker's first word begins, seconds."""
    words = min_duration(speech, FIRST_S)
    return float(words[0, 0]) if len(words) else float("inf")
