"""The call-level benchmark: the product's decisions on simulated calls whose truth is known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ser_batch.config import Settings
from ser_batch.corpora import CORPORA, GUIDED_CHOICES, installed, read_corpus
from ser_batch.corpora.base import Clip, one_of_each_content
from ser_batch.corpora.labels import read_labels
from ser_batch.errors import CorpusError
from ser_batch.features.dataset import Dataset
from ser_batch.features.encoders.local import exposed_corpora, voted_corpora
from ser_batch.lab.bench.analysed_calls import AnalysedCall
from ser_batch.lab.bench.call_figures import as_json, call_figures, seed_figures
from ser_batch.lab.bench.context import compare
from ser_batch.lab.bench.flag import tune_flag
from ser_batch.lab.bench.scored_calls import Benchmark, ScoredCall, call_result
from ser_batch.lab.bench.simulated_calls import voices_of
from ser_batch.scoring.alignment import aligned
from ser_batch.scoring.bundle import Bundle
from ser_batch.scoring.predictor import Predictor, columns
from ser_batch.training.fit import Recipe, train
from ser_batch.training.setup import TrainingSetup
from ser_batch.training.splits import check_no_leakage, speaker_folds

N_FOLDS = 5
UNSEEN_SPEAKERS = "unseen speakers"
UNSEEN_CORPORA = "unseen corpora"
ALIGNED = "unseen corpora, aligned"
"""Fitted to the unlabelled calls of the other half of each corpus (`ser-batch models align`)."""


@dataclass(frozen=True)
class Task:
    """Which model is measured, and on which corpora.

    Attributes:
        corpora: folder below which each corpus has its own
        bundle: a finished model; None: one is trained
        train_on: corpora to train on instead
        test_on: corpora of the unseen calls; none: all that are there
        labels: tables of clips that are one more unseen corpus each
        setup: how a model is trained
    """

    corpora: Path
    bundle: Bundle | None = None
    train_on: tuple[str, ...] = ()
    test_on: tuple[str, ...] = ()
    labels: tuple[Path, ...] = ()
    setup: TrainingSetup = field(default_factory=TrainingSetup.choose)

    @property
    def trained_on(self) -> tuple[str, ...]:
        """Corpora of the model."""
        if self.bundle is None:
            return tuple(sorted(self.train_on))
        return tuple(sorted(str(entry["corpus"]) for entry in self.bundle.manifest.training))


@dataclass(frozen=True)
class Setting:
    """Which calls a model was applied to.

    Attributes:
        name: unseen speakers, unseen corpora, or the latter with an aligned model
        trained_on: corpora of the model
        scored: calls of each seed
    """

    name: str
    trained_on: tuple[str, ...]
    scored: list[list[ScoredCall]] = field(repr=False)


def measure(
    task: Task, benchmark: Benchmark, *, tune: bool, context: bool = False
) -> dict[str, Any]:
    """Figures of every setting.

    Args:
        task: which model, and which corpora
        benchmark: how calls are simulated
        tune: also look for better levels of the flag, on unseen corpora
        context: also a head that judges a segment within its call, where a model is trained

    Returns:
        JSON-able: ours, as `figures_of` gives them; flag, as `tune_flag` gives it; context, as
        `context.compare` gives it

    Raises:
        CorpusError: if a corpus is not there, or no call can be simulated from it
    """
    settings, feature_set = benchmark.settings, benchmark.feature_set.name
    found = run(task, benchmark)
    ours = [figures_of(one, settings, feature_set) for one in found]
    result: dict[str, Any] = {"ours": ours, "peers": {}, "ratios": {}}
    if context:
        by_name = {one.name: [call for some in one.scored for call in some] for one in found}
        if not {UNSEEN_SPEAKERS, UNSEEN_CORPORA} <= by_name.keys():
            raise CorpusError("a head over calls is trained: name corpora by --train and --test")
        trained, tested = by_name[UNSEEN_SPEAKERS], by_name[UNSEEN_CORPORA]
        result["context"] = compare(trained, tested, settings)
    for one in found:
        if tune and one.name == UNSEEN_CORPORA:
            result["flag"] = tune_flag(one.scored, settings.dissatisfaction)
    return result


def run(task: Task, benchmark: Benchmark) -> list[Setting]:
    """Score simulated calls; every corpus is checked before anything is computed.

    Args:
        task: which model, and which corpora
        benchmark: how calls are simulated

    Returns:
        unseen speakers, where a model is trained; unseen corpora, as it is and aligned

    Raises:
        CorpusError: if a corpus is not there, or no call can be simulated from it
    """
    own = [clip for name in task.train_on for clip in read_corpus(task.corpora, name)]
    unseen = _unseen_clips(task)
    own_voices = voices_of(own) if own else None
    unseen_voices = voices_of(unseen) if unseen else None
    found = []
    trained_on = task.trained_on
    if own_voices:
        recipe = task.setup.recipe
        clips = one_of_each_content(own)
        dataset = task.setup.describe(clips, on_progress=benchmark.on_progress)
        scored = _by_unseen_models(benchmark, benchmark.calls(own_voices), dataset, recipe)
        found.append(Setting(UNSEEN_SPEAKERS, trained_on, scored))
        predictor = train(dataset, recipe)
    else:
        assert task.bundle is not None
        predictor = task.bundle.predictor
    if unseen_voices:
        calls = benchmark.calls(unseen_voices)
        plain = [benchmark.scored(predictor, some) for some in calls]
        fitted = [_by_aligned_models(benchmark, predictor, some) for some in calls]
        found += [Setting(UNSEEN_CORPORA, trained_on, plain), Setting(ALIGNED, trained_on, fitted)]
    return found


def _unseen_clips(task: Task) -> list[Clip]:
    """Clips of the corpora that the model was not trained on."""
    if task.test_on:
        clips = [clip for name in task.test_on for clip in read_corpus(task.corpora, name)]
    elif task.labels:
        clips = []
    else:
        others = installed(task.corpora, CORPORA.keys() - set(task.trained_on))
        clips = [clip for some in others.values() for clip in some]
    clips += [clip for table in task.labels for clip in read_labels(table)]
    seen = {clip.corpus for clip in clips} & set(task.trained_on)
    if seen:
        raise CorpusError(f"the model was trained on {min(seen)}: it is no unseen corpus")
    if not clips and not task.train_on:
        raise CorpusError(
            f"{task.corpora} holds no corpus that the model was not trained on; "
            "name one by --labels, or train on another by --train"
        )
    return clips


def figures_of(setting: Setting, settings: Settings, feature_set: str) -> dict[str, Any]:
    """Figures of a setting, pooled over the seeds, and of each of its corpora.

    Returns:
        JSON-able: setting, trained_on, tested_on, n_calls, n_seeds, n_customers, n_segments,
        figures by name with value, low and high, spearman_of_seeds, and by_corpus
    """
    results = [[call_result(one, settings) for one in some] for some in setting.scored]
    pooled = [result for some in results for result in some]
    exposed, labelled = exposed_corpora(feature_set), voted_corpora(feature_set)
    by_corpus = {}
    for name in sorted({result.corpus for result in pooled}):
        own = [result for result in pooled if result.corpus == name]
        by_corpus[name] = {
            "n_calls": len(own),
            "n_customers": len({result.speaker for result in own}),
            "guided_choices": name in GUIDED_CHOICES,
            "encoder_exposed": name in exposed,
            "encoder_labelled": name in labelled,
            "figures": as_json(call_figures(own, intervals=False)),
        }
    return {
        "setting": setting.name,
        "trained_on": list(setting.trained_on),
        "tested_on": list(by_corpus),
        "n_calls": len(pooled),
        "n_seeds": len(results),
        "n_customers": len({result.speaker for result in pooled}),
        "n_segments": sum(len(result.segment_value) for result in pooled),
        "figures": as_json(call_figures(pooled)),
        "spearman_of_seeds": seed_figures(results, "spearman"),
        "by_corpus": by_corpus,
    }


def _by_unseen_models(
    benchmark: Benchmark,
    calls: Sequence[Sequence[AnalysedCall]],
    dataset: Dataset,
    recipe: Recipe,
) -> list[list[ScoredCall]]:
    """Each call scored by a model that was trained without its customer."""
    folds = speaker_folds(dataset.speakers, dataset.contents, n_folds=N_FOLDS)
    check_no_leakage(folds, dataset.speakers, dataset.contents)
    scored: dict[int, ScoredCall] = {}
    for done, fold in enumerate(folds, start=1):
        model = train(dataset.take(fold.train), recipe)
        for speaker in {dataset.speakers[row] for row in fold.test}:
            own = [call for some in calls for call in some if call.speaker == speaker]
            if own:
                scored |= {id(one.call): one for one in benchmark.scored(model, own)}
        benchmark.on_progress("training without the customers", done, len(folds))
    return [[scored[id(call)] for call in some] for some in calls]


def _by_aligned_models(
    benchmark: Benchmark, model: Predictor, calls: Sequence[AnalysedCall]
) -> list[ScoredCall]:
    """Each call scored by the model as it is fitted to the other half of its corpus's calls.

    A corpus stands for a place: one language, one kind of recording.
    """
    place = columns(model.feature_names, benchmark.feature_set.names)
    scored: dict[int, ScoredCall] = {}
    for corpus in {call.corpus for call in calls}:
        own = [call for call in calls if call.corpus == corpus]
        for half in (0, 1):
            mine, others = own[half::2], own[1 - half :: 2]
            if not mine:
                continue
            if not others:  # a single call: nothing to fit to
                scored |= {id(one.call): one for one in benchmark.scored(model, mine)}
                continue
            usual = np.concatenate([call.features for call in others])[:, place]
            fitted = aligned(model, usual, n_calls=len(others))
            scored |= {id(one.call): one for one in benchmark.scored(fitted, mine)}
    return [scored[id(call)] for call in calls]
