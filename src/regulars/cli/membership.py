"""regulars segments log and history: who joined and left, when and why."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from regulars.cli import instants, segments, terminal

Since = Annotated[str | None, typer.Option(help="From this day on.", metavar="DAY")]
Until = Annotated[str | None, typer.Option(help="To the end of this day.", metavar="DAY")]
Which = Annotated[
    bool | None, typer.Option("--joined/--left", help="Only who joined, or only who left.")
]
Because = Annotated[
    str | None,
    typer.Option(
        "--cause", help="Only for this reason: order, day_change, edited …", metavar="WORD"
    ),
]
Limit = Annotated[int, typer.Option(min=1, max=1000, help="At most so many.")]
Out = Annotated[
    Path | None, typer.Option(help="Write all of it to this CSV file instead.", metavar="FILE")
]
Before = Annotated[
    int | None,
    typer.Option("--cursor", help="Continue where --json said `next`.", metavar="NUMBER"),
]


@segments.app.command("log")
def log_(
    segment: segments.Segment,
    shop: terminal.Shop,
    *,
    since: Since = None,
    until: Until = None,
    joined: Which = None,
    cause: Because = None,
    customer: Annotated[
        str | None, typer.Option(help="Only the customer with this id.", metavar="CUSTOMER")
    ] = None,
    limit: Limit = 100,
    cursor: Before = None,
    out: Out = None,
    as_json: terminal.AsJson = False,
) -> None:
    """List who joined and left a segment, newest first, with the reason."""
    asked = _narrowed(since, until, joined, cause) | {"customer": customer}
    address = segments.path(shop, segment, "log")
    _tell(shop, address, asked, {"limit": limit, "cursor": cursor}, out, as_json=as_json)


@segments.app.command()
def history(
    customer: Annotated[str, typer.Argument(help="The customer's id.", metavar="CUSTOMER")],
    shop: terminal.Shop,
    *,
    since: Since = None,
    until: Until = None,
    joined: Which = None,
    cause: Because = None,
    limit: Limit = 100,
    cursor: Before = None,
    out: Out = None,
    as_json: terminal.AsJson = False,
) -> None:
    """List which segments one customer joined and left, newest first."""
    asked = _narrowed(since, until, joined, cause)
    address = terminal.address("customers", shop, customer, "log")
    _tell(shop, address, asked, {"limit": limit, "cursor": cursor}, out, as_json=as_json)


def _narrowed(
    since: str | None, until: str | None, joined: bool | None, cause: str | None
) -> dict[str, Any]:
    what = None if joined is None else "joined" if joined else "left"
    return {"since": since, "until": until, "what": what, "cause": cause}


def _tell(
    shop: str,
    address: str,
    asked: dict[str, Any],
    page: dict[str, Any],
    out: Path | None,
    *,
    as_json: bool,
) -> None:
    given = {name: value for name, value in (asked | page).items() if value is not None}
    with terminal.connect() as api:
        if out is not None:
            del given["limit"]
            terminal.write_csv(out, api.fetch(f"{address}.csv", **given))
            return
        told = api.get(address, **given)
        times = instants.of_shop(api, shop)
    if as_json:
        terminal.tell_json(told)
        return
    columns = ("what", "customer", "segment", "cause")
    rows = [
        [times.cell(one["at"]), *(one[name] or "–" for name in columns)] for one in told["entries"]
    ]
    terminal.tell_table((times.head("When"), "What", "Customer", "Segment", "Why"), rows)
    if told["next"] is not None:
        terminal.warn(f"There is more: --cursor {told['next']}")
