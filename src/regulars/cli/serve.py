"""regulars serve: the app, until Ctrl-C."""

from __future__ import annotations

from typing import Annotated

import typer

from regulars.cli import terminal


def commands(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.command()(serve)


def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on.", min=0, max=65535)] = None,
) -> None:
    """Start the app on this machine."""
    from regulars import bootstrap
    from regulars.bootstrap.logs import write_logs
    from regulars.bootstrap.serving import serving, sign_in_link
    from regulars.settings import Settings

    write_logs()
    settings = Settings()
    with (
        bootstrap.open_runtime(settings=settings) as runtime,
        serving(
            runtime,
            host=host or settings.host,
            port=settings.port if port is None else port,
        ) as app,
    ):
        terminal.tell(f"Regulars listens on {app.url}")
        terminal.tell(f"Sign in once with: {sign_in_link(runtime, app.url)}")
        app.run()
