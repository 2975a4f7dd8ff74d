"""regulars audit: prove that nobody changed the audit log."""

from __future__ import annotations

from typing import Annotated

import typer

from regulars.cli import terminal
from regulars.errors import InputError, problem

app = typer.Typer(help="The audit log.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Keep `verify` a command of its own."""


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
