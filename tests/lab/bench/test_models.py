from __future__ import annotations

import pytest

from ser_batch.errors import CorpusError
from ser_batch.lab.bench.models import run
from ser_batch.training.augment import Augmentation
from ser_batch.training.fit import Recipe
from ser_batch.training.protocols import parse_protocol
from ser_batch.training.setup import TrainingSetup
from tests.corpora.made import made_corpus

QUICK = Recipe(strengths=(0.001,), n_trees=(5,), n_folds=2)


def compared(folder, protocol):
    return run(
        parse_protocol(protocol),
        folder,
        setup=TrainingSetup("telephone", "descriptors_v1", Augmentation(), QUICK),
        classifiers=("SVM", "logistic regression"),
        on_progress=lambda what, done, total: None,
    )


@pytest.mark.slow
def test_every_classifier_is_tested_on_the_same_unseen_speakers(tmp_path):
    made_corpus(tmp_path / "emodb", n_speakers=3)
    result = compared(tmp_path, "emodb-loso")
    assert (result["n_clips"], result["n_speakers"]) == (24, 3)
    named = {row["what"] for row in result["rows"]}
    assert {"ours: linear head + LightGBM", "SVM", "logistic regression"} == named
    assert [row["uar"] for row in result["rows"]] == sorted(
        (row["uar"] for row in result["rows"]), reverse=True
    )
    # anger is high and neutral low: whoever cannot tell them apart is wired wrongly
    uar = {row["what"]: row["uar"] for row in result["rows"]}
    assert min(uar["SVM"], uar["ours: linear head + LightGBM"]) > 0.9


def test_a_protocol_across_corpora_is_refused(tmp_path):
    with pytest.raises(CorpusError, match="held out"):
        compared(tmp_path, "cross:emodb->ravdess")
