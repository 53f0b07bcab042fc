"""Command `serve`: the web application on this machine."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Annotated

import typer

from pipelines.options import (
    DEFAULT_ROOT,
    RootOption,
    SettingsOption,
    existing_root,
    read_settings,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.routing import BaseRoute

HostOption = Annotated[
    str, typer.Option(help="Address to listen on; only this machine unless given.")
]
PortOption = Annotated[int, typer.Option(min=0, max=65535, help="0: any free port.")]


def serve(
    host: HostOption = "127.0.0.1",
    port: PortOption = 0,
    root: RootOption = DEFAULT_ROOT,
    settings: SettingsOption = None,
) -> None:
    """Serve the results as web pages on this machine: overview, queues, days, calls.

    The pages read the published warehouse and follow each night. Open the printed link; it opens
    one browser, and the next link is printed when it was used. Ctrl-C ends it.

    Examples:

      ser-batch serve

      ser-batch serve --port 8700 --root /srv/calls
    """
    from ser_batch.serve.site import Site
    from ser_batch.store.lock import followed

    place = existing_root(root)
    with followed(place), closing(Site(place, read_settings(place, settings))) as site:
        run_server(site.routes, host=host, port=port, start="/", asks_name=True)


def run_server(
    routes: Sequence[BaseRoute], *, host: str, port: int, start: str, asks_name: bool
) -> None:
    """Serve some pages until Ctrl-C, and print their link.

    Args:
        routes: of the pages
        host: address to listen on
        port: 0 takes a free one
        start: path of the page that the link opens
        asks_name: whether whoever enters says who they are

    Raises:
        ServeError: if the address is taken or none of this machine's
    """
    from ser_batch.serve.server import LOOPBACK, Server

    server = Server(
        routes,
        host=host,
        port=port,
        start=start,
        asks_name=asks_name,
        on_entered=lambda: typer.echo(f"  For another browser: {server.url}"),
    )
    typer.echo(f"Open {server.url}")
    if host not in LOOPBACK:
        typer.echo("  Others on the network can reach it; what they send is not encrypted.")
    try:
        server.run()
    except KeyboardInterrupt:
        typer.echo("Everything that was answered is kept.")
