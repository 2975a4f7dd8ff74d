"""regulars segments log and history: who joined and left, when and why."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import quote

import typer

from regulars.cli import segments, terminal

Since = Annotated[str | None, typer.Option(help="From this day on.", metavar="DAY")]
Which = Annotated[
    bool | None, typer.Option("--joined/--left", help="Only who joined, or only who left.")
]
Limit = Annotated[int, typer.Option(min=1, max=1000, help="At most so many.")]


@segments.app.command("log")
def log_(
    segment: segments.Segment,
    shop: terminal.Shop,
    *,
    since: Since = None,
    joined: Which = None,
    limit: Limit = 100,
    as_json: terminal.AsJson = False,
) -> None:
    """List who joined and left a segment, newest first, with the reason."""
    _tell(segments.path(shop, segment, "log"), since, joined, limit, as_json=as_json)


@segments.app.command()
def history(
    customer: Annotated[str, typer.Argument(help="The customer's id.", metavar="CUSTOMER")],
    shop: terminal.Shop,
    *,
    since: Since = None,
    joined: Which = None,
    limit: Limit = 100,
    as_json: terminal.AsJson = False,
) -> None:
    """List which segments one customer joined and left, newest first."""
    address = f"/shops/{quote(shop, safe='')}/customers/{quote(customer, safe='')}/log"
    _tell(address, since, joined, limit, as_json=as_json)


def _tell(
    address: str, since: str | None, joined: bool | None, limit: int, *, as_json: bool
) -> None:
    asked: dict[str, Any] = {"limit": limit}
    if since is not None:
        asked["since"] = since
    if joined is not None:
        asked["what"] = "joined" if joined else "left"
    with terminal.connect() as api:
        told = api.get(address, **asked)
    if as_json:
        terminal.tell_json(told)
        return
    columns = ("at", "what", "customer", "segment", "cause")
    rows = [[one[name] or "–" for name in columns] for one in told["entries"]]
    terminal.tell_table(("When", "What", "Customer", "Segment", "Why"), rows)
