"""regulars count, explain, forecast, rfm: ask what is not saved."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

import typer

from regulars.cli import terminal
from regulars.errors import InputError, problem

Text = Annotated[str, typer.Argument(help="The query, in quotes.", metavar="TEXT")]


def commands(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.command()(count)
    app.command()(explain)
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


def explain(  # noqa: PLR0917 - options of a command, given by name
    text: Text,
    shop: terminal.Shop,
    customer: Annotated[str | None, typer.Option(help="The customer's id.", metavar="ID")] = None,
    near: Annotated[
        bool, typer.Option("--near", help="Tell who is closest to joining or leaving instead.")
    ] = False,
    as_of: terminal.AsOf = None,
    as_json: terminal.AsJson = False,
) -> None:
    """Tell why a customer matches a query or not, or who is closest to joining or leaving it."""
    if near and customer is None and as_of is None:
        _tell_near(text, shop, as_json=as_json)
        return
    if near or customer is None:
        template = (
            "Give a customer with --customer ID, or ask for --near without a customer and day."
        )
        raise InputError(problem("customer_or_near", template, field="customer"))
    asked = {"query": terminal.about_query(text), "customer": customer, "as_of": as_of}
    with terminal.connect() as api:
        told = api.post(f"/shops/{shop}/explain", asked)
    if as_json:
        terminal.tell_json(told)
        return
    verb = "matches" if told["is_member"] else "does not match"
    terminal.tell(f"The customer {told['customer_id']} {verb}.")
    for depth, node in _nodes(told["root"]):
        span = node["node"]["span"]
        mark = "yes" if node["is_true"] else "no "
        terminal.tell(f"{'  ' * depth}{mark}  {text[span['start'] : span['end']]}")


def _tell_near(text: str, shop: str, *, as_json: bool) -> None:
    with terminal.connect() as api:
        told = api.post(f"/shops/{shop}/queries/near-misses", {"query": terminal.about_query(text)})
    if as_json:
        terminal.tell_json(told)
        return
    for group in told:
        count = f"{group['count']:,} could {group['direction']} by it alone"
        terminal.tell(f"{group['text']}: {count}")
        for one in group["customers"]:
            terminal.tell(f"  {one['id']}  {one['change']} by {one['amount']:g} {one['unit']}")
    if not told:
        terminal.tell("No condition of the query has a distance.")


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
    if as_json:
        terminal.tell_json(told)
        return
    terminal.tell(f"{told['customer_count']:,} customers had ordered before {told['at']}.")
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


def _nodes(root: dict[str, Any], depth: int = 0) -> Iterator[tuple[int, dict[str, Any]]]:
    yield depth, root
    for part in root["parts"]:
        yield from _nodes(part, depth + 1)
