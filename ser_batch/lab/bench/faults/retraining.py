"""A retraining that can be repeated thousands of times: trained once, written again and again."""

from __future__ import annotations

from dataclasses import dataclass

from ser_batch.config import Settings
from ser_batch.ingest.late_rows import append
from ser_batch.labels.history import label_row
from ser_batch.labels.selection import RANDOM
from ser_batch.scoring.choose import load_model
from ser_batch.store.lake import Lake, Part
from ser_batch.store.paths import Root
from ser_batch.tables import LABEL_QUEUE, LABELS
from ser_batch.testing.callers import Key, put_callers
from ser_batch.testing.lakes import MODEL_ID
from ser_batch.testing.rows import MIDDAY
from ser_batch.training.challenger import train_challenger, write_challenger
from ser_batch.training.fit import Recipe
from ser_batch.training.gate import ModelComparison
from ser_batch.training.material import Material, gather
from ser_batch.training.retrain import compare, register_and_promote
from ser_batch.training.trained import TrainedModel

SETTINGS = Settings(
    retrain={
        "label_weight": 1,
        "min_measured": 20,
        "min_measured_callers": 4,
        "max_brier_rise": 1,
        "max_slice_fall": 1,
    }
)
QUICK = Recipe(
    strengths=(0.01,),
    n_trees=(5,),
    head_trees=5,
    n_folds=3,
    mixes=True,
    balanced=True,
    sharpens=True,
)
N_CALLERS = 30


@dataclass(frozen=True)
class Retraining:
    """A trained challenger that is better than the champion, and the labels that say so."""

    material: Material
    model: TrainedModel
    comparison: ModelComparison | None

    @classmethod
    def prepare(cls, root: Root) -> Retraining:
        """Fill an empty root with labelled calls, and train on them."""
        _put_labels(root, put_callers(root, n_callers=N_CALLERS))
        material = gather(Lake(root.lake), SETTINGS)
        model = train_challenger(SETTINGS, material, [], recipe=QUICK)
        elsewhere = Root(root.path.parent / "compared")
        challenger = write_challenger(elsewhere, SETTINGS, material, [], model)
        champion = load_model(root, SETTINGS)
        return cls(material, model, compare(root, SETTINGS, material, champion, challenger))

    def run(self, root: Root) -> None:
        """Write the challenger, register and promote it, as `ser-batch retrain` ends."""
        champion = load_model(root, SETTINGS)
        challenger = write_challenger(root, SETTINGS, self.material, [], self.model)
        register_and_promote(
            root, SETTINGS, champion, challenger, self.comparison, may_promote=True
        )


def _put_labels(root: Root, said: dict[Key, str]) -> None:
    """Label segments as their callers truly are; all of them were drawn by chance."""
    lake, queue, rows = Lake(root.lake), [], []
    for rank, (key, emotion) in enumerate(sorted(said.items())):
        span = (key[2] * 3.0, key[2] * 3.0 + 2.5)
        rows.append(
            label_row(
                key,
                span,
                annotator="ann",
                emotion=emotion,
                made_at=MIDDAY,
                source="csv",
                imported_at=MIDDAY,
            )
        )
        named = dict(zip(("recording_id", "channel", "segment_no"), key, strict=True))
        named |= {"start_s": span[0], "end_s": span[1], "batch_id": "b", "rank": rank}
        asked = {"reason": RANDOM, "model_id": MODEL_ID, "suggested": None, "queued_at": MIDDAY}
        queue.append(named | asked)
    append(lake, LABELS, "ann-labels", rows)
    lake.write(LABEL_QUEUE, Part(None, "b"), LABEL_QUEUE.from_rows(queue))
