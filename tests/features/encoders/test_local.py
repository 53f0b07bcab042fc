"""The encoder that comes along: what it is made from, what its rows depend on, how it is kept."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from ser_batch import resources
from ser_batch.corpora import CORPORA
from ser_batch.corpora.licences import LICENCES
from ser_batch.errors import EncoderError
from ser_batch.features.encoders.local import (
    DEFAULT_ENCODER,
    ENCODER_FILE,
    MANIFEST_FILE,
    LocalEncoderFeatureSet,
    exposed_corpora,
    find_encoder,
    own_set,
    read_encoder,
    voted_corpora,
)
from ser_batch.features.sets import get_feature_set
from tests.features.encoders.made_up import speechlike

CHECKOUT = Path(__file__).parents[3]
MOST_BYTES = 5_000_000


@pytest.fixture(scope="module")
def chosen() -> LocalEncoderFeatureSet:
    found = get_feature_set(DEFAULT_ENCODER)
    assert isinstance(found, LocalEncoderFeatureSet)
    return found


@pytest.fixture
def copied(chosen: LocalEncoderFeatureSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the encoder under another name, among those that are looked for."""
    monkeypatch.setattr(resources, "_added_encoders", [])
    folder = tmp_path / "encoders" / "copied"
    shutil.copytree(chosen.encoder.folder, folder)
    resources.add_encoders(folder.parent)
    return folder


def test_it_is_small_and_free(chosen: LocalEncoderFeatureSet) -> None:
    manifest = chosen.encoder.manifest
    free = LICENCES[: LICENCES.index("CC-BY-NC-4.0")]
    assert len(chosen.encoder.graph()) <= MOST_BYTES
    material = manifest["inherited_material"] + manifest["material"]
    assert all(entry["licence"] in free for entry in material)
    assert exposed_corpora(chosen.name) & CORPORA.keys() == {"cremad", "emodb"}
    assert voted_corpora(chosen.name) == {"cremad"}
    assert manifest["history"]["votes"][-1] < manifest["history"]["votes"][0]
    card = (chosen.encoder.folder / "CARD.md").read_text(encoding="utf-8")
    for entry in material:
        assert f"| {entry['source']} | {entry['n_files']} |" in card
        assert entry["licence"] in card


def test_what_lies_around_a_segment_does_not_matter(chosen: LocalEncoderFeatureSet) -> None:
    signal = speechlike(4.0, 8000)
    edges = np.array([[0.0, 1.0], [1.3, 1.5], [1.6, 3.9], [2.0, 2.05]])
    together = chosen.extract(signal, edges)
    assert together.shape == (4, len(chosen.names))
    assert np.isfinite(together).all()
    for (start_s, end_s), row in zip(edges, together, strict=True):
        inside = slice(round(start_s * 8000), round(end_s * 8000))
        silenced = np.zeros_like(signal)
        silenced[inside] = signal[inside]
        alone = chosen.extract(silenced, np.array([[start_s, end_s]]))[0]
        np.testing.assert_array_equal(row, alone)


@pytest.mark.parametrize("gain", [0.05, 0.4, 3.0])
def test_how_loud_a_line_is_does_not_matter(chosen: LocalEncoderFeatureSet, gain: float) -> None:
    edges = np.array([[0.0, 2.0]])
    row = chosen.extract(speechlike(2.0, 8000), edges)[0]
    louder = chosen.extract(gain * speechlike(2.0, 8000), edges)[0]
    assert np.abs(louder - row).mean() < 0.02 * row.std()


def test_segments_longer_than_its_positions_are_described_in_parts(
    chosen: LocalEncoderFeatureSet,
) -> None:
    signal = speechlike(65.0, 8000)
    assert np.isfinite(chosen.extract(signal, np.array([[0.0, 65.0]]))).all()


def test_a_changed_file_is_refused(copied: Path) -> None:
    content = bytearray((copied / ENCODER_FILE).read_bytes())
    content[len(content) // 2] ^= 1
    (copied / ENCODER_FILE).write_bytes(content)
    found = own_set("copied")
    assert found is not None
    with pytest.raises(EncoderError, match="not the file that was written"):
        found.require()
    with pytest.raises(EncoderError, match="not the file that was written"):
        found.extract(speechlike(1.0, 8000), np.array([[0.0, 1.0]]))


def test_a_copy_gives_the_same_rows_under_its_own_name(
    copied: Path, chosen: LocalEncoderFeatureSet
) -> None:
    again = own_set("copied")
    assert again is not None
    edges = np.array([[0.0, 1.0]])
    signal = speechlike(1.0, 8000)
    np.testing.assert_array_equal(again.extract(signal, edges), chosen.extract(signal, edges))


def test_another_encoder_has_another_digest(copied: Path, chosen: LocalEncoderFeatureSet) -> None:
    manifest = json.loads((copied / MANIFEST_FILE).read_text(encoding="utf-8"))
    changed = {**manifest, "sha256": "f" * 64}
    (copied / MANIFEST_FILE).write_text(json.dumps(changed), encoding="utf-8")
    other = own_set("copied")
    assert other is not None
    assert other.digest != chosen.digest


@pytest.mark.parametrize("text", ["", "{}", '{"format": 99}', '{"format": 1}'])
def test_a_manifest_that_says_too_little_is_refused(copied: Path, text: str) -> None:
    (copied / MANIFEST_FILE).write_text(text, encoding="utf-8")
    with pytest.raises(EncoderError):
        read_encoder(copied)


def test_an_unknown_encoder_is_said_to_be_unknown() -> None:
    with pytest.raises(EncoderError, match="encoder_v9"):
        find_encoder("encoder_v9")


def test_training_without_torch_is_one_line_that_names_the_extra(tmp_path: Path) -> None:
    program = (
        "import sys; sys.modules['torch'] = None; from pipelines.cli import main; "
        f"sys.argv = ['ser-batch', 'distill', '--audio', {str(tmp_path)!r}]; main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, cwd=CHECKOUT, check=False
    )
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert "ser-batch[distill]" in line
