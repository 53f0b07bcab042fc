"""Sentence embeddings of a model in a local folder, as the hub keeps such models.

The folder holds `tokenizer.json`, and `model.onnx` (or `onnx/model.onnx`) or `config.json` with
`model.safetensors`. Nothing is fetched or unpickled, and no code of the folder is run.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from ser_batch.arrays import FloatArray, IntArray
from ser_batch.config import digest
from ser_batch.errors import DependencyError, SentenceModelError

TOKENIZER, CONFIG, WEIGHTS = "tokenizer.json", "config.json", "model.safetensors"
GRAPHS = ("onnx/model.onnx", "model.onnx")
POOLING, LENGTH = "1_Pooling/config.json", "sentence_bert_config.json"
MOST_TOKENS = 256
"""Of a text; what follows is not read. The folder may state fewer."""
BATCH = 32

States = Callable[[IntArray], FloatArray]
"""States of each token, shape (n_texts, n_tokens, width), of tokens of shape (n_texts, n_tokens);
or of each text, shape (n_texts, width)."""


@dataclass(frozen=True)
class SentenceEncoder:
    """A model that turns texts into vectors.

    Attributes:
        folder: where it lies
        digest: of everything in it that is read
    """

    folder: Path
    digest: str

    def embed(self, texts: Sequence[str]) -> FloatArray:
        """A vector of length 1 for each text, shape (n_texts, width).

        The mean over a text's tokens, or the first token's state where the folder says so.

        Raises:
            DependencyError: if tokenizers, or transformers for safetensors, is not installed
            SentenceModelError: if the model cannot be read
        """
        states, tokenizer = _loaded(self)
        tokens = [encoded.ids for encoded in tokenizer.encode_batch(list(texts))]
        vectors: dict[int, FloatArray] = {}
        for rows in _of_one_length(tokens):
            found = states(np.array([tokens[row] for row in rows], np.int64))
            pooled = found if found.ndim == 2 else self._pooled(found)
            vectors |= zip(rows, pooled, strict=True)
        whole = np.array([vectors[row] for row in range(len(texts))], np.float32)
        length = np.linalg.norm(whole, axis=-1, keepdims=True)
        return np.asarray(whole / np.maximum(length, 1e-9), np.float32)

    def _pooled(self, states: FloatArray) -> FloatArray:
        if _stated(self.folder / POOLING).get("pooling_mode_cls_token"):
            return states[:, 0]
        return np.asarray(states.mean(axis=1))


def sentence_encoder(folder: Path) -> SentenceEncoder:
    """The model of a folder.

    Raises:
        SentenceModelError: if the folder is not there or holds none
    """
    if not folder.is_dir():
        raise SentenceModelError(f"{folder} is no folder")
    if not (folder / TOKENIZER).is_file():
        raise SentenceModelError(f"{folder} holds no {TOKENIZER}")
    weights = _weights(folder)
    read = (TOKENIZER, CONFIG, POOLING, LENGTH, weights, f"{weights}_data")
    found = [folder / name for name in read if (folder / name).is_file()]
    hashes = [[str(path.relative_to(folder)), _sha256(path, *_state(path))] for path in found]
    return SentenceEncoder(folder, digest(hashes))


def _weights(folder: Path) -> str:
    """ONNX first: it needs no torch."""
    for name in (*GRAPHS, WEIGHTS):
        if (folder / name).is_file():
            return name
    raise SentenceModelError(f"{folder} holds neither model.onnx nor {WEIGHTS}")


def _state(path: Path) -> tuple[int, int]:
    found = path.stat()
    return found.st_size, found.st_mtime_ns


@lru_cache(maxsize=64)
def _sha256(path: Path, _size: int, _modified_ns: int) -> str:
    """Of a file's bytes, which are read once while size and time stay."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _of_one_length(tokens: Sequence[Sequence[int]]) -> list[list[int]]:
    """Numbers of texts in batches of one length, so that nothing is padded."""
    batches: list[list[int]] = []
    for row in sorted(range(len(tokens)), key=lambda row: len(tokens[row])):
        last = batches[-1] if batches else []
        if last and len(last) < BATCH and len(tokens[last[0]]) == len(tokens[row]):
            last.append(row)
        else:
            batches.append([row])
    return batches


@cache
def _loaded(encoder: SentenceEncoder) -> tuple[States, Any]:
    """The network and the tokenizer of a folder."""
    try:
        from tokenizers import Tokenizer  # noqa: PLC0415  an extra
    except ImportError as error:
        raise DependencyError(
            "sentence embeddings need tokenizers: pip install 'ser-batch[sentences]'"
        ) from error
    name = _weights(encoder.folder)
    try:
        tokenizer = Tokenizer.from_file(str(encoder.folder / TOKENIZER))
        network = _transformer if name == WEIGHTS else _graph
        states = network(encoder.folder / name)
    except DependencyError:
        raise
    except Exception as error:  # the tokenizer raises bare exceptions, each engine its own
        raise SentenceModelError(f"{encoder.folder} cannot be read ({error})") from error
    stated = int(_stated(encoder.folder / LENGTH).get("max_seq_length") or MOST_TOKENS)
    tokenizer.no_padding()
    tokenizer.enable_truncation(min(stated, MOST_TOKENS))
    return states, tokenizer


def _stated(path: Path) -> dict[str, Any]:
    """A small JSON file of the folder; empty where there is none."""
    if not path.is_file():
        return {}
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise SentenceModelError(f"{path} is no JSON ({error})") from error
    return found if isinstance(found, dict) else {}


def _graph(path: Path) -> States:
    import onnxruntime  # noqa: PLC0415  slow to import

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    wanted = {one.name for one in session.get_inputs()}

    def states(tokens: IntArray) -> FloatArray:
        given = {
            "input_ids": tokens,
            "attention_mask": np.ones_like(tokens),
            "token_type_ids": np.zeros_like(tokens),
        }
        fed = {name: values for name, values in given.items() if name in wanted}
        return np.asarray(session.run(None, fed)[0])

    return states


def _transformer(path: Path) -> States:
    try:
        import torch  # noqa: PLC0415  an extra
        from transformers import AutoModel  # noqa: PLC0415
        from transformers.utils.logging import disable_progress_bar  # noqa: PLC0415
    except ImportError as error:
        raise DependencyError(
            f"{path.name} needs torch and transformers: pip install 'ser-batch[neural]', or put "
            "the model's ONNX file beside it"
        ) from error
    disable_progress_bar()
    model = AutoModel.from_pretrained(
        path.parent, use_safetensors=True, local_files_only=True, trust_remote_code=False
    ).eval()

    def states(tokens: IntArray) -> FloatArray:
        ids = torch.from_numpy(tokens)
        with torch.no_grad():
            found = model(input_ids=ids, attention_mask=torch.ones_like(ids))
        return np.asarray(found.last_hidden_state)

    return states
