"""Tags of a part of `calls`: digests of what its rows were made from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import polars as pl

from ser_batch.config import Settings, digest
from ser_batch.ingest.objections import read_objections

RULES_VERSION = 6
"""Raised when the resolution of calls changes, so that every row is recomputed."""

_OF_FILES = (
    "recording_id",
    "path",
    "audio_root",
    "size_bytes",
    "modified_ns",
    "other_places",
    "call",
    "channel",
    "side_call_id",
    "side_name",
    "side_is_ambiguous",
)
"""Columns of the inventory that a part of `calls` is made from."""

DECIDES_SCORING = (
    "recording_id",
    "roles",
    "single_role",
    "first_speaker",
    "notice_given",
    "objected",
    "sides",
)
"""Columns on which it depends what is decoded, and which channels are described and scored."""


def rules_tags(settings: Settings) -> dict[str, str]:
    """Digests of all that the resolution of calls depends on beside files and metadata."""
    naming = settings.ingest.model_dump(
        include={
            "name_pattern",
            "pair_pattern",
            "side_roles",
            "name_time_format",
            "time_format",
            "columns",
            "drop_attributes",
            "pseudonymise",
            "timezone",
        }
    )
    return {
        "rules": digest([RULES_VERSION, naming, settings.roles.model_dump()]),
        "objections": read_objections(settings).digest(),
    }


def files_tag(placed: pl.DataFrame) -> str:
    """Digest of the recordings of a part.

    Args:
        placed: rows of `with_sides`
    """
    return digest(placed.select(_OF_FILES).rows())


def scoring_tag(rows: Iterable[Mapping[str, object]]) -> str:
    """Digest of what decides the scoring of a part's calls, in the order of its recordings."""
    return digest([[row[name] for name in DECIDES_SCORING] for row in rows])
