from __future__ import annotations

import numpy as np
import pytest

from ser_batch.audio import line_signals as signals
from ser_batch.errors import UnfitPartsError, UnknownFeatureSetError
from ser_batch.features.fused import fuse
from ser_batch.features.sets import get_feature_set
from ser_batch.training.recipes import recipe_for

FUSED = "descriptors_v1+whisper_base_l2_l3_int8"


def test_a_plus_names_the_features_of_both_sets():
    one, other = (get_feature_set(name) for name in FUSED.split("+"))
    fused = get_feature_set(FUSED)
    assert fused.name == FUSED
    assert fused.names == (*one.names, *other.names)
    assert fused.digest not in {one.digest, other.digest}
    assert recipe_for(FUSED).n_trees == recipe_for(other.name).n_trees


def test_its_rows_are_the_parts_rows():
    one = get_feature_set("descriptors_v1")
    signal = signals.tone((300.0, 600.0), 2.0, rate_hz=8000)
    segments = np.array([[0.0, 1.0], [0.5, 1.7]])
    rows = fuse([one]).extract(signal, segments)
    np.testing.assert_array_equal(rows, one.extract(signal, segments))


def test_parts_that_do_not_fit_are_refused():
    with pytest.raises(UnfitPartsError, match="Hz"):
        get_feature_set("descriptors_v1+descriptors_v1_wide")
    with pytest.raises(UnfitPartsError, match="same name"):
        get_feature_set("descriptors_v1+descriptors_v1")
    with pytest.raises(UnknownFeatureSetError, match="descriptors_v1"):
        get_feature_set("descriptors_v1+descriptors_v2")
