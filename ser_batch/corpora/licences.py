"""Licences of public corpora, from free to strict, and what they let a model be used for."""

from __future__ import annotations

from collections.abc import Iterable

from ser_batch.config import nearest
from ser_batch.errors import CorpusError

LICENCES: tuple[str, ...] = (
    "CC0-1.0",
    "MIT",
    "Apache-2.0",
    "CC-BY-3.0",
    "CC-BY-4.0",
    "ODbL-1.0",
    "CC-BY-SA-4.0",
    "CC-BY-NC-4.0",
    "CC-BY-NC-SA-4.0",
    "CC-BY-NC-ND-4.0",
    "research-only",
    "own",
)
"""From the freest to the strictest; `own` are a user's own recordings: nobody else's business."""


def strictest(licences: Iterable[str]) -> str:
    """The strictest of some licences: the one a model trained on all of them must carry.

    Raises:
        CorpusError: if a licence is not known, naming the nearest
    """
    found = list(licences)
    for name in found:
        if name not in LICENCES:
            raise CorpusError(f"{name!r} is no known licence{nearest(name, LICENCES)}")
    return max(found, key=LICENCES.index)
