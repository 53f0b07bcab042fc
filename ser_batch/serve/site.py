"""The pages of `ser-batch serve`."""

from __future__ import annotations

import os

from starlette.routing import BaseRoute

from ser_batch.clock import utc_now
from ser_batch.config import Settings
from ser_batch.labels.history import REVIEW
from ser_batch.labels.queue import open_session
from ser_batch.labels.review import Reviews
from ser_batch.serve.access_log import AccessLog
from ser_batch.serve.database import Database
from ser_batch.serve.pages.call import CallPage
from ser_batch.serve.pages.calls import CallsPage
from ser_batch.serve.pages.compare import ComparePage
from ser_batch.serve.pages.docs import DocsPage
from ser_batch.serve.pages.labels import LabelsPage
from ser_batch.serve.pages.review import ReviewPage
from ser_batch.serve.pages.sound import SoundPage
from ser_batch.serve.pages.summary import SummaryPages
from ser_batch.store.lake import Lake
from ser_batch.store.paths import Root


class Site:
    """The pages of a root; what people look for also has a link in `site.html`.

    Args:
        root: whose warehouse, lake and labels
        settings: rules that the pages name

    Attributes:
        routes: of every page
    """

    def __init__(self, root: Root, settings: Settings) -> None:
        lake, database = Lake(root.lake), Database(root.warehouse)
        reviews = Reviews(lake, f"{REVIEW}-{utc_now():%Y%m%dT%H%M%S}-{os.getpid()}")
        log = AccessLog(lake)
        self._database = database
        self.routes: list[BaseRoute] = [
            *SummaryPages(database, settings, reviews).routes,
            *CallsPage(database, settings, reviews).routes,
            *CallPage(database, settings, log).routes,
            *SoundPage(database, log).routes,
            *ReviewPage(database, reviews, log).routes,
            *LabelsPage(lambda: open_session(root, settings), log).routes,
            *ComparePage(database).routes,
            *DocsPage(database, root.warehouse).routes,
        ]

    def close(self) -> None:
        """Let go of the warehouse."""
        self._database.close()
