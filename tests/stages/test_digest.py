"""The weekly digest: what it says, what it does not say, and how it leaves."""

from __future__ import annotations

import datetime as dt
import json
import shutil
import ssl
import subprocess
from collections import Counter

import pytest

from ser_batch.config import Settings
from ser_batch.errors import SettingsError
from ser_batch.report.digest import read_digest, render_html, render_text
from ser_batch.report.files import redact
from ser_batch.settings_file import load_settings
from ser_batch.stages.digest import send_digest, send_if_due, write_digest
from ser_batch.stages.publish import publish
from ser_batch.stages.report import write_report
from ser_batch.store.lake import Lake
from ser_batch.store.paths import Root
from ser_batch.testing.lakes import MODEL_ID, TODAY, call_rows, put_call, put_rows, put_weeks
from ser_batch.testing.rows import MIDDAY, prediction
from ser_batch.warehouse import connect
from tests.monitoring.webhooks import webhook_server
from tests.stages.smtp import mail_server

NASTY = "<img src=x onerror=alert(1)>\r\nBcc: other@example.com"
MONDAY = dt.datetime(2026, 11, 2, 2, 0)
LINK = "https://intranet.example/reports"


@pytest.fixture(scope="module")
def root(tmp_path_factory) -> Root:
    """Two weeks of calls; billing gets worse, and the worst call of all has hostile metadata."""
    root = Root(tmp_path_factory.mktemp("digest"))
    put_weeks(Lake(root.lake), n_days=14, n_calls=210)
    put_call(
        Lake(root.lake),
        *(prediction(segment_no=number, anger=1.0) for number in range(9)),
        recording_id="nasty",
        call_id=NASTY,
        queue="<b>queue</b>",
        customer="secret-customer",
        attributes=[("email", "someone@example.com")],
        path="secret-path.wav",
    )
    put_rows(  # a queue that is scored in the first of two weeks
        Lake(root.lake),
        *(
            call_rows(
                prediction() if ago > 6 else prediction(emotion="uncertain"),
                recording_id=f"quiet-{ago}-{number}",
                queue="quiet",
                started_at=MIDDAY - dt.timedelta(days=ago),
            )
            for ago in range(14)
            for number in range(2)
        ),
    )
    settings = Settings(report={"priority_calls": 3})
    publish(root, settings, MODEL_ID)
    write_report(root, settings, "20261103T020000Z")
    return root


@pytest.fixture(scope="module")
def digest(root):
    with connect(root.warehouse) as con:
        return read_digest(con, Settings(), root.reports, TODAY)


@pytest.fixture
def fresh(root, tmp_path) -> Root:
    """The published root, with no digest written or sent."""
    shutil.copytree(root.path / "warehouse", tmp_path / "warehouse")
    return Root(tmp_path)


def mailing(server, **given) -> Settings:
    own = {
        "host": "127.0.0.1",
        "port": server.port,
        "starttls": False,
        "sender": "calls@example.com",
        "to": ["a@example.com", "b@example.com"],
        "link": LINK,
    }
    return Settings(digest={**own, **given})


def test_it_says_what_changed_which_calls_to_hear_and_where_coverage_fell(digest):
    text = " ".join(render_text(digest, link=LINK).split())
    assert digest.subject.startswith("Calls of 28 Oct 2026 to 3 Nov 2026: ")
    assert digest.week.sentence.replace("\N{NO-BREAK SPACE}", " ") in text
    assert "- billing: worse, " in text
    assert digest.fell[0]["queue"] == "quiet"
    assert "- quiet: 0 % of the customers' speech against 100 % the week before" in text
    assert len(digest.calls) == 5
    assert f"{LINK}/20261103T020000Z-calls/nasty.html" in text
    assert max(map(len, render_text(digest, link=None).splitlines())) <= 72


def test_calls_without_a_page_have_no_link_and_nothing_has_without_an_address(digest):
    html = render_html(digest, link=LINK)
    assert Counter(call.page is not None for call in digest.calls) == {True: 3, False: 2}
    assert html.count("<a ") == 3
    assert "<a " not in render_html(digest, link=None)


def test_metadata_is_inert_and_neither_customer_nor_attribute_nor_path_is_sent(digest):
    html, text = render_html(digest, link=LINK), render_text(digest, link=LINK)
    assert "<img" not in html
    assert "&lt;b&gt;queue&lt;/b&gt;" in html
    assert "\nBcc" not in text
    for secret in ("secret-customer", "someone@example.com", "secret-path"):
        assert secret not in html + text


def test_a_mail_has_both_forms_and_reaches_every_address(fresh, digest):
    with mail_server() as server:
        sent = send_digest(fresh, mailing(server), digest, TODAY)
    assert (sent.n_sent, sent.problems) == (1, ())
    [message] = server.messages
    assert server.recipients == [["a@example.com", "b@example.com"]]
    assert message["Subject"] == digest.subject
    assert message["Bcc"] is None
    text, html = message.iter_parts()
    assert message.get_content_type() == "multipart/alternative"
    assert (text.get_content_type(), html.get_content_type()) == ("text/plain", "text/html")
    assert text.get_content().splitlines() == render_text(digest, link=LINK).splitlines()
    assert f'href="{LINK}/20261103T020000Z-calls/nasty.html"' in html.get_content()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    folder = tmp_path_factory.mktemp("tls")
    command = (
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2"
        " -keyout key.pem -out cert.pem -subj /CN=localhost -addext subjectAltName=IP:127.0.0.1"
    )
    subprocess.run(command.split(), cwd=folder, check=True, capture_output=True)
    return folder


def test_a_login_is_encrypted_and_the_password_comes_from_file_or_program(
    fresh, digest, certificate, monkeypatch, tmp_path
):
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate / "cert.pem", certificate / "key.pem")
    secret = tmp_path / "password"
    secret.write_text("s3cret\n")
    with mail_server(tls=tls) as server:
        own = mailing(server, starttls=True, user="calls", password_file=str(secret))
        [problem] = send_digest(fresh, own, digest, TODAY).problems
        assert "certificate verify failed" in problem  # nobody vouches for it yet
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate / "cert.pem"))
        assert send_digest(fresh, own, digest, TODAY).problems == ()
        own = mailing(server, starttls=True, user="calls", password_command="echo from-program")
        assert send_digest(fresh, own, digest, TODAY).problems == ()
        own = mailing(server, starttls=True, user="calls", password="wrong")
        [problem] = send_digest(fresh, own, digest, TODAY).problems
    assert server.logins[:2] == [("calls", "s3cret", True), ("calls", "from-program", True)]
    assert "535 bad credentials" in problem
    assert len(server.messages) == 2


def test_it_is_sent_once_a_week_from_the_weekday_on(fresh):
    with mail_server() as server:
        own = mailing(server, weekday="monday")
        assert send_if_due(fresh, own, MONDAY - dt.timedelta(days=1)).n_sent == 1  # last week's
        for later in (0, 0, 1, 6):
            send_if_due(fresh, own, MONDAY + dt.timedelta(days=later))
        assert len(server.messages) == 2
        own = mailing(server, weekday="thursday")
        assert send_if_due(fresh, own, MONDAY + dt.timedelta(days=7)).n_sent == 0
        assert send_if_due(fresh, own, MONDAY + dt.timedelta(days=11)).n_sent == 1
        assert send_if_due(fresh, mailing(server), MONDAY + dt.timedelta(days=21)).n_sent == 0


def test_what_goes_wrong_is_told_and_the_next_night_sends_it(fresh, tmp_path):
    with mail_server(refuses="550 no such user") as server:
        own = mailing(server, weekday="monday")
        [problem] = send_if_due(fresh, own, MONDAY).problems
        assert "refused a@example.com, b@example.com" in problem
        server.refuses = None
        assert send_if_due(fresh, own, MONDAY + dt.timedelta(days=1)).n_sent == 1
    [problem] = send_if_due(fresh, own, MONDAY + dt.timedelta(days=7)).problems
    assert "Connection refused" in problem
    fresh.sent_digest.write_text("damaged")
    assert send_if_due(fresh, own, MONDAY).problems
    [problem] = send_if_due(Root(tmp_path / "none"), own, MONDAY).problems
    assert "there is no warehouse" in problem


def test_it_goes_by_the_webhook_of_the_alerts_too(fresh, digest):
    with webhook_server() as server:
        own = Settings(digest={"webhook": True}, alerts={"webhook": server.url})
        assert send_digest(fresh, own, digest, TODAY).n_sent == 1
    [payload] = server.received
    assert payload["kind"] == "digest"
    assert payload["text"] == render_text(digest, link=None)


def test_an_erased_call_takes_the_written_digest_along(fresh):
    write_digest(fresh, Settings(), TODAY)
    assert {path.name for path in fresh.reports.iterdir()} == {"digest.html", "digest.txt"}
    redact(fresh.reports, ["nasty"])
    assert not list(fresh.reports.iterdir())


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('host = "mail.example"', "needs digest.to and digest.sender"),
        ('to = ["a@example.com\\nBcc: b@example.com"]', "is no address"),
        ('weekday = "monday"', "needs digest.host or digest.webhook"),
        ('user = "calls"\nstarttls = false', "sent in clear"),
        ('link = "javascript:alert(1)"', "begins with https"),
    ],
)
def test_settings_that_cannot_work_are_refused(tmp_path, line, message):
    file = tmp_path / "ser-batch.toml"
    file.write_text(f"[digest]\n{line}\n")
    with pytest.raises(SettingsError, match=message):
        load_settings(file)


def test_the_password_is_in_no_message(tmp_path):
    file = tmp_path / "ser-batch.toml"
    file.write_text('[digest]\npassword = "s3cret"\nuser = "calls"\nstarttls = false\n')
    with pytest.raises(SettingsError) as error:
        load_settings(file)
    assert "s3cret" not in str(error.value)
    assert "s3cret" not in json.dumps(
        Settings(digest={"password": "s3cret"}).model_dump(mode="json")
    )
