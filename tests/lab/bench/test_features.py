from __future__ import annotations

import numpy as np
import pytest

from ser_batch.config import Settings
from ser_batch.errors import CorpusError
from ser_batch.lab.bench.features import naive_librosa, run

pytestmark = pytest.mark.xdist_group("librosa")  # one process compiles its functions


def test_the_naive_way_describes_every_segment():
    rng = np.random.default_rng(0)
    signal = (0.1 * rng.normal(size=16000)).astype(np.float32)
    rows = naive_librosa(signal, np.array([[0.0, 0.5], [0.5, 2.0]]), 8000)
    assert rows.shape[0] == 2
    assert np.isfinite(rows).all()


def test_recordings_without_speech_cannot_be_timed():
    with pytest.raises(CorpusError, match="no speech"):
        run([], Settings(), minutes=0.1)


@pytest.mark.corpus
def test_ours_and_the_peers_are_timed_on_the_same_speech(corpus_dir):
    paths = [corpus_dir / "calls" / "auto_repairs_40.wav"]
    result = run(paths, Settings(), minutes=0.2)
    assert result["audio_s"] == pytest.approx(12, abs=12)
    assert result["ratios"]["librosa"] == pytest.approx(
        result["ours"]["extract"] / result["peers"]["librosa"]
    )
    assert 1 < result["bytes_a_segment"] / result["n_features"] < 3
