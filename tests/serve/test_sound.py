"""What the player gets: the recording in any range of bytes, decoded, and nothing on disk."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile
from starlette.testclient import TestClient

from ser_batch.config import Settings
from ser_batch.serve.ranges import RangeError, byte_range
from ser_batch.stages.publish import publish
from ser_batch.store.lake import Lake
from ser_batch.store.paths import Root
from ser_batch.testing.lakes import MODEL_ID, put_call
from ser_batch.testing.rows import prediction
from tests.serve.site import entered, put_recording, site_of, tone

FORMS = {
    "ulaw.wav": {"subtype": "ULAW"},
    "alaw.wav": {"subtype": "ALAW"},
    "gsm.wav": {"subtype": "GSM610"},
    "pcm8.wav": {"subtype": "PCM_U8"},
    "pcm16.wav": {"subtype": "PCM_16"},
    "float.wav": {"subtype": "FLOAT"},
    "call.flac": {},
    "call.ogg": {"subtype": "VORBIS"},
    "call.mp3": {},
}
RANGES = ["0-", "0-0", "0-43", "40-50", "44-44", "45-", "1001-1002", "30000-64043", "-1", "-5000"]


def put(root: Root, name: str, *sides: dict[str, object], **given: object) -> str:
    """A call of one recording, or of one a side; its recording_id."""
    found = {"recording_id": f"nothing-{name}", **(sides[0] if sides else {}), **given}
    if len(sides) > 1:
        found["sides"] = list(sides)
    put_call(Lake(root.lake), prediction(anger=0.9, neutral=0.1), **found)
    return str(found["recording_id"])


def as_object(recording: dict[str, object]) -> dict[str, object]:
    """A recording as one that lies in an object store."""
    return {**recording, "audio_root": f"file://{recording['audio_root']}"}


@pytest.fixture(scope="module")
def calls(tmp_path_factory: pytest.TempPathFactory) -> tuple[Root, dict[str, str]]:
    """Calls by name: of each codec, of pairs, and of recordings that cannot be played."""
    root = Root(tmp_path_factory.mktemp("sound"))
    both = np.stack([tone(300, 2), 0.5 * tone(500, 2)], axis=1)
    ids = {}
    for name, form in FORMS.items():
        samples = both[:, 0] if name == "gsm.wav" else both
        ids[name] = put(root, name, put_recording(root, name, samples, **form))
    agent = put_recording(root, "agent.wav", tone(300, 2), subtype="ULAW")
    wide = put_recording(root, "wide.flac", tone(500, 1, 16000), rate=16000)
    same = put_recording(root, "same.flac", tone(500, 1))
    for name, customer in (("pair", same), ("pair of rates", wide)):
        ids[name] = put(root, name, {**customer, "start_s": 0.25}, {**agent, "start_s": 0.0})
    ids["object"] = put(root, "object", as_object(put_recording(root, "object.wav", both)))
    gone = put_recording(root, "gone.wav", tone(410, 1))
    Path(root.path / "audio" / "gone.wav").unlink()
    replaced = put_recording(root, "replaced.wav", tone(420, 1))
    put_recording(root, "replaced.wav", tone(430, 1))
    secret = root.path / "secret.wav"
    soundfile.write(secret, tone(440, 1), 8000)
    (root.path / "audio" / "link.wav").symlink_to(secret)
    ids |= {"gone": put(root, "gone", gone), "replaced": put(root, "replaced", replaced)}
    for name, path in (("above", "../secret.wav"), ("absolute", str(secret)), ("link", "link.wav")):
        ids[name] = put(root, name, path=path, audio_root=str(root.path / "audio"))
    lost = as_object(put_recording(root, "lost.wav", tone(450, 1)))
    Path(root.path / "audio" / "lost.wav").unlink()
    ids["lost object"] = put(root, "lost object", lost)
    above = as_object({"path": "../secret.wav", "audio_root": str(root.path / "audio")})
    ids["above object"] = put(root, "above object", above)
    publish(root, Settings(), MODEL_ID)
    return root, ids


@pytest.fixture(scope="module")
def client(calls) -> Iterator[TestClient]:
    site = site_of(calls[0])
    yield entered(site)
    site.close()


def sound(client: TestClient, recording_id: str) -> tuple[np.ndarray, int]:
    content = client.get(f"/calls/{recording_id}/sound.wav").content
    with soundfile.SoundFile(io.BytesIO(content)) as file:
        assert (file.format, file.subtype) == ("WAV", "PCM_16")
        return file.read(always_2d=True), file.samplerate


@pytest.mark.parametrize("name", [*FORMS, "object"])
def test_every_codec_is_heard_as_it_was_recorded(client, calls, name):
    root, ids = calls
    heard, rate = sound(client, ids[name])
    file = root.path / "audio" / ("object.wav" if name == "object" else name)
    recorded, own_rate = soundfile.read(file, always_2d=True)
    assert rate == own_rate
    assert heard.shape == recorded.shape
    assert np.abs(heard - np.clip(recorded, -1, 1)).max() < 1e-4


@pytest.mark.parametrize("name", ["ulaw.wav", "gsm.wav", "pair", "pair of rates", "object"])
@pytest.mark.parametrize("asked", RANGES)
def test_a_range_is_that_part_of_the_whole(client, calls, name, asked):
    url = f"/calls/{calls[1][name]}/sound.wav"
    whole = client.get(url).content
    first, last = byte_range(f"bytes={asked}", len(whole))
    answer = client.get(url, headers={"Range": f"bytes={asked}"})
    assert answer.status_code == 206
    assert answer.content == whole[first : last + 1]
    assert answer.headers["Content-Range"] == f"bytes {first}-{last}/{len(whole)}"
    assert int(answer.headers["Content-Length"]) == len(answer.content)


def test_a_range_beyond_the_end_is_refused_and_one_of_another_kind_is_the_whole(client, calls):
    url = f"/calls/{calls[1]['ulaw.wav']}/sound.wav"
    size = len(client.get(url).content)
    answer = client.get(url, headers={"Range": f"bytes={size}-"})
    assert (answer.status_code, answer.headers["Content-Range"]) == (416, f"bytes */{size}")
    for asked in ("bytes=0-1,5-6", "seconds=0-1", "bytes=-", "bytes=5-1x", "x"):
        answer = client.get(url, headers={"Range": asked})
        assert (answer.status_code, len(answer.content)) == (200, size)
    head = client.head(url)
    assert (head.status_code, int(head.headers["Content-Length"]), head.content) == (200, size, b"")


def test_ranges_hold_at_their_edges():
    assert byte_range("bytes=0-", 10) == (0, 9)
    assert byte_range("bytes=-3", 10) == (7, 9)
    assert byte_range("bytes=-30", 10) == (0, 9)
    assert byte_range("bytes=9-99", 10) == (9, 9)
    for header in ("bytes=10-", "bytes=-0", "bytes=5-4"):
        with pytest.raises(RangeError):
            byte_range(header, 10)


@pytest.mark.parametrize("name", ["pair", "pair of rates"])
def test_one_file_a_side_is_heard_together_at_the_stated_starts(client, calls, name):
    heard, rate = sound(client, calls[1][name])
    assert heard.shape == (2 * rate, 2)
    customer, agent = heard.T
    at = round(0.25 * rate)
    assert np.abs(customer[:at]).max() == 0
    assert np.abs(customer[at + rate + 1 :]).max() == 0
    expected = tone(500, 1, rate)[: rate - rate // 10]
    assert np.abs(customer[at : at + len(expected)] - expected).max() < 0.01
    middle = slice(rate // 2, rate)
    assert np.abs(agent[middle] - tone(300, 2, rate)[middle]).max() < 0.02


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("gone", "not there any more"),
        ("replaced", "another recording"),
        ("above", "leads out"),
        ("absolute", "leads out"),
        ("link", "leads out"),
        ("lost object", "not there any more"),
        ("above object", "leads out"),
    ],
)
def test_a_recording_that_is_gone_or_lies_elsewhere_is_not_played(client, calls, name, reason):
    recording_id = calls[1][name]
    for part in ("sound.wav", "peaks"):
        answer = client.get(f"/calls/{recording_id}/{part}")
        assert answer.status_code == 410
        assert reason in answer.json()["error"]
    page = client.get(f"/calls/{recording_id}").text
    assert "Segments of the customer" in page
    if name != "replaced":  # whether the bytes are others is seen when they are read
        assert reason in page
        assert "<audio" not in page


def test_the_waveform_is_that_of_each_channel(client, calls):
    found = client.get(f"/calls/{calls[1]['pcm16.wav']}/peaks").json()
    assert found["duration_s"] == 2
    agent, customer = (np.array(bins) for bins in found["channels"])
    assert agent.shape == customer.shape
    assert agent[:, 1].max() == 127
    assert abs(customer[:, 1].max() - 64) <= 1
    assert (agent[:, 0] <= agent[:, 1]).all()


def test_listening_writes_nothing(client, calls):
    root, ids = calls

    def files() -> set[tuple[str, int]]:
        found = root.path.rglob("*")
        return {(str(path), path.stat().st_mtime_ns) for path in found if "audio" in path.parts}

    before = files()
    sound(client, ids["alaw.wav"])
    client.get(f"/calls/{ids['alaw.wav']}/peaks")
    assert files() == before
    assert not list(Path(root.path).rglob("*.tmp"))
