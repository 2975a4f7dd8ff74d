"""regulars insights: what segments share, what sets one apart, cohorts, and who moved where."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any
from urllib.parse import quote

import typer

from regulars.cli import terminal

app = typer.Typer(help="Compare segments and cohorts of a shop.", no_args_is_help=True)

Segments = Annotated[
    list[str] | None,
    typer.Option("--segment", help="Number or name; may be given several times. Else all."),
]


@app.command()
def overlap(
    shop: terminal.Shop, segment: Segments = None, as_json: terminal.AsJson = False
) -> None:
    """Count the customers that each two segments share."""
    told = _get(shop, "overlap", segment=segment or [])
    if as_json:
        terminal.tell_json(told)
        return
    names = _names(told)
    rows = [
        (name, *counts, only)
        for name, counts, only in zip(names, told["counts"], told["only"], strict=True)
    ]
    terminal.tell_table(("", *names, "Only here"), rows)


@app.command()
def features(
    segment: Annotated[str, typer.Argument(help="Number or name.")],
    shop: terminal.Shop,
    kind: Annotated[
        str, typer.Option(help="products, types, tags, channels, regions, spend, gaps ...")
    ] = "products",
    orders: Annotated[str, typer.Option(help="all, first, second, repeat or latest.")] = "all",
    as_json: terminal.AsJson = False,
) -> None:
    """Show what sets a segment apart from everybody."""
    told = _get(shop, "features", segment=segment, kind=kind, orders=orders)
    if as_json:
        terminal.tell_json(told)
        return
    rows = [
        (
            one["value"],
            one["members"],
            f"{one['member_share']:.1%}",
            f"{one['everybody_share']:.1%}",
        )
        for one in told["rows"]
    ]
    terminal.tell_table(("Value", "Customers", "In the segment", "Everybody"), rows)


@app.command()
def cohorts(
    shop: terminal.Shop,
    segment: Annotated[str | None, typer.Option(help="Number or name; else everybody.")] = None,
    by: Annotated[str, typer.Option(help="month or order.")] = "month",
    as_json: terminal.AsJson = False,
) -> None:
    """Show customers by the month of their first order, and how many of them bought again."""
    given = {"segment": segment} if segment else {}
    told = _get(shop, "cohorts", by=by, **given)
    if as_json:
        terminal.tell_json(told)
        return
    found = told["cohorts"]
    columns = len(found[0]["buyers"]) if found else 0
    heads = [f"+{at}" if told["by"] == "month" else str(at + 1) for at in range(columns)]
    rows = [(one["month"], one["customers"], *map(_count, one["buyers"])) for one in found]
    terminal.tell_table(("First month", "Customers", *heads), rows)


@app.command()
def journey(
    shop: terminal.Shop,
    since: Annotated[str, typer.Option("--from", help="First day.")],
    until: Annotated[str, typer.Option("--to", help="Last day.")],
    segment: Segments = None,
    as_json: terminal.AsJson = False,
) -> None:
    """Count who moved from which segment to which in a period."""
    told = _get(shop, "journey", since=since, until=until, segment=segment or [])
    if as_json:
        terminal.tell_json(told)
        return
    names = _names(told)
    rows: list[Sequence[object]] = [
        (name, at_start, *moved, gone)
        for name, at_start, moved, gone in zip(
            names, told["at_start"], told["moved"], told["gone"], strict=True
        )
    ]
    rows.append(("None of these", "–", *told["new"], "–"))
    rows.append(("At the end", "–", *told["at_end"], "–"))
    terminal.tell_table(("From / to", "At the start", *names, "None of these"), rows)


def _get(shop: str, part: str, **asked: str | int | Sequence[str] | None) -> Any:
    with terminal.connect() as api:
        return api.get(f"/shops/{quote(shop, safe='')}/insights/{part}", **asked)


def _names(told: Any) -> list[str]:
    return [one["name"] for one in told["segments"]]


def _share(part: float) -> str:
    return f"{part:.1%}"


def _count(value: int | None) -> str:
    return "–" if value is None else str(value)
