"""Whether unlabelled recordings of some speakers help to classify the emotions of others.

Half of a corpus's speakers are used without labels, as a company's nights would be; the other half
are judged before and after. The encoder that comes of it is thrown away.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from ser_batch.audio.telephone import TELEPHONE_RATE_HZ
from ser_batch.config import Settings
from ser_batch.corpora import read_corpus
from ser_batch.corpora.base import Clip, one_of_each_content
from ser_batch.features.dataset import Dataset
from ser_batch.features.encoders.local import LocalEncoder
from ser_batch.features.sets import get_feature_set
from ser_batch.lab.bench.encoder import FOLDS_OF, TRAINED_ON, cross_corpus, within
from ser_batch.lab.distill.run import Task, distill
from ser_batch.lab.distill.sources import OWN, Source
from ser_batch.progress import Progress
from ser_batch.resources import add_encoders
from ser_batch.training.describe import describe_clips, telephone_signal
from ser_batch.training.normalise import per_speaker


def run(
    corpora: Path,
    corpus: str,
    encoder: LocalEncoder,
    task: Task,
    *,
    settings: Settings,
    on_progress: Progress,
) -> dict[str, Any]:
    """Adapt an encoder to half of a corpus's speakers, over the telephone, and judge the others.

    Args:
        corpora: folder below which each corpus has its own
        corpus: whose speakers are parted
        encoder: to begin with
        task: teacher, steps and seed; its sources become the speakers' clips
        settings: of the analysis
        on_progress: called with a step, what is done of it, and all of it

    Returns:
        `before` and `after`: error of held-out clips; of the other speakers UAR, UAR normalised
        by speaker, and what a head trained on EmoDB makes of them
    """
    clips = one_of_each_content(read_corpus(corpora, corpus))
    speakers = sorted({clip.speaker for clip in clips})
    adapted_on = set(np.random.default_rng(task.seed).permutation(speakers)[: len(speakers) // 2])
    judged = [clip for clip in clips if clip.speaker not in adapted_on]
    known = one_of_each_content(read_corpus(corpora, TRAINED_ON))
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        _recorded([clip for clip in clips if clip.speaker in adapted_on], folder / "nights")
        adapted = distill(
            replace(task, sources=[Source(folder / "nights", OWN)], init=encoder),
            folder / "encoders",
            f"{encoder.name}-",
            work=folder / "work",
            settings=settings,
            on_progress=on_progress,
        )
        add_encoders(folder / "encoders")
        figures = {}
        for what, one in (("before", encoder), ("after", adapted)):
            on_progress(f"judging {what}", 0, 1)
            chosen = get_feature_set(one.name)
            tested = describe_clips(judged, chosen)
            figures[what] = _figures(tested, describe_clips(known, chosen), FOLDS_OF[corpus])
        held_out = adapted.manifest["held_out"]
    return {
        "corpus": corpus,
        "teacher": task.teacher.name,
        "n_steps": task.n_steps,
        "adapted_on": sorted(adapted_on),
        "judged": sorted(set(speakers) - adapted_on),
        "before": {"error": held_out["error_before"], **figures["before"]},
        "after": {"error": held_out["error"], **figures["after"]},
    }


def _recorded(clips: Sequence[Clip], folder: Path) -> None:
    """The clips as they would arrive: over the telephone, one file each."""
    folder.mkdir(parents=True)
    for clip in clips:
        signal = telephone_signal(clip, TELEPHONE_RATE_HZ)
        soundfile.write(folder / f"{clip.path.stem}.wav", signal, TELEPHONE_RATE_HZ, "PCM_16")


def _figures(tested: Dataset, known: Dataset, speakers_per_fold: int) -> dict[str, float]:
    foreign = cross_corpus(known, tested)
    return {
        "uar": within(tested, speakers_per_fold),
        "uar_normalised": within(per_speaker(tested), speakers_per_fold),
        f"{TRAINED_ON}_uar": foreign["uar"],
        f"{TRAINED_ON}_auc_anger": foreign["auc_anger"],
    }
