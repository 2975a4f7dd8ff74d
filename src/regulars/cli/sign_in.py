"""regulars sign-in-link: an address that signs the owner in once, for first and bad days."""

from __future__ import annotations

import typer

from regulars.cli import terminal


def commands(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.command("sign-in-link")(create)


def create(as_json: terminal.AsJson = False) -> None:
    """Print an address that signs the owner of this installation in, once."""
    with terminal.connect() as api:
        told = api.post("/sign-in-links")
        is_own = api.is_own
    if as_json:
        terminal.tell_json(told)
        return
    terminal.tell(told["url"])
    terminal.tell(f"It works once, within {told['minutes']} minutes.")
    if is_own:
        terminal.tell("The app is not running; start it first with: regulars serve")
