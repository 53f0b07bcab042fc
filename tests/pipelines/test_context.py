"""What a task of a night receives when it runs on another machine."""

from __future__ import annotations

import datetime as dt
import pickle
from pathlib import Path

import pytest

from pipelines.context import NightContext
from pipelines.engine import with_own_key
from ser_batch.config import Settings
from ser_batch.store.paths import Root

SECRETS = ("the key of the root", "a pseudonym key", "https://hook.example/x", "a mail password")


def context() -> NightContext:
    key, pseudonym_key, webhook, password = SECRETS
    settings = Settings(
        encryption={"key": key, "key_file": "/etc/key"},
        ingest={"pseudonym_key": pseudonym_key},
        alerts={"webhook": webhook},
        digest={"password": password},
        run={"workers": 3},
    )
    return NightContext(Root(Path("/root")), settings, "model", "run", dt.datetime(2025, 3, 3))


def test_no_secret_leaves_the_machine_and_all_else_does():
    assert all(secret.encode() in pickle.dumps(context()) for secret in SECRETS)
    sent = context().without_secrets()
    assert not any(secret.encode() in pickle.dumps(sent) for secret in SECRETS)
    assert (sent.settings.run.workers, sent.settings.encryption.key_file) == (3, "/etc/key")


def test_a_worker_takes_the_key_from_its_own_environment(monkeypatch: pytest.MonkeyPatch):
    sent = context().without_secrets().settings.encryption
    assert with_own_key(sent) == sent
    monkeypatch.setenv("SER_ENCRYPTION__KEY", "the key of the root")
    own = with_own_key(sent).key
    assert own is not None
    assert own.get_secret_value() == "the key of the root"
    assert with_own_key(context().settings.encryption) == context().settings.encryption
