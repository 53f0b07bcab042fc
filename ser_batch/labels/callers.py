"""Who calls, and on which side of the measuring every caller stands for ever.

A caller's side follows from the name alone: whoever is measured by was never learnt from, by any
model, and needs no list that could be lost.
"""

from __future__ import annotations

import hashlib


def caller_of(customer: str | None, recording_id: str) -> str:
    """Name of the caller; a call that names no customer is a caller of its own."""
    return f"customer:{customer}" if customer else f"recording:{recording_id}"


def is_held_out(caller: str, share: float) -> bool:
    """Whether models are measured by this caller and never learn from it.

    Args:
        caller: as `caller_of` names it
        share: of the callers that are held out, 0..1
    """
    number = hashlib.blake2b(caller.encode(), digest_size=8, person=b"held out").digest()
    return int.from_bytes(number, "big") < share * 2**64
