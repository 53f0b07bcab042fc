"""Reports that were written follow a late objection."""

from __future__ import annotations

from pathlib import Path

from tests.centre import Centre


def test_a_late_objection_takes_the_call_out_of_earlier_reports(tmp_path: Path) -> None:
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
