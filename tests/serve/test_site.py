"""The pages of `ser-batch serve` say what the warehouse says, and are safe to open."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from starlette.testclient import TestClient

from ser_batch.config import Settings
from ser_batch.serve.call_list import SORTS
from ser_batch.stages.publish import publish
from ser_batch.store.lake import Lake
from ser_batch.store.paths import Root
from ser_batch.testing.lakes import MODEL_ID, put_call, put_weeks
from ser_batch.testing.rows import prediction
from ser_batch.warehouse import connect
from tests.serve.site import ORIGIN, calls_on, entered, link, site_of

NASTY = "<script>document.title='owned'</script>'; drop table x; --"


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Root:
    root = Root(tmp_path_factory.mktemp("site"))
    lake = Lake(root.lake)
    put_weeks(lake, n_calls=300)
    put_call(
        lake,
        *(
            {
                **prediction(segment_no=number, anger=0.99, neutral=0.01),
                "dissatisfaction_words": 0.07 if number == 0 else None,
            }
            for number in range(9)
        ),
        recording_id="nasty",
        call_id=NASTY,
        queue=NASTY,
        path=f"{NASTY}/=cmd().wav",
        attributes=[("product", NASTY)],
    )
    publish(root, Settings(), MODEL_ID)
    return root


@pytest.fixture(scope="module")
def client(root: Root) -> Iterator[TestClient]:
    site = site_of(root)
    yield entered(site)
    site.close()


def ask(root: Root, sql: str) -> list[tuple[object, ...]]:
    with connect(root.warehouse) as con:
        return con.execute(sql).fetchall()


def every_page(client: TestClient, path: str) -> list[str]:
    """The calls on all pages of a list."""
    found: list[str] = []
    while True:
        page = client.get(path).text
        found += calls_on(page)
        if "Next page" not in page:
            return found
        path = link(page, "Next page")


def test_nothing_is_shown_before_whoever_enters_says_a_name(root):
    site = site_of(root)
    client = entered(site, name="")
    answer = client.get("/calls?q=x", follow_redirects=False)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/name?then=%2Fcalls%3Fq%3Dx")
    assert 'data-then="/calls?q=x"' in client.get("/calls?q=x").text
    assert client.post("/name", json={"name": " "}, headers=ORIGIN).status_code == 400
    assert client.post("/name", json={"name": "bob"}, headers=ORIGIN).status_code == 200
    assert "bob" in client.get("/").text
    site.close()


@pytest.mark.parametrize("then", ["//evil.example", "https://evil.example/", "/\\evil.example", ""])
def test_the_name_page_leads_to_no_other_site(client, then):
    page = client.get(f"/name?then={quote(then)}").text
    [target] = re.findall(r'data-then="([^"]*)"', page)
    assert re.fullmatch(r"/|/evil\.example", target)


def test_the_overview_shows_the_headline_and_leads_to_queues_days_and_calls(client, root):
    page = client.get("/").text
    assert re.search(r"\d+\xa0% of the scored calls were dissatisfied", page)
    assert 'href="/queue?queue=billing"' in page
    assert 'href="/day?day=2026-11-03"' in page
    [(worst,)] = ask(
        root,
        "select recording_id from call_summary where call_date >= '2026-10-28'"
        "order by is_dissatisfied desc nulls last, dissatisfaction desc nulls last limit 1",
    )
    assert calls_on(page)[0] == worst


def test_a_queue_and_a_day_show_their_own_calls_only(client, root):
    own = {"queue": "technical", "call_date": "2026-10-30"}
    for path, column in (("/queue?queue=technical", "queue"), ("/day?day=2026-10-30", "call_date")):
        found = calls_on(client.get(path).text)
        rows = ask(
            root, f"select {column}::varchar from call_summary where recording_id in {(*found, '')}"
        )
        assert rows == [(own[column],)] * len(found)
        assert found
    assert calls_on(client.get("/queue?queue=no+queue").text)


@pytest.mark.parametrize(
    "path",
    ["/queue?queue=nowhere", "/day?day=2020-01-01", "/day?day=x", "/calls/x", "/labels"],
)
def test_what_is_not_there_is_said(client, path):
    answer = client.get(path, headers={"Accept": "text/html"})
    assert answer.status_code == 404
    assert "Not shown" in answer.text
    assert 'href="/calls"' in answer.text


def test_calls_to_listen_to_are_flagged_ones_in_the_order_of_flag_and_index(client, root):
    listed = every_page(client, "/calls")
    rows = ask(
        root,
        "select recording_id from call_summary where is_dissatisfied "
        "order by dissatisfaction desc, dissatisfaction_peak desc, recording_id",
    )
    assert listed == [recording_id for (recording_id,) in rows]
    assert len(listed) > 30


@pytest.mark.parametrize("sort", SORTS)
def test_pages_of_a_list_hold_every_call_once(client, root, sort):
    listed = every_page(client, f"/calls?show=all&sort={sort}")
    rows = ask(root, "select recording_id from call_summary")
    assert len(listed) == len(rows)
    assert set(listed) == {recording_id for (recording_id,) in rows}


def test_a_page_far_down_is_found_without_counting_rows(client):
    path = link(client.get("/calls?show=all").text, "Next page")
    assert "after=" in path
    assert "offset" not in path


def test_filters_and_search_choose_what_the_sql_chooses(client, root):
    chosen = {
        "queue=billing&from=2026-10-20&to=2026-10-25": (
            "queue = 'billing' and call_date between '2026-10-20' and '2026-10-25'"
        ),
        "attribute.product=fibre": "attributes['product'] = 'fibre'",
        "q=FIBRE+billing": "attributes['product'] = 'fibre' and queue = 'billing'",
        "q=synthetic0000004": "contains(call_id, 'synthetic0000004')",
        "queue=no+queue": "queue is null",
        "q=%25": "false",
    }
    for query, condition in chosen.items():
        listed = every_page(client, f"/calls?show=all&{query}")
        rows = ask(root, f"select recording_id from call_summary where {condition}")
        assert set(listed) == {recording_id for (recording_id,) in rows}, query
        assert len(listed) == len(rows)
        assert f"{len(rows)} call" in client.get(f"/calls?show=all&{query}").text


@pytest.mark.parametrize(
    "query", ["sort=x", "show=x", "from=yesterday", "after=x", "after=W10=", "after=WzEsMiwzLDRd"]
)
def test_a_url_that_no_list_has_is_refused(client, query):
    assert client.get(f"/calls?{query}").status_code == 400


def test_texts_of_metadata_stay_text_and_lead_where_they_say(client):
    path = link(client.get("/calls?q=nasty+owned").text, "Look among all calls")
    assert "show=all" in path
    for path in ("/", f"/queue?queue={quote(NASTY)}", "/calls", "/calls/nasty"):
        page = client.get(path).text
        assert "<script>document" not in page, path
        assert "&lt;script&gt;document" in page, path
    assert calls_on(client.get(f"/calls?queue={quote(NASTY)}").text) == ["nasty"]
    assert calls_on(client.get(f"/calls?q={quote(NASTY)}").text) == ["nasty"]


def test_a_call_that_is_not_scored_shows_how_the_sides_talked_and_no_emotion(client, root):
    [(recording_id,)] = ask(
        root,
        "select recording_id from call_summary where not_scored_reason = 'objected' limit 1",
    )
    page = client.get(f"/calls/{recording_id}").text
    assert "the customer objected" in page
    assert "On hold" in page
    assert "Overtalk" in page
    for word in ("Dissatisfaction", "anger", "Worst moment", "Predicted emotion"):
        assert word not in page


def test_a_call_with_words_shows_what_each_part_says(client, root):
    page = client.get("/calls/nasty").text
    assert "By words" in page
    cells = re.findall(r'data-label="By (voice|words)">(.*?)</td>', page)
    assert cells[:4] == [("voice", "0.99"), ("words", "0.07"), ("voice", "0.99"), ("words", "–")]
    [(other,)] = ask(root, "select recording_id from call_summary where queue = 'billing' limit 1")
    assert "By words" not in client.get(f"/calls/{other}").text


def test_pages_follow_the_swap(tmp_path: Path):
    root = Root(tmp_path)
    put_call(Lake(root.lake), prediction(anger=0.9, neutral=0.1), call_id="early")
    publish(root, Settings(), MODEL_ID)
    site = site_of(root)
    client = entered(site)
    assert calls_on(client.get("/calls?show=all").text) == ["r1"]
    put_call(
        Lake(root.lake), prediction("r2", anger=0.9, neutral=0.1), recording_id="r2", call_id="late"
    )
    publish(root, Settings(), MODEL_ID)
    assert sorted(calls_on(client.get("/calls?show=all").text)) == ["r1", "r2"]
    assert "2 of 2 calls" in client.get("/").text
    site.close()


def test_without_a_warehouse_a_page_says_what_makes_one(tmp_path: Path):
    answer = entered(site_of(Root(tmp_path))).get("/")
    assert answer.status_code == 500
    assert "ser-batch nightly" in answer.json()["error"]


def test_two_periods_and_queues_are_compared_and_the_question_stands_in_the_url(client):
    page = client.get("/compare").text
    assert "of the calls are dissatisfied against" in page
    asked = "/compare?queue=billing&with=others&first=2026-10-28&last=2026-11-03"
    page = client.get(asked).text
    assert "billing, 2026-10-28 to 2026-11-03" in page
    assert "other queues, 2026-10-28 to 2026-11-03" in page
    assert 'name="first" value="2026-10-28"' in page
    assert "<option selected>billing</option>" in page


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ("with=others", "name the queue"),
        ("on=yesterday", "names no days"),
        ("first=2026-11-03&last=2026-11-01", "lies after"),
        ("queue=<script>", "no call has the queue"),
    ],
)
def test_a_comparison_that_makes_no_sense_is_refused_on_its_page(client, asked, message):
    answer = client.get(f"/compare?{asked}")
    assert answer.status_code == 400
    assert message in answer.text
    assert "<script>&" not in answer.text


def test_the_tables_are_documented_without_anything_inline(client):
    page = client.get("/docs").text
    assert 'id="call_summary"' in page
    assert "<style" not in page
    assert " style=" not in page
    assert "<script>" not in page
    assert client.get("/docs/docs.js").headers["Content-Type"].startswith("text/javascript")
    assert ".lineage" in client.get("/docs/docs.css").text
