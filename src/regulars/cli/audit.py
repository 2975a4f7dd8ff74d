"""regulars audit: who did what when, and the proof that nobody changed the log."""

from __future__ import annotations

from typing import Annotated

import typer

from regulars.cli import terminal
from regulars.cli.instants import IN_UTC
from regulars.errors import InputError, problem

app = typer.Typer(help="The audit log.", no_args_is_help=True)


@app.command("list")
def index(
    limit: Annotated[int, typer.Option(help="So many entries.", min=1, max=1000)] = 100,
    cursor: Annotated[
        int | None, typer.Option(help="Entries before this number, for older ones.")
    ] = None,
    as_json: terminal.AsJson = False,
) -> None:
    """List who did what when, and who saw customers, newest first."""
    with terminal.connect() as api:
        told = api.get("/audit", limit=limit, cursor=cursor)
    if as_json:
        terminal.tell_json(told)
        return
    rows = [
        (
            one["number"],
            IN_UTC.cell(one["at"]),
            one["author"],
            one["act"].replace("_", " "),
            one["about"],
        )
        for one in told["entries"]
    ]
    terminal.tell_table(("No.", IN_UTC.head("When"), "Who", "What", "About"), rows)
    if told["next"] is not None:
        terminal.tell(f"Older ones: --cursor {told['next']}")


@app.command()
def verify(
    head: Annotated[
        str | None, typer.Option(help="A newest hash noted earlier; it must still be there.")
    ] = None,
    as_json: terminal.AsJson = False,
) -> None:
    """Recompute the chain of the audit log; exit code 2 where it does not hold."""
    with terminal.connect() as api:
        told = api.get("/audit/verdict", head=head)
    if as_json:
        terminal.tell_json(told)
    if told["broken_at"] is not None:
        template = "Entry {number} does not fit the one before it: the log was changed."
        raise InputError(problem("audit_broken", template, number=told["broken_at"]))
    if told["has_head"] is False:
        template = "The hash {head} is no longer in the log: entries were cut off or replaced."
        raise InputError(problem("audit_head_gone", template, head=head))
    if not as_json:
        terminal.tell(f"The chain of {told['count']:,} entries holds. Newest: {told['head']}")
