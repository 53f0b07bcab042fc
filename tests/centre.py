"""A call centre whose calls of two customers were taken in, scored, shown and queued for labels."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import duckdb
import numpy as np
import pyarrow.parquet as pq
import soundfile

from ser_batch.config import Settings
from ser_batch.features.sets import get_feature_set
from ser_batch.labels.queue import queue_labels
from ser_batch.scoring.choose import model_id
from ser_batch.stages.ingest import IngestResult, ingest
from ser_batch.stages.publish import publish
from ser_batch.stages.report import write_report
from ser_batch.store.lake import Lake, Part
from ser_batch.store.paths import Root
from ser_batch.tables import (
    CALLS,
    CHANNELS,
    LABELS,
    METADATA,
    RECORDINGS,
    SEGMENTS,
    features_contract,
    predictions_contract,
)
from ser_batch.testing.rows import MIDDAY, channel, prediction, recording, segment

RATE = 8000
SETTINGS = Settings(ingest={"min_age_s": 0}, report={"min_calls": 1}, labels={"random_share": 0})
LINES = (
    "file,call_id,started_at,customer,email,product\n"
    "k1.wav,id-k1,2026-11-03T10:00:00,Kowalski,kowalski@example.org,fibre\n"
    "sub/k2.wav,id-k2,2026-11-02T10:00:00,Kowalski,kowalski@example.org,fibre\n"
    "n1.wav,id-n1,2026-11-03T11:00:00,Novak,novak@example.org,fibre\n"
    "n2.wav,id-n2,2026-11-02T11:00:00,Novak,novak@example.org,mobile\n"
    "never-came.wav,id-k3,2026-11-01T10:00:00,Kowalski,kowalski@example.org,fibre\n"
)


class Centre:
    """Lake, warehouse, reports and labels of four calls; the analysis is made up.

    Args:
        folder: in which its root, its audio and its export lie
    """

    def __init__(self, folder: Path) -> None:
        self.root, self.audio = Root(folder / "root"), folder / "audio"
        self.lake, self.export = Lake(self.root.lake), folder / "export.csv"
        for number, name in enumerate(("k1.wav", "sub/k2.wav", "n1.wav", "n2.wav")):
            self.put_audio(name, seed=number)
        (self.audio / "copy of k1.wav").write_bytes((self.audio / "k1.wav").read_bytes())
        self.export.write_text(LINES, encoding="utf-8")
        self.night()
        self.ids = {
            row["call_id"]: row["recording_id"] for row in self.lake.read(CALLS).to_pylist()
        }
        self.analyse()
        self.show("first")
        queue_labels(self.root, SETTINGS, self.model, 8)
        self.lake.write(LABELS, Part(None, "page"), LABELS.from_rows(map(self.label, self.ids)))
        write_report(self.root, SETTINGS, "second")

    @property
    def model(self) -> str:
        return model_id(self.root, SETTINGS)

    def put_audio(self, name: str, seed: int) -> None:
        target = self.audio / name
        target.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(target, np.random.default_rng(seed).normal(0, 0.1, (12 * RATE, 2)), RATE)

    def night(self) -> IngestResult:
        now = dt.datetime.now(dt.UTC).replace(tzinfo=None)
        silent = lambda _done, _total: None  # noqa: E731
        return ingest(self.lake, [self.audio], [self.export], SETTINGS, now=now, on_progress=silent)

    def show(self, run_id: str) -> None:
        publish(self.root, SETTINGS, self.model)
        write_report(self.root, SETTINGS, run_id)

    def label(self, call_id: str) -> dict[str, object]:
        span = {"channel": 1, "segment_no": 0, "start_s": 0.0, "end_s": 10.0}
        made = {"label_id": call_id, "emotion": "anger", "annotator": "ann", "source": "page"}
        times = {"made_at": MIDDAY, "imported_at": MIDDAY}
        return {"recording_id": self.ids[call_id], **span, **made, **times}

    def analyse(self) -> None:
        feature_set = get_feature_set(SETTINGS.features.set)
        features = features_contract(feature_set.name, feature_set.names)
        for part in self.lake.parts(CALLS):
            ids = self.lake.read(CALLS, [part])["recording_id"].to_pylist()
            angry = {"anger": 0.9, "neutral": 0.1}
            key = {"channel": 1, "segment_no": 0}
            measured = dict.fromkeys(feature_set.names, 0.5)
            for contract, rows in (
                (RECORDINGS, [recording(i, duration_s=12.0) for i in ids]),
                (CHANNELS, [channel(i, number) for i in ids for number in (0, 1)]),
                (SEGMENTS, [segment(i) for i in ids]),
                (features, [{"recording_id": i, **key, **measured} for i in ids]),
                (predictions_contract(self.model), [prediction(i, **angry) for i in ids]),
            ):
                tags = {"feature_set": feature_set.digest} if contract is features else {}
                self.lake.write(contract, part, contract.from_rows(rows), tags)

    def text(self) -> str:
        """Everything that lies under the root, as text: names of files too."""
        pieces = []
        for path in sorted(path for path in self.root.path.rglob("*") if path.is_file()):
            pieces.append(str(path.relative_to(self.root.path)))
            if path.suffix == ".parquet":
                pieces.append(json.dumps(pq.read_table(path).to_pylist(), default=str))
            pieces.append(path.read_bytes().decode("latin-1"))
        with duckdb.connect(self.root.warehouse, read_only=True) as con:
            for (table,) in con.execute("select table_name from duckdb_tables()").fetchall():
                pieces.append(str(con.execute(f"from {table}").fetchall()))
        return "\n".join(pieces)

    def lines(self) -> list[str]:
        rows = self.lake.read(METADATA, columns=["fields"])["fields"].to_pylist()
        return sorted({dict(fields)["call_id"] for fields in rows})

    def listed(self) -> dict[str, tuple[str, ...]]:
        """The calls that each report lists."""
        pages = {p.name: p.read_text(encoding="utf-8") for p in self.root.reports.glob("*.html")}
        return {
            page: tuple(name for name in sorted(self.ids) if f'"call": "{name}"' in text)
            for page, text in pages.items()
        }
