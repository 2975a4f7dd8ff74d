"""regulars explain: why a customer matches a query or not, and who is close to either."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any

import typer

from regulars.cli import instants, terminal
from regulars.errors import InputError, problem

#: Orders named with each condition; the rest is counted.
_ORDERS_MAX = 3

#: One node as the API tells it: `ReasonOut`.
Reason = Mapping[str, Any]


def commands(app: typer.Typer) -> None:
    """Add the command of this file."""
    app.command()(explain)


def explain(  # noqa: PLR0917 - options of a command, given by name
    text: Annotated[str, typer.Argument(help="The query, in quotes.", metavar="TEXT")],
    shop: terminal.Shop,
    customer: Annotated[str | None, typer.Option(help="The customer's id.", metavar="ID")] = None,
    near: Annotated[
        bool, typer.Option("--near", help="Tell who is closest to joining or leaving instead.")
    ] = False,
    as_of: terminal.AsOf = None,
    language: Annotated[str, typer.Option(help="Of sentences and values: en or ja.")] = "en",
    as_json: terminal.AsJson = False,
) -> None:
    """Tell why a customer matches a query or not, or who is closest to joining or leaving it."""
    if near and customer is None and as_of is None:
        _tell_near(text, shop, language, as_json=as_json)
        return
    if near or customer is None:
        template = (
            "Give a customer with --customer ID, or ask for --near without a customer and day."
        )
        raise InputError(problem("customer_or_near", template, field="customer"))
    asked = {
        "query": terminal.about_query(text),
        "customer": customer,
        "as_of": as_of,
        "language": language,
    }
    with terminal.connect() as api:
        told = api.post(terminal.address("explain", shop), asked)
        times = instants.of_shop(api, shop)
    if as_json:
        terminal.tell_json(told)
        return
    for line in lines_of(told, times):
        terminal.tell(line)
    terminal.warn_of_unknown(told["unknown_past"])


def lines_of(told: Mapping[str, Any], times: instants.Instants) -> Iterator[str]:
    """Yield an explanation as lines for a person: the verdict, the tree, what would turn it."""
    who = told["customer"]
    name = who["name"] or who["email"]
    called = f"{name} ({who['id']})" if name else who["id"]
    verb = "matches" if told["is_member"] else "does not match"
    yield f"{called} {verb}, as of {times.said(told['as_of'])}."
    if not told["is_in_universe"]:
        yield "Not counted as a customer of this shop then, so a member of nothing."
    if told["flips_on"]:
        yield f"Without any new order this flips on {told['flips_on']}."
    yield ""
    yield from _tree(told["root"], "", "")
    turns = [node for node in _nodes(told["root"]) if node["id"] in told["turns"]]
    if turns:
        yield ""
        yield "What would flip it:"
    for node in turns:
        change = node["change"]
        yield f"  {_placed(node)}" + (f": {change['text']}" if change else "")


def _placed(node: Reason) -> str:
    """Return a condition with the segment in whose rule it stands."""
    of = f' (a condition of "{node["segment"]}")' if node["segment"] else ""
    return f"{node['sentence']}{of}"


def _tree(node: Reason, head: str, under: str) -> Iterator[str]:
    """Yield a node and its parts; `head` stands before its line, `under` before all below it."""
    yield f"{head}{'✓' if node['is_true'] else '✗'} {node['sentence']}"
    parts = node["parts"]
    inner = under + ("│   " if parts else "    ")
    yield from (f"{inner}{line}" for line in _details(node))
    for place, part in enumerate(parts, start=1):
        is_last = place == len(parts)
        yield from _tree(
            part, under + ("└─ " if is_last else "├─ "), under + ("   " if is_last else "│  ")
        )


def _details(node: Reason) -> Iterator[str]:
    if node["own"]:
        own = f"this customer: {node['own']['text']}"
        yield own + ("" if node["past_known"] else " (today's value; the past one is not known)")
    # What a segment's own rule says is told with it.
    if node["change"] and not node["parts"]:
        yield f"to flip: {node['change']['text']}"
    if node["flips_on"]:
        yield f"flips on {node['flips_on']}"
    yield from node["standing"]
    for order in node["orders"][:_ORDERS_MAX]:
        yield order["text"]
    more = node["order_count"] - _ORDERS_MAX
    if more > 0:
        yield f"and {more:,} more order{'' if more == 1 else 's'}"


def _nodes(root: Reason) -> Iterator[Reason]:
    yield root
    for part in root["parts"]:
        yield from _nodes(part)


def _tell_near(text: str, shop: str, language: str, *, as_json: bool) -> None:
    asked = {"query": terminal.about_query(text), "language": language}
    with terminal.connect() as api:
        told = api.post(terminal.address("queries/near-misses", shop), asked)
    if as_json:
        terminal.tell_json(told)
        return
    for group in told:
        count = f"{group['count']:,} could {group['direction']} by it alone"
        of = f' (a condition of "{group["within"][-1]}")' if group["within"] else ""
        terminal.tell(f"{group['sentence']}{of}: {count}")
        for one in group["customers"]:
            terminal.tell(f"  {one['id']}: {one['own_text']}; {one['change_text']}")
    if not told:
        terminal.tell("No condition of the query has a distance.")
