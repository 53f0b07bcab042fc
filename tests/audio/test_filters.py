from __future__ import annotations

import numpy as np
import pytest

from ser_batch.audio import filters
from ser_batch.lab.keep_filters import compute_filters


@pytest.mark.xdist_group("librosa")
def test_what_is_kept_is_what_librosa_computes():
    kept = dict(filters.kept())
    computed = compute_filters()
    assert computed.keys() == kept.keys()
    for name, bank in computed.items():
        np.testing.assert_allclose(kept[name], bank, rtol=1e-6, atol=1e-9, err_msg=name)
