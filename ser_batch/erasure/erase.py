"""Erase: a call, or all calls of a customer, out of everything that was made of them.

What is to go is written down first, so that an erasure which is killed is finished by the next
run. Afterwards digests alone are kept, by which the audio and the export are known if they are met
again. Figures that sum many calls stay in reports that were written before.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from ser_batch.clock import utc_now
from ser_batch.erasure.plan import Erasure
from ser_batch.erasure.proof import Search, search_traces
from ser_batch.errors import BundleError, ErasurePlanError, FileError, StoreError
from ser_batch.files.inputs import delete_input, is_remote, is_there
from ser_batch.ingest.late_rows import no_writers
from ser_batch.ingest.scan import content_id
from ser_batch.ingest.tombstones import put_tombstones
from ser_batch.labels.files import forget_recordings
from ser_batch.report.files import redact
from ser_batch.scoring.bundle_writer import BUILDING
from ser_batch.scoring.manifest import FITTED_TO, read_evaluation, read_manifest
from ser_batch.scoring.words import read_words
from ser_batch.store.atomic import sweep, write_text_atomic
from ser_batch.store.content import read_bytes
from ser_batch.store.copies import restore_copies
from ser_batch.store.disk import disk
from ser_batch.store.drop import drop_rows, remove_empty_shards
from ser_batch.store.lake import Lake
from ser_batch.store.paths import Root
from ser_batch.store.remembered import forget
from ser_batch.tables import METADATA, PROFILES, QUARANTINE, WRITTEN_ANY_TIME

PENDING = ".erasing.json"

Republish = Callable[[], None]
"""Rebuilds the warehouse and the newest report."""


@dataclass(frozen=True)
class Erased:
    """What was erased.

    Attributes:
        n_recordings: recordings
        rows: rows of the lake by table
        n_snippets: sounds and tasks that annotators were given
        n_pages: pages of reports that were deleted or written again
        n_audio: audio files that were deleted, and their transcripts
        audio_left: audio files that still lie there, and their transcripts; no night takes them in
        models: models that learnt from the calls, which erasing does not change
        search: of every file under the root, afterwards
    """

    n_recordings: int
    rows: dict[str, int]
    n_snippets: int
    n_pages: int
    n_audio: int
    audio_left: tuple[str, ...]
    models: tuple[str, ...]
    search: Search


def erase(root: Root, plan: Erasure, republish: Republish) -> Erased:
    """Carry an erasure out; the root is held.

    Args:
        root: whose lake, labels, reports and warehouse
        plan: what goes
        republish: rebuilds the warehouse and the newest report
    """
    lake = Lake(root.lake)
    write_text_atomic(root.path / PENDING, json.dumps(asdict(plan)), durable=True)
    put_tombstones(lake, plan.stones, utc_now())
    rows = _erase_rows(lake, plan)
    forget(lake)
    n_snippets = forget_recordings(root, set(plan.recordings))
    n_pages = redact(root.reports, plan.recordings, _mention(plan))
    if root.warehouse.exists():
        republish()
    disk().remove_folder(root.models / BUILDING)
    deleted = _delete_audio(plan) if plan.with_audio else []
    models = learnt_from(root, set(plan.recordings))
    files = (*plan.audio_files, *plan.transcripts)
    left = [name for name in files if name not in deleted and _may_be_there(name)]
    disk().unlink(root.path / PENDING)
    search = search_traces(root.path, (*plan.ids, *plan.paths))
    return Erased(
        len(plan.recordings), rows, n_snippets, n_pages, len(deleted), tuple(left), models, search
    )


def finish_erasure(root: Root, republish: Republish) -> Erased | None:
    """Carry out an erasure that was killed, None if there is none; the root is held.

    Raises:
        ErasurePlanError: if what it was to erase cannot be read any more
    """
    path = root.path / PENDING
    try:
        plan = Erasure.from_json(read_bytes(path))
    except FileNotFoundError:
        return None
    except (ValueError, TypeError, RecursionError) as error:
        raise ErasurePlanError(path, f"a killed erasure cannot be read: {error}") from None
    return erase(root, plan, republish)


def _erase_rows(lake: Lake, plan: Erasure) -> dict[str, int]:
    """Drop what stands in the lake; days' profiles, which are sums, are recomputed."""
    recordings = pa.array(plan.recordings, pa.string())

    def is_of(table: pa.Table) -> pa.Array[Any]:
        return pc.is_in(table["recording_id"], recordings)

    with no_writers(lake):
        sweep(lake.folder)
        restore_copies(lake, deep=True)
        dropped: Counter[str] = Counter()
        for contract in WRITTEN_ANY_TIME:
            dropped += drop_rows(lake, ["recording_id"], is_of, contract=contract)
    lines = {tuple(line) for line in plan.lines}
    dropped += drop_rows(
        lake,
        ["source", "line_no"],
        lambda t: pa.array([tuple(row.values()) in lines for row in t.to_pylist()], pa.bool_()),
        contract=METADATA,
    )
    mention = _mention(plan)
    places = {*plan.places, *plan.audio_files}

    def is_about(row: dict[str, str]) -> bool:
        """Whether a row names what goes; a path below another audio folder is another file."""
        if row["audio_root"] is None:
            return row["path"] in places or bool(mention.search(f"{row['path']}\n{row['message']}"))
        file = f"{row['audio_root']}/{row['path']}"
        return file in places or bool(mention.search(row["message"]))

    dropped += drop_rows(
        lake,
        ["audio_root", "path", "message"],
        lambda t: pa.array([is_about(row) for row in t.to_pylist()], pa.bool_()),
        contract=QUARANTINE,
    )
    dropped += drop_rows(lake, ["recording_id"], is_of)
    remove_empty_shards(lake)
    for part in lake.parts(PROFILES):
        if part.date is not None and part.date.isoformat() in plan.dates:
            lake.remove(PROFILES, part)
    return dict(dropped)


def _mention(plan: Erasure) -> re.Pattern[str]:
    """Finds a file wherever it is named, and a value where it stands between quotation marks."""
    files, values = _either(plan.paths), _either(plan.values)
    return re.compile(rf"(?<![\w./-]){files}(?![\w-])|[\"']{values}[\"']")


def _either(texts: Iterable[str]) -> str:
    longest_first = sorted(map(re.escape, texts), key=len, reverse=True)
    return f"(?:{'|'.join(longest_first)})" if longest_first else "(?!)"


def _delete_audio(plan: Erasure) -> list[str]:
    """Delete the recordings themselves, where the files still hold them, and their transcripts."""
    deleted = []
    for name in plan.audio_files:
        try:
            if is_there(Path(name)) and content_id(Path(name)) in plan.recordings:
                delete_input(Path(name))
                deleted.append(name)
        except (FileError, StoreError):
            continue  # it is named among those that are left
    for name in plan.transcripts:
        with suppress(StoreError):
            _delete(Path(name))
            deleted.append(name)
    return deleted


def _delete(transcript: Path) -> None:
    if is_remote(transcript):
        delete_input(transcript)
    else:
        disk().unlink(transcript)


def _may_be_there(name: str) -> bool:
    """Whether a file lies there; of a store that cannot be asked, nobody knows."""
    try:
        return is_there(Path(name))
    except StoreError:
        return True


def learnt_from(root: Root, recordings: set[str]) -> tuple[str, ...]:
    """Models that some recordings taught, or that were fitted to them, below the models' folder."""
    names = []
    for folder in sorted(root.models.glob("*/")):
        try:
            training = read_manifest(folder).training
            fitted_to = read_evaluation(folder).get(FITTED_TO, ())
        except BundleError:
            continue
        learnt = [*(entry.get("recordings", ()) for entry in training), fitted_to]
        if any(recordings.intersection(own) for own in learnt):
            names.append(folder.name)
    for file in sorted(root.words.glob("*.json")):
        words = read_words(file)
        if words is not None and recordings.intersection(words.recordings):
            names.append(f"{file.parent.name}/{file.name}")
    return tuple(names)
