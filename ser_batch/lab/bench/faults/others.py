"""Programs that come while an operation is at work: runs, an import, and a listener who writes."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable
from functools import partial

from ser_batch.errors import LockedError
from ser_batch.ingest.late_rows import append
from ser_batch.ingest.tombstones import erased_of
from ser_batch.lab.bench.faults.centre import Centre
from ser_batch.lab.bench.faults.contents import LISTENER, SECOND
from ser_batch.lab.bench.faults.operations import Operation, import_some, runs
from ser_batch.labels.review import NOT_FLAGGED, RIGHT, Reviewed, Reviews
from ser_batch.labels.session import ErasedError
from ser_batch.store.lake import Lake
from ser_batch.store.paths import Root
from ser_batch.tables import ACCESS_LOG, CALLS, LABELS, predictions_contract


class Others:
    """A night, an erasure, an import of labels, and a listener who reviews two calls.

    Args:
        centre: whose programs
        root: that somebody is at work on; the listener chooses two of its calls now
        operation: what is at work

    Attributes:
        root: that somebody is at work on
        n: programs that have come
        problems: what should not be; empty: the runs were refused, the others were not
    """

    def __init__(self, centre: Centre, root: Root, operation: Operation) -> None:
        self.n = 0
        self.problems: list[str] = []
        self.root, self._centre, self._lake = root, centre, Lake(root.lake)
        self._runs = runs(centre) if operation.holds else {}
        scored = predictions_contract(centre.bundle.model_id)
        self._imports = bool(self._lake.parts(scored))
        rows = self._lake.read(CALLS, columns=["recording_id"]).to_pylist()
        calls = [str(row["recording_id"]) for row in rows]
        self._calls = sorted({min(calls), max(calls)}) if calls else []
        self._heard: list[str] = []
        self._n_taken = 0

    def come(self) -> None:
        """Runs are refused with one line; labels are stored, unless the call was erased."""
        for name, run in self._runs.items():
            self._come(name, partial(self._refused, run))
        for number, recording_id in enumerate(self._calls):
            self._come("a review", partial(self._listen, recording_id, number))
        if self._imports:
            self._come("an import of labels", self._import)

    def lost(self) -> str:
        """What is not there any more, or more than once, or of an erased call; empty: nothing."""
        erased = erased_of(self._lake, set(self._calls))
        expected = Counter(call for call in self._heard if call not in erased)
        labels = self._lake.read(LABELS).to_pylist()
        reviewed = Counter(r["recording_id"] for r in labels if r["annotator"] == LISTENER)
        logged = Counter(row["recording_id"] for row in self._lake.read(ACCESS_LOG).to_pylist())
        if reviewed != expected or logged != expected:
            return f"reviews of {dict(reviewed)} and access to {dict(logged)} are stored"
        imported = [row["label_id"] for row in labels if row["annotator"] == SECOND]
        if len(set(imported)) < len(imported):
            return "imported labels are stored twice"
        if not erased and len(imported) != self._n_taken:
            return f"{len(imported)} of {self._n_taken} imported labels are stored"
        return ""

    def _come(self, name: str, program: Callable[[], str]) -> None:
        self.n += 1
        try:
            problem = program()
        except Exception as error:
            problem = f"ends with {error!r}"
        if problem:
            self.problems.append(f"{name} {problem}")

    def _refused(self, run: Callable[[Root], None]) -> str:
        try:
            run(self.root)
        except LockedError:
            return ""
        return "was not refused"

    def _import(self) -> str:
        self._n_taken = import_some(self.root, self._centre, SECOND).n_taken
        return ""

    def _listen(self, recording_id: str, number: int) -> str:
        """Store a review and its line of the access log, as the web application does."""
        reviewed = Reviewed(recording_id, None, None, (0, 1), NOT_FLAGGED)
        reviews = Reviews(self._lake, LISTENER)
        try:
            reviews.add(reviewed, annotator=LISTENER, verdict=RIGHT, emotion=None, note="")
        except ErasedError:
            return ""
        line = {
            "access_id": f"line {number}",
            "accessed_at": dt.datetime(2026, 11, 4, 2),
            "person": LISTENER,
            "session_id": "s",
            "action": "labelled",
            "recording_id": recording_id,
        }
        append(self._lake, ACCESS_LOG, LISTENER, [line])
        self._heard.append(recording_id)
        return ""
