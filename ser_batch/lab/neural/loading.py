"""Speech encoders to fine-tune: Whisper's first blocks, our own, or a folder or name of the hub.

Weights are read from safetensors, never unpickled, and no code of a repository is run.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ser_batch.config import nearest
from ser_batch.corpora.licences import LICENCES
from ser_batch.errors import DependencyError, EncoderSourceError
from ser_batch.features.encoders.containers import read_container
from ser_batch.features.encoders.local import encoder_folder, find_encoder
from ser_batch.features.encoders.mel import N_MELS
from ser_batch.features.encoders.network import Reads
from ser_batch.features.encoders.weights import WEIGHTS, Arrays, load
from ser_batch.lab.distill.export import encoder_arrays
from ser_batch.lab.distill.network import Network

WEIGHTS_FILE, CONFIG_FILE = "model.safetensors", "config.json"
SAMPLES_KINDS = ("wav2vec2", "hubert", "wavlm")
UNSTATED = "research-only"
"""Licence of an encoder whose model card names none that is known."""


@dataclass(frozen=True)
class SpeechEncoder:
    """An encoder that can be fine-tuned.

    Attributes:
        name: as it was asked for
        licence: of its weights
        reads: key of `features.encoders.network.INPUTS`
        width: of its states
        n_blocks: transformer blocks
        began_as: feature set whose figures know its training data; empty: none
        module: makes its torch module, whose `forward` gives the states after each block, shape
            (n_segments, n_states, width) each
    """

    name: str
    licence: str
    reads: Reads
    width: int
    n_blocks: int
    began_as: str
    module: Callable[[], nn.Module] = field(repr=False)


def load_encoder(name: str) -> SpeechEncoder:
    """The encoder of a name: of `weights list`, of our own, a folder, or of the hub.

    Raises:
        MissingWeightsError: if Whisper's weights were not fetched
        EncoderSourceError: if nothing that can be fine-tuned has this name, or it cannot be fetched
        DependencyError: if transformers is needed and not installed
    """
    if name in WEIGHTS:
        return _of_arrays(name, load(WEIGHTS[name]), WEIGHTS[name].licence, "")
    if encoder_folder(name) is not None:
        own = find_encoder(name)
        return _of_arrays(name, encoder_arrays(own), str(own.manifest["licence"]), name)
    folder = Path(name)
    if not folder.is_dir():
        folder = _from_hub(name)
    return _of_folder(name, folder)


def _of_arrays(name: str, arrays: Arrays, licence: str, began_as: str) -> SpeechEncoder:
    """Whisper's design, from arrays named as `weights.load` names them."""
    n_blocks = 1 + max(int(key.split(".")[1]) for key in arrays if key.startswith("blocks."))
    width, n_mels = arrays["conv2.weight"].shape[0], arrays["conv1.weight"].shape[1]
    return SpeechEncoder(
        name, licence, "log_mel", width, n_blocks, began_as,
        lambda: WhisperStates(Network(arrays), n_blocks, n_mels),
    )  # fmt: skip


def _from_hub(name: str) -> Path:
    """A folder of the hub's files, fetched once; only what is safe to read is asked for."""
    if not re.fullmatch(r"[\w.-]+/[\w.-]+", name):
        raise EncoderSourceError(f"there is no folder or encoder {name!r}{nearest(name, WEIGHTS)}")
    hub = _library("huggingface_hub")
    try:
        wanted = ["*.json", "*.safetensors", "README.md"]
        return Path(hub.snapshot_download(name, allow_patterns=wanted))
    except Exception as error:  # the hub's client raises those of its transport too
        said = str(error).strip().splitlines()
        reason = said[0] if said else type(error).__name__
        raise EncoderSourceError(f"{name} cannot be fetched from the hub ({reason})") from error


def _of_folder(name: str, folder: Path) -> SpeechEncoder:
    """An encoder in the hub's format."""
    try:
        config = json.loads((folder / CONFIG_FILE).read_text(encoding="utf-8"))
        kind = config["model_type"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise EncoderSourceError(f"{folder / CONFIG_FILE} cannot be read: {error!r}") from error
    if not list(folder.glob("*.safetensors")):
        raise EncoderSourceError(
            f"{folder} holds no safetensors file; pickled weights are not read"
        )
    if kind == "whisper":
        return _whisper(name, folder, config)
    if kind not in SAMPLES_KINDS:
        known = ", ".join((*SAMPLES_KINDS, "whisper"))
        raise EncoderSourceError(f"{name} is a model of kind {kind!r}; {known} can be fine-tuned")
    return _of_samples(name, folder, config)


def _whisper(name: str, folder: Path, config: dict[str, Any]) -> SpeechEncoder:
    n_mels = int(config.get("num_mel_bins", N_MELS))
    if n_mels != N_MELS:
        raise EncoderSourceError(f"{name} reads {n_mels} mel bands; {N_MELS} are computed here")
    arrays = read_container(folder / WEIGHTS_FILE, int(config["encoder_layers"]))
    return _of_arrays(name, arrays, _licence(folder), "")


def _of_samples(name: str, folder: Path, config: dict[str, Any]) -> SpeechEncoder:
    transformers = _library("transformers")
    normalises = _normalises(folder)

    def module() -> nn.Module:
        model = transformers.AutoModel.from_pretrained(
            folder,
            use_safetensors=True,
            local_files_only=True,
            trust_remote_code=False,
            attn_implementation="eager",  # a fused kernel is not exported
        )
        # what is left out at random is left out by the dropout of the new layers
        model.config.apply_spec_augment, model.config.layerdrop = False, 0.0
        return SamplesStates(model, normalises=normalises)

    width, n_blocks = int(config["hidden_size"]), int(config["num_hidden_layers"])
    return SpeechEncoder(name, _licence(folder), "samples", width, n_blocks, "", module)


class WhisperStates(nn.Module):  # type: ignore[misc]  # torch is an extra
    """States after each block of Whisper's design, as long as the segment is.

    Args:
        network: convolutions and blocks
        n_blocks: how many
        n_mels: lowest bands that it reads
    """

    def __init__(self, network: Network, n_blocks: int, n_mels: int) -> None:
        super().__init__()
        self.network, self._n_mels = network, n_mels
        self._after = range(1, n_blocks + 1)

    def forward(self, spectra: Tensor) -> list[Tensor]:
        """One a block, of log-mel spectra of shape (n_segments, n_frames, 80)."""
        states: list[Tensor] = self.network(spectra[:, :, : self._n_mels], self._after)
        return states

    def before(self, spectra: Tensor, block: int) -> Tensor:
        """What a block reads and what those before it gave, (n_segments, n_states, n, width).

        The states after each earlier block, in their order; before the first block, what the
        convolutions give.
        """
        hidden = self.network.stem(spectra[:, :, : self._n_mels])
        return torch.stack(self._from(hidden, 0, block) or [hidden], dim=2)

    def resumed(self, before: Tensor, block: int) -> list[Tensor]:
        """States after each block, of what `before` gave."""
        known = list(before.float().unbind(dim=2))
        return known[:block] + self._from(known[-1], block, len(self._after))

    def _from(self, hidden: Tensor, first: int, last: int) -> list[Tensor]:
        """States after the blocks from the first to before the last."""
        states = []
        for block in range(first, last):
            hidden = self.network.parts(f"blocks.{block}", hidden)[-1]
            states.append(hidden)
        return states

    def block_of(self, parameter: str) -> int:
        """Number of the block that a parameter belongs to, counted from 0; -1: before them."""
        found = re.search(r"blocks/(\d+)/", parameter)
        return int(found[1]) if found else -1


class SamplesStates(nn.Module):  # type: ignore[misc]  # torch is an extra
    """States after each block of wav2vec2, HuBERT or WavLM.

    Args:
        model: of transformers
        normalises: whether each segment is brought to mean 0 and variance 1
    """

    def __init__(self, model: Any, *, normalises: bool) -> None:
        super().__init__()
        self.model, self._normalises = model, normalises

    def forward(self, samples: Tensor) -> list[Tensor]:
        """One a block, of samples at 16 kHz of shape (n_segments, n_samples)."""
        if self._normalises:
            centred = samples - samples.mean(dim=1, keepdim=True)
            samples = centred / (centred.square().mean(dim=1, keepdim=True) + 1e-7).sqrt()
        found = self.model(samples, output_hidden_states=True)
        return list(found.hidden_states[1:])

    def block_of(self, parameter: str) -> int:
        """Number of the block that a parameter belongs to, counted from 0; -1: before them."""
        found = re.search(r"encoder\.layers\.(\d+)\.", parameter)
        return int(found[1]) if found else -1


def _normalises(folder: Path) -> bool:
    """As the repository's preprocessor says; large models do, base models mostly do too."""
    path = folder / "preprocessor_config.json"
    if not path.is_file():
        return True
    return bool(json.loads(path.read_text(encoding="utf-8")).get("do_normalize", True))


def _licence(folder: Path) -> str:
    """What the model card's first lines state, if it is known here."""
    card = folder / "README.md"
    text = card.read_text(encoding="utf-8", errors="replace") if card.is_file() else ""
    stated = re.search(r"^license:\s*([\w.-]+)\s*$", text[:2000], re.MULTILINE)
    known = {name.lower(): name for name in LICENCES}
    return known.get(stated[1].lower(), UNSTATED) if stated else UNSTATED


def _library(name: str) -> Any:
    import importlib  # noqa: PLC0415

    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise DependencyError(
            f"this encoder needs {name}: pip install 'ser-batch[neural]'"
        ) from error
