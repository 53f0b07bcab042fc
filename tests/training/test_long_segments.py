from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ser_batch.corpora import get_corpus
from ser_batch.features.dataset import LONG_SEGMENT
from ser_batch.features.sets import get_feature_set
from ser_batch.progress import silent
from ser_batch.training.augment import Augmentation
from ser_batch.training.describe import describe_clips
from ser_batch.training.fit import Recipe, train
from ser_batch.training.long_segments import long_segments
from ser_batch.training.protocols import parse_protocol, run_protocol
from ser_batch.training.setup import TrainingSetup
from ser_batch.training.splits import check_no_leakage, speaker_folds
from tests.corpora.made import made_corpus

SET = get_feature_set("descriptors_v1")
QUICK = Recipe(strengths=(0.001,), n_trees=(5,), head_trees=5, n_folds=2)


@pytest.fixture
def clips(tmp_path):
    return get_corpus("emodb").read(made_corpus(tmp_path / "emodb"))


def test_a_long_segment_is_of_one_speaker_and_emotion(clips):
    found = long_segments(clips, SET, band="telephone", augmentation=Augmentation(copies=1))
    assert found is not None
    pairs = list(zip(found.speakers, found.emotions, strict=True))
    assert sorted(pairs) == sorted({(clip.speaker, clip.emotion) for clip in clips})
    assert set(found.copies) == {LONG_SEGMENT}
    log2_s = found.features[:, SET.names.index("rhythm.duration_log2_s")]
    assert (log2_s > 1.5).all()


def test_a_speakers_only_clip_makes_none(clips):
    alone = [replace(clip, speaker=f"made:{number}") for number, clip in enumerate(clips)]
    assert long_segments(alone, SET, band="telephone", augmentation=Augmentation()) is None


def test_they_say_what_is_in_distribution_and_train_no_emotion(clips):
    setup = TrainingSetup.choose(features="descriptors_v1", copies=1)
    dataset = setup.describe(clips)
    is_long = dataset.copies == LONG_SEGMENT
    assert is_long.any()
    with_long = train(dataset, QUICK)
    without = train(dataset.take(~is_long), QUICK)
    assert with_long.trees.text == without.trees.text
    np.testing.assert_array_equal(with_long.linear.weights, without.linear.weights)
    assert (with_long.outliers.centre != without.outliers.centre).any()


def test_they_are_never_tested(clips):
    setup = TrainingSetup.choose(features="descriptors_v1", copies=1)
    dataset = setup.describe(clips)
    plain = describe_clips(clips, SET)
    originals = dataset.take(dataset.copies == 0)
    np.testing.assert_array_equal(originals.features, plain.features)
    folds = speaker_folds(dataset.speakers, dataset.contents)
    proof = check_no_leakage(folds, dataset.speakers, dataset.contents, dataset.copies)
    assert proof.n_clips == len(clips)
    assert len(setup.describe(clips, copies=False).emotions) == len(clips)


@pytest.mark.slow
def test_where_texts_are_held_out_no_segment_that_joins_several_is_trained_on(clips):
    spoken = [replace(clip, sentence=f"a0{number % 3}") for number, clip in enumerate(clips)]
    proofs = [
        run_protocol(
            parse_protocol("emodb-loso"),
            {"emodb": spoken},
            TrainingSetup("telephone", "descriptors_v1", Augmentation(), QUICK),
            comparisons=False,
            on_progress=silent,
            unseen_sentences=unseen,
        )["proof"]
        for unseen in (False, True)
    ]
    assert [proof["n_sentences"] for proof in proofs] == [0, 3]
    assert [proof["n_copies"] > 0 for proof in proofs] == [True, False]
