"""Whether labels and corpora are enough to train on; emotions with too few labels are left out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ser_batch.config import RetrainSettings, Settings
from ser_batch.corpora import read_corpus
from ser_batch.corpora.base import Clip, one_of_each_content
from ser_batch.errors import SettingsError, TooFewLabelsError
from ser_batch.store.lake import Lake
from ser_batch.training.material import Material, gather

LEAST_CALLERS = 2
"""Callers that must name an emotion, so that it can be learned and tested on different ones."""


@dataclass(frozen=True)
class TrainingInput:
    """What a challenger is trained on.

    Attributes:
        material: the labels, without the emotions that are left out
        clips: of the corpora
        settings: with every emotion that is left out in `retrain.leave_out`
        too_few: emotions that are left out for want of labels, with the numbers in words
    """

    material: Material
    clips: list[Clip]
    settings: Settings
    too_few: dict[str, str]


def gather_enough(lake: Lake, settings: Settings) -> TrainingInput:
    """Labels and corpora, without the emotions that have too few labels.

    Raises:
        TooFewLabelsError: if too little is left, with every number that is too small
        SettingsError: if corpora are named, but no folder
        CorpusError: if a corpus is not there
    """
    clips = corpora_clips(settings.retrain)
    material = gather(lake, settings)
    too_few = rare_emotions(material, clips, settings.retrain)
    if too_few:
        settings = leaving_out(settings, too_few)
        material = gather(lake, settings)
    _check_enough(material, clips, settings.retrain, too_few)
    return TrainingInput(material, clips, settings, too_few)


def corpora_clips(settings: RetrainSettings) -> list[Clip]:
    """Clips of the corpora that are trained on too, without exact duplicates.

    Raises:
        SettingsError: if corpora are named, but no folder
        CorpusError: if a corpus is not there
    """
    return one_of_each_content(listed_clips(settings))


def listed_clips(settings: RetrainSettings) -> list[Clip]:
    """Clips of the corpora that are trained on too; no file of them is read.

    Raises:
        SettingsError: if corpora are named, but no folder
        CorpusError: if a corpus is not there
    """
    if not settings.corpora:
        return []
    if settings.corpora_folder is None:
        raise SettingsError("retrain.corpora names corpora, retrain.corpora_folder no folder")
    folder = Path(settings.corpora_folder)
    weights = settings.corpus_weights
    chosen = [name for name in settings.corpora if weights.get(name, 1) > 0]
    clips = [clip for name in chosen for clip in read_corpus(folder, name)]
    return [clip for clip in clips if clip.emotion not in settings.leave_out]


def rare_emotions(
    material: Material, clips: Sequence[Clip], settings: RetrainSettings
) -> dict[str, str]:
    """Labelled emotions that no corpus holds and too few labels name, with the numbers."""
    learnt, counts = material.learnt_from, material.counts
    rare = {}
    for emotion in sorted(set(learnt.classes) - {clip.emotion for clip in clips}):
        callers = {s for s, e in zip(learnt.speakers, learnt.emotions, strict=True) if e == emotion}
        if counts[emotion] < settings.min_labels or len(callers) < LEAST_CALLERS:
            rare[emotion] = (
                f"{emotion} has {counts[emotion]:g} labels of {len(callers)} callers, "
                f"{settings.min_labels} of {LEAST_CALLERS} are needed"
            )
    return rare


def leaving_out(settings: Settings, emotions: Iterable[str]) -> Settings:
    """The settings with more emotions in `retrain.leave_out`."""
    names = tuple(sorted({*settings.retrain.leave_out, *emotions}))
    retrain = settings.retrain.model_copy(update={"leave_out": names})
    return settings.model_copy(update={"retrain": retrain})


def _check_enough(
    material: Material,
    clips: Sequence[Clip],
    settings: RetrainSettings,
    too_few: Mapping[str, str],
) -> None:
    n_callers = len(set(material.segments.speakers))
    problems = []
    if n_callers < settings.min_callers:
        problems.append(f"labels come from {n_callers} callers, {settings.min_callers} are needed")
    if len({clip.emotion for clip in clips}.union(material.counts)) < 2:
        problems.append("at least two emotions are needed")
    if problems:
        raise TooFewLabelsError([*problems, *too_few.values()])
