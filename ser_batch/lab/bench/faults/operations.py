"""What faults are injected into: what writes under a root, each from a prepared one."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Callable
from dataclasses import dataclass

from ser_batch.erasure.erase import erase, finish_erasure
from ser_batch.erasure.plan import ErasureSubject, plan_erasure
from ser_batch.errors import UnknownPersonError
from ser_batch.lab.bench.faults.centre import BEGAN_AT, SETTINGS, Centre
from ser_batch.labels.queue import import_labels
from ser_batch.labels.segment_name import segment_name
from ser_batch.scoring.registry import BUNDLED, Event, Registry
from ser_batch.stages.publish import publish
from ser_batch.store.copies import restore_copies
from ser_batch.store.lake import COPIES, Lake
from ser_batch.store.paths import Root
from ser_batch.tables import CALLS, CHANNELS, SEGMENTS, predictions_contract


@dataclass(frozen=True)
class Operation:
    """Something that writes, and can be begun again after it ended halfway.

    Attributes:
        name: of it
        prepare: brings an empty root to where it begins
        run: carries it out
    """

    name: str
    prepare: Callable[[Root], None]
    run: Callable[[Root], None]


def operations(centre: Centre) -> list[Operation]:
    """What is tried, in this order: the last one is the first to see the last recording."""

    def first_night(root: Root) -> None:
        centre.night(root, 1)

    def analysed(root: Root) -> None:
        made = Root(centre.audio.parent / "analysed")
        if not made.path.exists():
            first_night(made)
        shutil.copytree(made.path, root.path, dirs_exist_ok=True)

    def labelled(root: Root) -> None:
        analysed(root)
        _import(root, centre)

    def outdated(root: Root) -> None:
        labelled(root)
        _publish(root, centre)
        _erase(root)

    def damaged(root: Root) -> None:
        labelled(root)
        for table in (SEGMENTS, CHANNELS):
            for part in Lake(root.lake).parts(table):
                Lake(root.lake).remove(table, part)

    def objecting(root: Root) -> None:
        objections = root.path.parent / "objections.csv"
        objections.write_text(f"call_id,objected\n{centre.first_call},true\n", encoding="utf-8")
        centre.night(root, 2, [objections])

    def second_night(root: Root) -> None:
        centre.receive_later()
        centre.night(root, 2)

    return [
        Operation("first night", lambda _root: None, first_night),
        Operation("labels import", analysed, lambda root: _import(root, centre)),
        Operation("erase", labelled, _erase),
        Operation("promote", analysed, lambda root: _promote(root, centre)),
        Operation("restore copies", _without_copies(labelled), _restore),
        Operation("night after damage", damaged, lambda root: centre.night(root, 2)),
        Operation("night of an objection", labelled, objecting),
        Operation("publish", outdated, lambda root: _publish(root, centre)),
        Operation("second night", labelled, second_night),
    ]


def _without_copies(labelled: Callable[[Root], None]) -> Callable[[Root], None]:
    def prepare(root: Root) -> None:
        labelled(root)
        for number, path in enumerate(sorted(root.lake.rglob("*.parquet"))):
            if COPIES in path.parts and number % 2:
                path.unlink()

    return prepare


def _import(root: Root, centre: Centre) -> None:
    """Labels of some customers' segments, from a file as annotators send it."""
    scored = predictions_contract(centre.bundle.model_id)
    segments = Lake(root.lake).read(scored).slice(0, 4).to_pylist()
    file = root.path.parent / "labels.csv"
    with file.open("w", newline="", encoding="utf-8") as opened:
        writer = csv.writer(opened)
        writer.writerow(("segment", "emotion", "annotator", "made_at"))
        for row in segments:
            key = (row["recording_id"], row["channel"], row["segment_no"])
            writer.writerow((segment_name(key), "anger", "ann", BEGAN_AT.isoformat()))
    import_labels(root, SETTINGS, file)


def _erase(root: Root) -> None:
    """Everything of the customer whose segment was labelled first."""
    nothing: Callable[[], None] = lambda: None  # noqa: E731
    finish_erasure(root, nothing)
    lake = Lake(root.lake)
    calls = lake.read(CALLS).to_pylist()
    if len(calls) < 2:
        return  # an earlier try erased it
    customer = min(str(call["customer"]) for call in calls)
    subject = ErasureSubject("customer", customer)
    try:
        plan = plan_erasure(lake, SETTINGS, subject, with_audio=False)
    except UnknownPersonError:
        return
    erase(root, plan, nothing)


def _promote(root: Root, centre: Centre) -> None:
    registry = Registry(root.models)
    registry.path.parent.mkdir(parents=True, exist_ok=True)
    events: tuple[Event, ...] = ("registered", "shadow_on", "promoted")
    for event in events:
        if event not in {entry.event for entry in registry.entries()}:
            name = centre.bundle.model_id
            registry.add(event, name, BUNDLED, who="bench", why=("a fault is tried",))


def _restore(root: Root) -> None:
    restore_copies(Lake(root.lake))


def _publish(root: Root, centre: Centre) -> None:
    publish(root, SETTINGS, centre.bundle.model_id)
