from __future__ import annotations

import json

import numpy as np
import pytest

from ser_batch.config import Settings
from ser_batch.lab.bench.ood import Sources, run
from ser_batch.lab.bench.other_sounds import SYNTHETIC, far, synthetic_sounds
from ser_batch.scoring.bundle import Bundle, default_bundle_path
from tests.corpora.made import made_corpus
from tests.lab.synthetic.tones import speech_like


@pytest.mark.slow
def test_each_kind_of_sound_has_a_row(tmp_path):
    made_corpus(tmp_path / "corpora" / "emodb", n_speakers=2)
    bundle = Bundle.load(default_bundle_path())
    sources = Sources(tmp_path / "corpora", every=4)
    result = run(bundle, Settings(), sources, on_progress=lambda *_: None)
    rows = {row["sound"]: row for row in result["rows"]}
    assert set(rows) == {"emodb", "emodb, far", *SYNTHETIC}
    assert rows["emodb"]["n"] == rows["emodb, far"]["n"] == 4
    assert {rows[kind]["should be"] for kind in SYNTHETIC} == {"out"}
    assert all(0 <= row["out"] <= 1 and row["median score"] > 0 for row in rows.values())
    json.dumps(result)


def test_synthetic_sounds_are_the_same_every_time_and_have_a_level():
    once, again = (list(synthetic_sounds(2)) for _ in range(2))
    assert [kind for kind, _ in once] == [kind for kind in SYNTHETIC for _ in range(2)]
    for (kind, sound), (_, other) in zip(once, again, strict=True):
        assert (sound == other).all()
        level_db = 20 * np.log10(np.sqrt(np.mean(np.square(sound))))
        assert level_db == pytest.approx(-60 if kind == "silence" else -20, abs=3)


def test_far_speech_rings_on_and_lies_in_noise():
    near = speech_like(2.0, rate_hz=8000, rng=np.random.default_rng(0))
    near[8000:] = 0
    heard = far(near, 8000, np.random.default_rng(1))
    assert len(heard) == len(near)
    just_after, long_after = (
        np.sqrt(np.mean(np.square(heard[start : start + 800]))) for start in (8200, 15000)
    )
    assert just_after > 1.5 * long_after > 0
