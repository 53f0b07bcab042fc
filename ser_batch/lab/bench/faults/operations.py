"""What faults are injected into: what writes under a root, each from a prepared one."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Callable
from dataclasses import dataclass

from ser_batch.config import Settings
from ser_batch.erasure.erase import erase, finish_erasure
from ser_batch.erasure.plan import ErasureSubject, plan_erasure
from ser_batch.errors import UnknownPersonError
from ser_batch.lab.bench.faults.centre import BEGAN_AT, SETTINGS, Centre
from ser_batch.lab.bench.faults.retraining import SETTINGS as RETRAINING
from ser_batch.lab.bench.faults.retraining import Retraining
from ser_batch.labels.queue import ImportResult, import_labels
from ser_batch.labels.segment_name import segment_name
from ser_batch.scoring.registry import BUNDLED, Event, Registry
from ser_batch.stages.publish import publish
from ser_batch.store.copies import restore_copies
from ser_batch.store.lake import COPIES, Lake
from ser_batch.store.lock import only_run
from ser_batch.store.paths import Root
from ser_batch.tables import CALLS, CHANNELS, SEGMENTS, predictions_contract


@dataclass(frozen=True)
class Operation:
    """Something that writes, and can be begun again after it ended halfway.

    Attributes:
        name: of it
        prepare: brings an empty root to where it begins
        run: carries it out
        settings: name the feature set of its calls
        holds: whether it holds the root, so that other runs are refused
    """

    name: str
    prepare: Callable[[Root], None]
    run: Callable[[Root], None]
    settings: Settings = SETTINGS
    holds: bool = True


def runs(centre: Centre) -> dict[str, Callable[[Root], None]]:
    """What is refused while another one holds a root, by name."""
    return {
        "a night": _held(lambda root: centre.night(root, 3)),
        "an erasure": _held(_erase),
    }


def operations(centre: Centre) -> list[Operation]:
    """What is tried, in this order: the last one is the first to see the last recording."""
    bases = _Bases(centre)

    def night(number: int) -> Callable[[Root], None]:
        return _held(lambda root: centre.night(root, number))

    def objecting(root: Root) -> None:
        objections = root.path.parent / "objections.csv"
        objections.write_text(f"call_id,objected\n{centre.first_call},true\n", encoding="utf-8")
        centre.night(root, 2, [objections])

    def second_night(root: Root) -> None:
        centre.receive_later()
        centre.night(root, 2)

    return [
        Operation("first night", lambda _root: None, night(1)),
        Operation("labels import", bases.analysed, _importing(centre), holds=False),
        Operation("erase", bases.labelled, _held(_erase)),
        Operation("promote", bases.analysed, _held(lambda root: _promote(root, centre))),
        Operation("retrain", bases.trained, _held(lambda root: _retrain(root, centre)), RETRAINING),
        Operation("restore copies", bases.without_copies, _held(_restore)),
        Operation("night after damage", bases.damaged, night(2)),
        Operation("night of an objection", bases.labelled, _held(objecting)),
        Operation("publish", bases.outdated, _held(lambda root: _publish(root, centre))),
        Operation("second night", bases.labelled, _held(second_night)),
    ]


def _held(run: Callable[[Root], None]) -> Callable[[Root], None]:
    """An operation as its command carries it out: it holds the root."""

    def carry_out(root: Root) -> None:
        with only_run(root):
            run(root)

    return carry_out


class _Bases:
    """Roots from which operations begin."""

    def __init__(self, centre: Centre) -> None:
        self._centre = centre

    def analysed(self, root: Root) -> None:
        """After a night."""
        made = Root(self._centre.audio.parent / "analysed")
        if not made.path.exists():
            self._centre.night(made, 1)
        shutil.copytree(made.path, root.path, dirs_exist_ok=True)

    def labelled(self, root: Root) -> None:
        """With labels of some segments, too."""
        self.analysed(root)
        import_some(root, self._centre)

    def outdated(self, root: Root) -> None:
        """With a warehouse that was published before an erasure."""
        self.labelled(root)
        _publish(root, self._centre)
        _erase(root)

    def damaged(self, root: Root) -> None:
        """Without segments and channels."""
        self.labelled(root)
        for table in (SEGMENTS, CHANNELS):
            for part in Lake(root.lake).parts(table):
                Lake(root.lake).remove(table, part)

    def without_copies(self, root: Root) -> None:
        """Without every other second copy."""
        self.labelled(root)
        for number, path in enumerate(sorted(root.lake.rglob("*.parquet"))):
            if COPIES in path.parts and number % 2:
                path.unlink()

    def trained(self, root: Root) -> None:
        """With labels of many callers, and a model that was trained on them."""
        self._centre.retraining = Retraining.prepare(root)


def _importing(centre: Centre) -> Callable[[Root], None]:
    def carry_out(root: Root) -> None:
        import_some(root, centre)

    return carry_out


def import_some(root: Root, centre: Centre, annotator: str = "ann") -> ImportResult:
    """Labels of some customers' segments, from a file as annotators send it."""
    scored = predictions_contract(centre.bundle.model_id)
    segments = Lake(root.lake).read(scored).slice(0, 4).to_pylist()
    file = root.path.parent / f"labels of {annotator}.csv"
    with file.open("w", newline="", encoding="utf-8") as opened:
        writer = csv.writer(opened)
        writer.writerow(("segment", "emotion", "annotator", "made_at"))
        for row in segments:
            key = (row["recording_id"], row["channel"], row["segment_no"])
            writer.writerow((segment_name(key), "anger", annotator, BEGAN_AT.isoformat()))
    return import_labels(root, SETTINGS, file)


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


def _retrain(root: Root, centre: Centre) -> None:
    if centre.retraining is not None:
        centre.retraining.run(root)


def _restore(root: Root) -> None:
    restore_copies(Lake(root.lake))


def _publish(root: Root, centre: Centre) -> None:
    publish(root, SETTINGS, centre.bundle.model_id)
