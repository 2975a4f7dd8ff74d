"""regulars count, forecast, rfm: ask what is not saved."""

from __future__ import annotations

from typing import Annotated

import typer

from regulars.cli import instants, terminal

Text = Annotated[str, typer.Argument(help="The query, in quotes.", metavar="TEXT")]


def commands(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.command()(count)
    app.command()(forecast)
    app.command()(rfm)


def count(
    text: Text, shop: terminal.Shop, as_of: terminal.AsOf = None, as_json: terminal.AsJson = False
) -> None:
    """Count the customers who match a query."""
    asked = {"query": terminal.about_query(text), "as_of": as_of}
    with terminal.connect() as api:
        told = api.post(f"/shops/{shop}/count", asked)
    if as_json:
        keys = ("count", "universe", "as_of", *(("unknown_past",) if as_of else ()))
        terminal.tell_json({key: told[key] for key in keys})
        return
    terminal.tell(f"{told['count']:,} of {told['universe']:,} customers")
    terminal.warn_of_unknown(told["unknown_past"])


def forecast(
    text: Text,
    shop: terminal.Shop,
    days: Annotated[int, typer.Option(help="How many days ahead, up to 366.")] = 90,
    as_json: terminal.AsJson = False,
) -> None:
    """Tell who joins and leaves in the days ahead if nothing but time happens."""
    asked = {"query": terminal.about_query(text), "days": days}
    with terminal.connect() as api:
        told = api.post(f"/shops/{shop}/queries/forecast", asked)
    if as_json:
        terminal.tell_json(told)
        return
    terminal.tell(f"{told['today']}: {told['count']:,} customers")
    rows = [(one["day"], one["joins"], one["leaves"], one["count"]) for one in told["days"]]
    if rows:
        terminal.tell_table(("day", "join", "leave", "then"), rows)
    else:
        terminal.tell(f"Time alone changes nothing within {days} days.")


def rfm(shop: terminal.Shop, as_of: terminal.AsOf = None, as_json: terminal.AsJson = False) -> None:
    """Tell the thresholds of the RFM scores, and how many customers each group has."""
    asked = {"as_of": as_of} if as_of else {}
    with terminal.connect() as api:
        told = api.get(f"/shops/{shop}/rfm", **asked)
        times = instants.of_shop(api, shop)
    if as_json:
        terminal.tell_json(told)
        return
    terminal.tell(
        f"{told['customer_count']:,} customers had ordered before {times.said(told['at'])}."
    )
    rows = [
        (title, *told[key])
        for title, key in (
            ("recency: last order after", "recency"),
            ("frequency: orders above", "frequency"),
            ("spend: minor units above", "monetary"),
        )
    ]
    terminal.tell_table(("score begins", "2", "3", "4", "5"), rows)
    terminal.tell_table(
        ("group", "customers"), [(one["group"], one["count"]) for one in told["groups"]]
    )
