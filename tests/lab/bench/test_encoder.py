from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ser_batch.config import Settings
from ser_batch.errors import CorpusError
from ser_batch.features.encoders.local import find_encoder
from ser_batch.lab.bench import encoder as bench
from ser_batch.progress import silent
from tests.corpora.made import made_corpus

NAMES = ("encoder_v2", "encoder_v2_fp32")


@pytest.fixture(scope="module")
def corpora(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("corpora")
    made_corpus(folder / "emodb", n_speakers=4)
    return folder


def run(corpora: Path, cache: Path, steps: list[str]):
    return bench.run(
        corpora,
        Settings(),
        names=NAMES,
        n_calls=0,
        cache_folder=cache,
        on_progress=lambda what, _done, _total: steps.append(what),
    )


@pytest.mark.slow
def test_every_set_has_a_row_and_features_are_described_once(corpora, tmp_path):
    steps: list[str] = []
    found = run(corpora, tmp_path, steps)
    rows = {row["set"]: row for row in found["rows"]}
    assert set(steps) == {"encoder_v2: emodb", "encoder_v2_fp32: emodb"}
    assert all(rows[name]["speed"] > 1 for name in NAMES)
    assert rows["encoder_v2"]["n_bytes"] <= 5_000_000
    assert rows["encoder_v2"]["within"]["emodb"] == 1.0, "tones of anger are loud and high"
    assert bench.PEER in found["missing"] or any(bench.PEER in name for name in rows)

    steps.clear()
    again = run(corpora, tmp_path, steps)
    assert steps == []
    assert [row.get("within") for row in again["rows"]] == [
        row.get("within") for row in found["rows"]
    ]


def test_eight_bits_stay_near_single_precision():
    rng = np.random.default_rng(0)
    signal = (0.1 * rng.standard_normal(24000)).astype(np.float32)
    edges = np.array([[0.0, 1.5], [1.5, 3.0]])
    coarse, fine = (bench.named_set(name).extract(signal, edges) for name in NAMES)
    assert np.abs(coarse - fine).mean() < 0.05 * fine.std()


@pytest.mark.slow
def test_unlabelled_speakers_are_parted_from_those_that_are_judged(corpora):
    pytest.importorskip("torch", reason="torch is missing: pip install ser-batch[distill]")
    from ser_batch.lab.bench.adaptation import run as adapt
    from ser_batch.lab.distill.run import Task
    from ser_batch.lab.distill.teachers import own_teacher

    begun = find_encoder("encoder_v2")
    found = adapt(
        corpora,
        "emodb",
        begun,
        Task([], own_teacher(begun), n_steps=1, batch_s=4),
        settings=Settings(),
        on_progress=silent,
    )
    assert len(found["adapted_on"]) == len(found["judged"]) == 2
    assert not set(found["adapted_on"]) & set(found["judged"])
    assert set(found["before"]) == set(found["after"])


def test_without_corpora_there_is_nothing_to_part(tmp_path):
    pytest.importorskip("torch", reason="torch is missing: pip install ser-batch[distill]")
    from ser_batch.lab.bench.adaptation import run as adapt
    from ser_batch.lab.distill.run import Task
    from ser_batch.lab.distill.teachers import own_teacher

    begun = find_encoder("encoder_v2")
    with pytest.raises(CorpusError):
        adapt(
            tmp_path,
            "nemo",
            begun,
            Task([], own_teacher(begun), n_steps=1),
            settings=Settings(),
            on_progress=silent,
        )
