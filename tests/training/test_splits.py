from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ser_batch.errors import LeakError
from ser_batch.training.splits import Fold, check_no_leakage, clip_folds, speaker_folds


@given(
    clips=st.lists(
        st.tuples(st.sampled_from("abcdefgh"), st.integers(0, 30)), min_size=8, max_size=60
    ),
    n_folds=st.one_of(st.none(), st.integers(2, 6)),
)
def test_no_speaker_and_no_recording_is_on_both_sides(clips, n_folds):
    speakers = [speaker for speaker, _ in clips]
    contents = [str(content) for _, content in clips]
    try:
        folds = speaker_folds(speakers, contents, n_folds=n_folds)
    except LeakError:
        return  # the shared recordings tie all speakers together
    proof = check_no_leakage(folds, speakers, contents)
    assert proof.n_clips == len(clips)
    assert proof.n_duplicates == len(clips) - len(set(contents))


def test_copies_are_counted_apart_from_the_clips():
    copies = np.array([0, 1, 0, 1])
    folds = speaker_folds(["a", "a", "b", "b"], ["1", "1", "2", "2"])
    proof = check_no_leakage(folds, ["a", "a", "b", "b"], ["1", "1", "2", "2"], copies)
    assert (proof.n_clips, proof.n_copies, proof.n_duplicates) == (2, 2, 0)


def test_leaving_one_out_makes_a_fold_a_speaker():
    folds = speaker_folds(["a", "a", "b", "c"], ["1", "2", "3", "4"])
    assert [fold.test.tolist() for fold in folds] == [[0, 1], [2], [3]]


def test_every_fold_holds_every_corpus_and_both_sexes():
    speakers = [f"{corpus}:{n:02}" for corpus in ("emodb", "ravdess") for n in range(10)]
    for n_folds in (2, 3, 4, 5):
        for fold in speaker_folds(speakers, speakers, n_folds=n_folds):
            held_out = [speakers[row] for row in fold.test]
            assert {name.split(":")[0] for name in held_out} == {"emodb", "ravdess"}
            assert {int(name[-1]) % 2 for name in held_out} == {0, 1}


def test_folds_differ_by_one_speaker_at_most():
    speakers = [f"s{n:02}" for n in range(23)]
    sizes = [len(fold.test) for fold in speaker_folds(speakers, speakers, n_folds=5)]
    assert max(sizes) - min(sizes) <= 1


def test_speakers_of_one_recording_share_a_fold():
    folds = speaker_folds(["a", "b", "c"], ["same", "same", "other"])
    assert [fold.test.tolist() for fold in folds] == [[0, 1], [2]]


def test_one_speaker_cannot_be_split():
    with pytest.raises(LeakError, match="one speaker"):
        speaker_folds(["a", "a"], ["1", "2"])


@pytest.mark.parametrize(("n_angry", "n_folds"), [(30, 10), (8, 8), (2, 2), (1, 0)])
def test_a_split_by_clip_has_as_many_folds_as_the_rarest_emotion_has_clips(n_angry, n_folds):
    folds = clip_folds(["anger"] * n_angry + ["neutral"] * 40)
    assert len(folds) == n_folds
    for fold in folds:
        assert not set(fold.train) & set(fold.test)
        assert min(fold.test) < n_angry  # each fold tests the rare emotion
    assert sum(len(fold.test) for fold in folds) in (0, n_angry + 40)


def test_a_split_by_clip_is_refused_by_name():
    folds = [Fold(np.array([0, 2]), np.array([1, 3]))]
    with pytest.raises(LeakError, match="speaker a is on both sides"):
        check_no_leakage(folds, ["a", "a", "b", "b"], ["1", "2", "3", "4"])


def test_an_augmented_copy_on_the_other_side_is_refused():
    folds = [Fold(np.array([0]), np.array([1]))]
    with pytest.raises(LeakError, match="recording 1 is on both sides"):
        check_no_leakage(folds, ["a", "b"], ["1", "1"])
