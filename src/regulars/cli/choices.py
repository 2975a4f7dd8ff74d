"""regulars choices: how long things are kept, and who is written to."""

from __future__ import annotations

from typing import Annotated

import typer

from regulars.cli import terminal

app = typer.Typer(help="How long things are kept, and who is written to.", no_args_is_help=True)

Days = Annotated[int | None, typer.Option(help="Days.", min=1)]


@app.command()
def show(as_json: terminal.AsJson = False) -> None:
    """Show what is chosen."""
    with terminal.connect() as api:
        _tell(api.get("/installation/choices"), as_json=as_json)


@app.command()
def change(  # noqa: PLR0917 - options, which are given by name
    audit_days: Days = None,
    chat_days: Days = None,
    job_days: Days = None,
    delivery_days: Days = None,
    notice_email: Annotated[
        str | None, typer.Option(help="Who is written to; empty: the owners.")
    ] = None,
    as_json: terminal.AsJson = False,
) -> None:
    """Choose otherwise; what is left out stays."""
    asked = {
        "audit_days": audit_days,
        "chat_days": chat_days,
        "job_days": job_days,
        "delivery_days": delivery_days,
        "notice_email": notice_email,
    }
    given = {name: value for name, value in asked.items() if value is not None}
    with terminal.connect() as api:
        _tell(api.patch("/installation/choices", given), as_json=as_json)


def _tell(told: dict[str, object], *, as_json: bool) -> None:
    if as_json:
        terminal.tell_json(told)
    else:
        terminal.tell_table(("Choice", "Value"), list(told.items()))
