"""How many recordings a line of metadata names, counted one by one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

from ser_batch.config import Settings
from ser_batch.ingest.matching import KnownFile, call_id_of_name, fields_of_name, path_keys
from ser_batch.ingest.scan import same_name


def count_named(
    calls: Sequence[Sequence[KnownFile]], settings: Settings
) -> Callable[[str, str], int]:
    counts: Counter[tuple[str, str]] = Counter()
    for first, *others in calls:
        call_id = call_id_of_name(first, fields_of_name(first, settings.ingest))
        counts["id", same_name(call_id)] += 1
        counts.update(("path", key) for file in (first, *others) for key in path_keys(file))
    return lambda kind, name: counts[kind, name]
