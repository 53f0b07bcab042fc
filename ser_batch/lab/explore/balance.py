"""Who speaks how in corpora, alone and mixed, and which recordings are in them twice."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ser_batch.corpora.base import Clip
from ser_batch.training.describe import decoded

TOGETHER = "together"


@dataclass(frozen=True)
class Sound:
    """What the samples of a clip say.

    Attributes:
        content: digest of the samples as 16-bit integers, without the silence around them
        duration_s: of the samples, seconds
    """

    content: str
    duration_s: float


def read_sounds(clips: Sequence[Clip], on_clip: Callable[[], None]) -> list[Sound]:
    """Decode clips.

    Args:
        clips: labelled recordings
        on_clip: called after each clip, for a progress bar

    Raises:
        CorpusError: if a clip cannot be decoded
    """
    sounds = []
    for clip in clips:
        samples, rate_hz = decoded(clip, clip.path.read_bytes())
        whole = (samples * 32767).astype("<i2").tobytes()
        content = hashlib.blake2b(whole, digest_size=16).hexdigest()
        sounds.append(Sound(content, len(samples) / rate_hz))
        on_clip()
    return sounds


def balance(
    clips_of: Mapping[str, Sequence[Clip]], sounds_of: Mapping[str, Sequence[Sound]]
) -> dict[str, dict[str, Any]]:
    """Counts by corpus, and of all corpora together where there are several.

    Args:
        clips_of: clips by corpus
        sounds_of: the sounds of these clips, in the same order

    Returns:
        by corpus: n_clips, minutes of speech, n_speakers, women, men, most_of_one_speaker (share
        of the clips), emotions (clips by emotion) and speakers_of (speakers by emotion)
    """
    found = {name: _counts(clips, sounds_of[name]) for name, clips in clips_of.items()}
    if len(clips_of) > 1:
        every = [clip for clips in clips_of.values() for clip in clips]
        sounds = [sound for name in clips_of for sound in sounds_of[name]]
        found[TOGETHER] = _counts(every, sounds)
    return found


def _counts(clips: Sequence[Clip], sounds: Sequence[Sound]) -> dict[str, Any]:
    by_speaker = Counter(clip.speaker for clip in clips)
    sexes = Counter({clip.speaker: clip.sex for clip in clips}.values())
    speakers_of: dict[str, set[str]] = defaultdict(set)
    for clip in clips:
        speakers_of[clip.emotion].add(clip.speaker)
    return {
        "n_clips": len(clips),
        "minutes": sum(sound.duration_s for sound in sounds) / 60,
        "n_speakers": len(by_speaker),
        "women": sexes["female"],
        "men": sexes["male"],
        "most_of_one_speaker": max(by_speaker.values()) / len(clips),
        "emotions": dict(sorted(Counter(clip.emotion for clip in clips).items())),
        "speakers_of": {name: len(who) for name, who in sorted(speakers_of.items())},
    }


def duplicates(
    clips_of: Mapping[str, Sequence[Clip]], sounds_of: Mapping[str, Sequence[Sound]]
) -> list[dict[str, Any]]:
    """Clips with the same samples, whatever their files are called.

    Returns:
        a row a sound: paths, whether the emotions and whether the speakers agree; those that
        contradict each other first
    """
    same: dict[str, list[Clip]] = defaultdict(list)
    for name, clips in clips_of.items():
        for clip, sound in zip(clips, sounds_of[name], strict=True):
            same[sound.content].append(clip)
    rows = [
        {
            "paths": [str(clip.path) for clip in clips],
            "same_emotion": len({clip.emotion for clip in clips}) == 1,
            "same_speaker": len({clip.speaker for clip in clips}) == 1,
        }
        for clips in same.values()
        if len(clips) > 1
    ]
    return sorted(rows, key=lambda row: (row["same_emotion"], row["same_speaker"], row["paths"]))
