"""The pages of `ser-batch serve`."""

from __future__ import annotations

from starlette.routing import BaseRoute

from ser_batch.config import Settings
from ser_batch.serve.database import Database
from ser_batch.serve.pages.call import CallPage
from ser_batch.serve.pages.calls import CallsPage
from ser_batch.serve.pages.compare import ComparePage
from ser_batch.serve.pages.docs import DocsPage
from ser_batch.serve.pages.sound import SoundPage
from ser_batch.serve.pages.summary import SummaryPages
from ser_batch.store.paths import Root


class Site:
    """The pages of a root.

    Args:
        root: whose warehouse, lake and labels
        settings: rules that the pages name
    """

    def __init__(self, root: Root, settings: Settings) -> None:
        self._database = Database(root.warehouse)
        self._root, self._settings = root, settings

    @property
    def routes(self) -> list[BaseRoute]:
        """Of every page; what people look for also has a link in `site.html`."""
        return [
            *SummaryPages(self._database, self._settings).routes,
            *CallsPage(self._database, self._settings).routes,
            *CallPage(self._database, self._settings).routes,
            *SoundPage(self._database).routes,
            *ComparePage(self._database).routes,
            *DocsPage(self._database, self._root.warehouse).routes,
        ]

    def close(self) -> None:
        """Let go of the warehouse."""
        self._database.close()
