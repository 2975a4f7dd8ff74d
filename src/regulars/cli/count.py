"""regulars count, explain: ask a query that is not saved."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

import typer

from regulars.cli import terminal

Text = Annotated[str, typer.Argument(help="The query, in quotes.", metavar="TEXT")]
AsOf = Annotated[
    str | None,
    typer.Option("--as-of", help="A day like 2026-11-21; its end is meant.", metavar="DATE"),
]


def commands(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.command()(count)
    app.command()(explain)


def count(
    text: Text, shop: terminal.Shop, as_of: AsOf = None, as_json: terminal.AsJson = False
) -> None:
    """Count the customers who match a query."""
    asked = {"query": terminal.about_query(text), "as_of": as_of}
    with terminal.connect() as api:
        told = api.post(f"/shops/{shop}/count", asked)
    if as_json:
        terminal.tell_json({key: told[key] for key in ("count", "universe", "as_of")})
    else:
        terminal.tell(f"{told['count']:,} of {told['universe']:,} customers")


def explain(
    text: Text,
    shop: terminal.Shop,
    customer: Annotated[str, typer.Option(help="The customer's id.", metavar="ID")],
    as_of: AsOf = None,
    as_json: terminal.AsJson = False,
) -> None:
    """Tell why a customer matches a query or not."""
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


def _nodes(root: dict[str, Any], depth: int = 0) -> Iterator[tuple[int, dict[str, Any]]]:
    yield depth, root
    for part in root["parts"]:
        yield from _nodes(part, depth + 1)
