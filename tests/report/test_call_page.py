"""The page of one listed call."""

from __future__ import annotations

import base64
import io
import re
from pathlib import Path

import numpy as np
import pytest
import soundfile

from ser_batch.config import Settings
from ser_batch.labels.review import Reviewed, Reviews
from ser_batch.report.call_page import render_call
from ser_batch.report.data import CallData, from_json
from ser_batch.stages.publish import publish
from ser_batch.stages.report import write_report
from ser_batch.store.lake import Lake
from ser_batch.store.paths import Root
from ser_batch.testing.lakes import MODEL_ID, put_call
from ser_batch.testing.rows import prediction, segment
from tests.kept import Kept
from tests.report.conftest import NASTY
from tests.report.pages import axe_violations, embedded


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Kept:
    """A call of a minute whose recording lies where its row says."""
    folder = tmp_path_factory.mktemp("call")
    root = Root(folder / "root")
    sound = np.random.default_rng(0).normal(0, 0.1, (60 * 8000, 2))
    (folder / "2026").mkdir()
    soundfile.write(folder / "2026" / "r1.wav", sound, 8000, subtype="ULAW")
    put_call(
        Lake(root.lake),
        prediction(segment_no=0),
        prediction(segment_no=2, anger=0.9, neutral=0.1),
        prediction(segment_no=4, anger=0.7, neutral=0.3),
        call_id=NASTY,
        audio_root=str(folder),
        of_recording={"duration_s": 60.0},
    )
    publish(root, Settings(), MODEL_ID)
    return Kept(folder)


@pytest.fixture
def folder(made: Kept) -> Path:
    made.put_back()
    return made.folder


@pytest.fixture
def root(folder: Path) -> Root:
    return Root(folder / "root")


def call_page(root: Root, **report) -> str:
    settings = Settings(report={"call_pages": True, **report})
    html = write_report(root, settings, "run-1").read_text("utf-8")
    [call] = embedded(html, "listed")
    assert call["href"] == "run-1-calls/r1.html"
    return (root.reports / call["href"]).read_text("utf-8")


def test_it_shows_both_sides_and_every_segment_with_its_emotion(root):
    html = call_page(root)
    assert re.findall(r"<h3>(\w+) <span class=\"small\">channel", html) == ["Agent", "Customer"]
    assert html.count("data:image/png;base64,") == 2
    assert html.count('class="scored"') == 3
    assert "anger 90\N{NO-BREAK SPACE}%, neutral 10\N{NO-BREAK SPACE}%" in html
    assert 'href="../run-1.html#priority-calls"' in html
    assert "<script" not in html


def test_it_says_who_reviewed_the_call(root):
    assert "reviewed by" not in call_page(root)
    seen = Reviewed("r1", None, None, (0.0, 60.0), "dissatisfied")
    Reviews(Lake(root.lake), "reviews").add(
        seen, annotator="<b>Ann", verdict="right", emotion=None, note=""
    )
    publish(root, Settings(), MODEL_ID)
    html = call_page(root)
    assert "min · reviewed by &lt;b&gt;Ann, " in html


def test_two_voices_of_one_channel_are_both_shown_on_its_sound(root, folder):
    path = folder / "2026" / "r1.wav"
    soundfile.write(path, soundfile.read(path)[0][:, 0], 8000, subtype="ULAW")
    html = call_page(root, excerpts=True)
    assert html.count("data:image/png;base64,") == 2
    assert html.count("<audio") == 2


def test_speech_is_copied_only_where_the_setting_says_so(root):
    assert "audio/mpeg" not in call_page(root) + (root.reports / "run-1.html").read_text("utf-8")
    html = call_page(root, excerpts=True)
    assert html.count("data:audio/mpeg;base64,") == 2
    assert re.findall(r"<li><span>(.*?)</span>", html) == [
        "0:20 to 0:30 <strong>worst moment</strong>",
        "0:40 to 0:50",
    ]


def test_the_list_carries_the_worst_moment_of_all_sides_with_five_seconds_around_it(root, folder):
    tone = 0.4 * np.sin(np.arange(60 * 8000) * 2 * np.pi * 1000 / 8000)
    sound = np.stack([tone, np.zeros_like(tone)], axis=1)  # the agent's channel alone
    sound[: 20 * 8000] = sound[30 * 8000 :] = 0
    soundfile.write(folder / "2026" / "r1.wav", sound, 8000, subtype="ULAW")
    settings = Settings(report={"excerpts": True, "call_pages": False})
    html = write_report(root, settings, "run-1").read_text("utf-8")
    [call] = embedded(html, "listed")
    assert (call["sound"]["sound_start_s"], call["sound"]["sound_end_s"]) == (15.0, 35.0)
    kind, content = call["sound"]["sound"].split(",")
    assert kind == "data:audio/mpeg;base64"
    signal, rate = soundfile.read(io.BytesIO(base64.b64decode(content)))
    levels = [float(np.std(signal[at * rate : (at + 1) * rate])) for at in (2, 10, 17)]
    assert levels[1] > 0.2 > 100 * max(levels[0], levels[2])
    assert len(signal) / rate == pytest.approx(20, abs=0.3)
    assert "This page contains customers" in html


def test_without_its_recording_it_shows_what_was_found(root, folder):
    (folder / "2026" / "r1.wav").unlink()
    html = call_page(root, excerpts=True)
    assert "no longer at its path" in html
    assert html.count('class="scored"') == 3
    assert "data:" not in html.split("</head>")[1]


def test_it_is_rendered_again_without_its_recording_as_it_was(root, folder):
    html = call_page(root, excerpts=True)
    (folder / "2026" / "r1.wav").unlink()
    data = (root.reports / "run-1-calls" / "r1.json").read_text("utf-8")
    assert render_call(from_json(data, CallData)) == html


def test_no_pages_are_written_where_the_setting_says_so(root):
    call_page(root)
    settings = Settings(report={"call_pages": False})
    html = write_report(root, settings, "run-1").read_text("utf-8")
    assert "run-1-calls" not in html
    assert not (root.reports / "run-1-calls").exists()


def test_the_arc_goes_through_the_tenths_of_the_call_that_have_a_score(root):
    """Speech at 0 to 10 s, 20 to 30 s and 40 to 50 s of the minute; nothing between."""
    [path] = re.findall(r'<path d="(M[^"V]+)"', call_page(root))
    points = re.findall(r"([ML])([\d.]+),([\d.]+)", path)
    assert [move for move, *_ in points] == ["M", "L", "M", "L", "M", "L", "L"]
    assert [round(float(x)) for _, x, _ in points] == [50, 150, 350, 450, 650, 750, 850]
    assert [round(float(y), 1) for *_, y in points] == [1.0, 1.0, 0.1, 0.1, 0.3, 0.3, 0.3]


def test_it_marks_where_both_speak_and_where_a_tone_plays_while_nobody_does(root, folder):
    assert "lane" not in call_page(root).split("</head>")[1]
    lake, path = Lake(root.lake), folder / "2026" / "r1.wav"
    put_call(
        lake,
        prediction(segment_no=0, anger=0.9, neutral=0.1),
        audio_root=str(folder),
        of_recording={"duration_s": 60.0},
        segments=[
            segment("r1", 1, 0, start_s=5.0, end_s=20.0),
            segment("r1", 0, 0, start_s=15.0, end_s=25.0),
        ],
    )
    publish(root, Settings(), MODEL_ID)
    sound = np.zeros((60 * 8000, 2))
    sound[40 * 8000 : 46 * 8000, 0] = 0.2 * np.sin(np.arange(6 * 8000) * 2 * np.pi * 1400 / 8000)
    soundfile.write(path, sound, 8000, subtype="ULAW")
    html = call_page(root)
    assert re.findall(r'<rect class="overlap" x="([\d.]+)" width="([\d.]+)"', html) == [
        ("250.0", "83.3")
    ]
    [(start, width)] = re.findall(r'<rect class="hold" x="([\d.]+)" width="([\d.]+)"', html)
    assert float(start) == pytest.approx(1000 * 40 / 60, abs=2)
    assert float(width) == pytest.approx(1000 * 6 / 60, abs=4)


def test_an_uncertain_segment_says_why_the_model_does_not_name_an_emotion(root):
    unsure = {"emotion": "uncertain", "anger": 0.6, "neutral": 0.4}
    put_call(
        Lake(root.lake),
        prediction(segment_no=0, anger=1.0),
        prediction(segment_no=1, **unsure),
        {**prediction(segment_no=2, emotion="uncertain", anger=0.9, neutral=0.1), "ood_score": 2},
    )
    publish(root, Settings(), MODEL_ID)
    assert re.findall(r'data-label="Predicted emotion">(.*?)<', call_page(root)) == [
        "anger",
        "uncertain: no emotion is likely enough",
        "uncertain: out of distribution",
    ]


def test_it_says_the_year(root):
    assert "Tue 3 Nov 2026, 12:00" in call_page(root)


@pytest.mark.browser
@pytest.mark.parametrize("width", [360, 1200])
def test_list_and_page_open_from_disk_quietly_play_and_lead_back(root, browser, width):
    call_page(root, excerpts=True)
    page = browser.new_page(viewport={"width": width, "height": 800})
    trouble: list[str] = []
    page.on("console", lambda message: trouble.append(message.text))
    page.on("request", lambda request: trouble.append(request.url[:40]))
    page.goto((root.reports / "run-1.html").as_uri())
    play = page.get_by_role("button", name="Play 0:15 to 0:35 of call")
    play.focus()
    page.keyboard.press("Space")
    page.wait_for_function("() => document.getElementById('player').currentTime > 0.3")
    assert play.count() == 0
    page.get_by_role("button", name="Pause 0:15 to 0:35").click()
    assert page.evaluate("document.getElementById('player').paused")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.locator("#priority-calls h3 a").click()
    assert page.locator("h1").inner_text() == NASTY
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate("[...document.images].every((image) => image.naturalWidth > 0)")
    assert axe_violations(page) == []
    page.get_by_text("Back to the report").click()
    assert page.url.endswith("run-1.html#priority-calls")
    assert [url for url in trouble if not url.startswith(("file://", "data:"))] == []
    page.close()
