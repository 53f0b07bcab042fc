"""docs/faults.md, tried row by row: each kind of bad file has the reason code that stands there."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path

import pytest

from ser_batch.audio.call_audio import CallFile, read_call
from ser_batch.config import AudioSettings, IngestSettings, Settings
from ser_batch.errors import MetadataError
from ser_batch.ingest.calls import resolve_calls
from ser_batch.ingest.matching import KnownFile, MetadataIndex, line_issues
from ser_batch.ingest.metadata import is_empty, read_lines
from ser_batch.ingest.metadata_import import file_issues
from ser_batch.ingest.scan import content_id, scan
from tests.faults.audio_kinds import AUDIO_KINDS, WAV
from tests.faults.metadata_kinds import METADATA_KINDS
from tests.ingest.named import count_named

TEXT = (Path(__file__).parents[2] / "docs" / "faults.md").read_text(encoding="utf-8")
NOW = dt.datetime(2026, 3, 2, 12, 0)


def documented(heading: str) -> dict[str, str]:
    """Kind → codes of a table of the page."""
    section = TEXT.split(f"## {heading}\n", 1)[1].split("\n## ", 1)[0]
    return dict(re.findall(r"^\| (.+?) \| `(.+?)` \|$", section, re.MULTILINE))


def audio_code(folder: Path) -> str:
    """What a night says of `call.wav`: it is found, named by its bytes and decoded."""
    found = scan(folder, IngestSettings(), now_s=4e9)
    if found.rejected:
        return found.rejected[0].error.code
    if not found.found:
        return "ignored"
    path = folder / "call.wav"
    if path.stat().st_size < 1 << 30:
        content_id(path)
    _, errors = read_call([CallFile(path)], AudioSettings())
    return errors[0].code if errors else "taken"


@pytest.mark.parametrize(("kind", "code"), documented("Recordings").items())
def test_a_recording_has_the_reason_code_that_is_documented(
    tmp_path: Path, kind: str, code: str
) -> None:
    AUDIO_KINDS[kind](tmp_path / "call.wav")
    assert audio_code(tmp_path) == code


def metadata_codes(path: Path) -> str:
    """The codes that a night writes for a file of metadata and the recording a.wav."""
    settings = Settings()
    try:
        if is_empty(path.read_bytes()):
            return "empty_metadata"
        read = read_lines(path)
    except MetadataError as error:
        return error.code
    codes = [issue.code for issue in file_issues(read, settings.ingest)]
    index = MetadataIndex(read.lines, {})
    files = [(KnownFile("r", "a.wav", "/calls", 1, 10**18, NOW),)]
    _, issues = resolve_calls(files, index, settings)
    codes += [issue.code for issue in (*issues, *line_issues(index, count_named(files, settings)))]
    return " ".join(sorted(set(codes))) or "taken"


@pytest.mark.parametrize(("kind", "codes"), documented("Metadata").items())
def test_metadata_has_the_reason_codes_that_are_documented(
    tmp_path: Path, kind: str, codes: str
) -> None:
    ending, data = METADATA_KINDS[kind]
    path = tmp_path / f"m{ending}"
    path.write_bytes(data)
    assert metadata_codes(path) == codes


def test_every_kind_that_is_tried_is_documented() -> None:
    assert documented("Recordings").keys() == AUDIO_KINDS.keys()
    assert documented("Metadata").keys() == METADATA_KINDS.keys()


def test_a_sound_recording_is_taken(tmp_path: Path) -> None:
    (tmp_path / "call.wav").write_bytes(WAV)
    assert audio_code(tmp_path) == "taken"
