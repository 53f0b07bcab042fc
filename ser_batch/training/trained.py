"""A model that was trained and checked, and the bundle and card that are written of it."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from ser_batch import __version__
from ser_batch.corpora import CORPORA
from ser_batch.corpora.base import Clip
from ser_batch.corpora.licences import strictest
from ser_batch.features.dataset import Dataset
from ser_batch.monitoring.reference import held_out, write_reference
from ser_batch.scoring.bundle import Bundle
from ser_batch.scoring.bundle_writer import BundleFacts, write_bundle
from ser_batch.scoring.predictor import Predictor
from ser_batch.training.card import model_card
from ser_batch.training.crossvalidate import CrossValidation
from ser_batch.training.decided import decisions_by_corpus
from ser_batch.training.setup import TrainingSetup


@dataclass(frozen=True)
class TrainedModel:
    """A model, what it was trained on, and how it does on speakers that it was trained without.

    Attributes:
        setup: how it was trained
        dataset: on what
        checked: figures of speakers held out
        predictor: of all speakers
        dimensions: agreement on arousal and valence, if they were learnt
        network: of a network that was trained with its heads, what the card says of it, and under
            `begun_from` the feature set of the encoder that it began as
    """

    setup: TrainingSetup
    dataset: Dataset
    checked: CrossValidation
    predictor: Predictor
    dimensions: Mapping[str, Any] | None = None
    network: Mapping[str, Any] | None = None

    def write(
        self,
        folder: Path,
        *,
        name: str,
        training: Sequence[Mapping[str, Any]],
        cross_corpus: Mapping[str, Any],
        command: str,
    ) -> Bundle:
        """Write the bundle with its card and the reference that drift is measured by.

        Args:
            folder: of the bundle
            name: of the model
            training: what the manifest says of the training data, an entry a corpus
            cross_corpus: decisions about corpora that it was not trained on
            command: that makes this very model
        """
        facts = BundleFacts(
            name=name,
            feature_set=self.setup.features,
            band=self.setup.band,
            training=training,
            licence=strictest(entry["licence"] for entry in training),
            made_with=versions(),
            evaluation=self._evaluation(cross_corpus),
        )
        names = self.predictor.feature_names
        card = model_card(facts, n_features=len(names), command=command)
        bundle = write_bundle(folder, self.predictor, facts, card=card)
        scores = held_out(
            self.dataset,
            self.checked.probabilities,
            self.checked.decided.dissatisfaction,
            self.predictor,
        )
        write_reference(folder, self.dataset, names, scores)
        return bundle

    def _evaluation(self, cross_corpus: Mapping[str, Any]) -> dict[str, Any]:
        clips = self.dataset.take(self.dataset.copies == 0)
        return {
            **self.checked.evaluation.as_dict(),
            "proof": asdict(self.checked.proof),
            "decisions": decisions_by_corpus(
                clips, self.checked.decided, self.predictor.classes, self._trained_before
            ),
            "cross_corpus": dict(cross_corpus),
            **({} if self.dimensions is None else {"dimensions": self.dimensions}),
            **({"network": dict(self.network)} if self.network else {}),
        }

    @property
    def _trained_before(self) -> str:
        """The feature set of what had been trained before speakers were held out."""
        return str(self.network["begun_from"]) if self.network else self.setup.features


def training_data(
    clips: Sequence[Clip], weights: Mapping[str, float] | None = None
) -> list[dict[str, Any]]:
    """What a manifest says of its training data, one entry a corpus.

    Args:
        clips: all of them
        weights: times that a clip counts, by corpus, where it is not once
    """
    entries = []
    for name in sorted({clip.corpus for clip in clips}):
        own = [clip for clip in clips if clip.corpus == name]
        entries.append(
            {
                "corpus": name,
                "title": CORPORA[name].title if name in CORPORA else name,
                "licence": strictest(clip.licence for clip in own),
                "language": ", ".join(sorted({clip.language for clip in own})),
                "n_clips": len(own),
                "n_speakers": len({clip.speaker for clip in own}),
                "emotions": sorted({clip.emotion for clip in own}),
                **({"weight": weights[name]} if weights and name in weights else {}),
            }
        )
    return entries


def versions() -> dict[str, str]:
    """Versions that a model's bytes depend on."""
    libraries = ("numpy", "scipy", "scikit-learn", "lightgbm", "librosa", "soxr", "onnxruntime")
    return {
        "ser-batch": __version__,
        "python": platform.python_version(),
        **{name: version(name) for name in libraries},
    }
