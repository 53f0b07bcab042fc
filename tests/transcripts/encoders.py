"""A sentence embedding model with random weights, in the hub's format."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest


def put_sentence_encoder(folder: Path, lines: Sequence[str]) -> Path:
    """A BERT of one block that knows the words of some lines; the test is skipped without torch."""
    torch = pytest.importorskip("torch", reason="needs ser-batch[neural]")
    transformers = pytest.importorskip("transformers", reason="needs ser-batch[neural]")
    from tokenizers import Tokenizer, models, pre_tokenizers

    words = sorted({word for line in lines for word in line.split()})
    vocabulary = {word: number for number, word in enumerate(["[UNK]", *words])}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    torch.manual_seed(1)
    config = transformers.BertConfig(
        vocab_size=len(vocabulary), hidden_size=32, num_hidden_layers=1, num_attention_heads=2,
        intermediate_size=32, max_position_embeddings=16,
    )  # fmt: skip
    transformers.BertModel(config).save_pretrained(folder)
    tokenizer.save(str(folder / "tokenizer.json"))
    (folder / "sentence_bert_config.json").write_text(json.dumps({"max_seq_length": 16}))
    return folder
