"""Reports follow from their data files, and follow late objections and erasures."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest

from ser_batch.config import Settings
from ser_batch.report import files
from ser_batch.report.call_page import render_call
from ser_batch.report.data import DATA_VERSION, CallData, ReportData, from_json, to_json
from ser_batch.report.page import render
from ser_batch.stages.publish import publish
from ser_batch.stages.report import is_current, write_report
from ser_batch.store.lake import Lake
from ser_batch.store.paths import Root
from ser_batch.tables import QUARANTINE
from ser_batch.testing.lakes import MODEL_ID, put, put_call
from ser_batch.testing.rows import bad_file, prediction
from tests.centre import Centre

GONE = "gone"
MENTION = re.compile(r"(?<![\w./-])gone\.wav")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Root:
    """Two listed calls with pages in `first` and `latest`, and a rejected file named as one."""
    root = Root(tmp_path_factory.mktemp("written"))
    lake = Lake(root.lake)
    for name in (GONE, "stays"):
        put_call(lake, prediction(anger=0.9, neutral=0.1), recording_id=name)
    put(lake, QUARANTINE, bad_file(message="copy of gone.wav"), bad_file("other.wav"))
    publish(root, Settings(), MODEL_ID)
    write_report(root, Settings(), "first")
    return root


@pytest.fixture
def written(made: Root, tmp_path: Path) -> Root:
    """A copy of the test's own."""
    return Root(Path(shutil.copytree(made.path, tmp_path / "root")))


def traces(root: Root) -> list[str]:
    """Files that name the call, or are named for it."""
    found = [path for path in root.reports.rglob("*") if path.is_file()]
    return [
        str(path.relative_to(root.reports))
        for path in found
        if GONE in path.name or GONE in path.read_text("utf-8")
    ]


def test_pages_are_rendered_from_their_data_files_alone(written: Root) -> None:
    for page in (written.reports / "first.html", written.reports / "latest.html"):
        data = from_json(page.with_suffix(".json").read_text("utf-8"), ReportData)
        assert render(data) == page.read_text("utf-8")
        assert from_json(to_json(data), ReportData) == data
    for page in (written.reports / "first-calls").glob("*.html"):
        call = from_json(page.with_suffix(".json").read_text("utf-8"), CallData)
        assert render_call(call) == page.read_text("utf-8")


def test_the_next_report_removes_what_a_killed_one_left_unfinished(written: Root) -> None:
    left = [
        written.reports / ".tmp-1-latest.json",
        written.reports / "first-calls" / ".tmp-1-a.html",
    ]
    for path in left:
        path.write_text("{")
    files.begin_report(written.reports, "second")
    assert not any(path.exists() for path in left)
    assert (written.reports / "first.html").exists()


def test_data_files_hold_no_customer_and_no_team(root: Root) -> None:
    put_call(
        Lake(root.lake),
        prediction(anger=0.9, neutral=0.1),
        customer="Nowak",
        team="Team 7",
        attributes=[("email", "nowak@example.org")],
    )
    publish(root, Settings(), MODEL_ID)
    write_report(root, Settings(), "first")
    text = "".join(path.read_text("utf-8") for path in root.reports.rglob("*.json"))
    assert "call-r1" in text
    assert [name for name in ("Nowak", "Team 7", "nowak@") if name in text] == []


def test_a_redacted_report_keeps_the_other_calls_and_its_sums(written: Root) -> None:
    page = written.reports / "first.html"
    sums = re.search(r'<script type="application/json".*?</script>', page.read_text("utf-8"))
    assert files.redact(written.reports, {GONE}, MENTION) == 3  # its page and both reports
    assert traces(written) == []
    html = page.read_text("utf-8")
    assert ("call-stays" in html, "other.wav" in html) == (True, True)
    assert sums
    assert sums[0] in html
    assert (written.reports / "first-calls" / "stays.html").exists()
    assert files.redact(written.reports, {GONE}, MENTION) == 0


@pytest.mark.parametrize("n_writes", range(4))
def test_a_redaction_that_was_killed_is_finished_by_the_next(
    written: Root, monkeypatch: pytest.MonkeyPatch, n_writes: int
) -> None:
    """Two reports are written again, page and data: killed before each of the four writes."""
    write, done = files.write_text_atomic, []

    def killed(target: Path, text: str) -> None:
        if len(done) == n_writes:
            raise KeyboardInterrupt
        done.append(target)
        write(target, text)

    monkeypatch.setattr(files, "write_text_atomic", killed)
    with pytest.raises(KeyboardInterrupt):
        files.redact(written.reports, {GONE}, MENTION)
    monkeypatch.undo()
    files.redact(written.reports, {GONE}, MENTION)
    assert traces(written) == []
    assert {path.name for path in written.reports.glob("*.html")} == {"first.html", "latest.html"}


def test_a_report_without_readable_data_is_deleted_once_a_call_is_removed(written: Root) -> None:
    data = written.reports / "first.json"
    (written.reports / "old.html").write_text("<p>gone</p>", encoding="utf-8")
    data.write_text(
        data.read_text("utf-8").replace(f'"data_version":{DATA_VERSION}', '"data_version":0')
    )
    assert files.redact(written.reports, set()) == 0
    assert (written.reports / "old.html").exists()
    files.redact(written.reports, {"another"})
    assert sorted(path.name for path in written.reports.iterdir()) == ["latest.html", "latest.json"]


def test_a_report_that_mentions_the_call_in_a_sum_is_deleted(written: Root) -> None:
    data = written.reports / "first.json"
    fields = json.loads(data.read_text("utf-8"))
    fields["content"]["cells"]["facets"][0]["values"] = ["gone.wav"]
    data.write_text(json.dumps(fields), encoding="utf-8")
    files.redact(written.reports, {GONE}, MENTION)
    assert sorted(path.name for path in written.reports.iterdir()) == ["latest.html", "latest.json"]


def test_the_latest_report_is_current_until_a_setting_that_it_shows_changes(written: Root) -> None:
    assert is_current(written, Settings())
    assert not is_current(written, Settings(report={"min_calls": 9}))
    (written.reports / "latest.json").unlink()
    assert not is_current(written, Settings())


def test_a_late_objection_removes_the_call_from_earlier_reports(tmp_path: Path) -> None:
    centre = Centre(tmp_path)
    page = f"{centre.ids['id-n1']}.html"
    assert [path.parent.name for path in centre.root.reports.glob(f"*/{page}")]
    assert set(centre.listed().values()) == {("id-k1", "id-k2", "id-n1", "id-n2")}

    centre.export.write_text("file,objected\nn1.wav,yes\n", encoding="utf-8")
    centre.night()
    centre.show("after")

    assert list(centre.root.reports.glob(f"*/{page}")) == []
    assert set(centre.listed().values()) == {("id-k1", "id-k2", "id-n2")}
    assert {"first.html", "second.html"} <= set(centre.listed())
