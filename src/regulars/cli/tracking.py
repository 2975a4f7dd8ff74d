"""regulars tracking: measure what a segment buys over a period."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from decimal import Decimal
from typing import Annotated, Any

import typer

from regulars.cli import terminal

app = typer.Typer(help="Revenue trackings of a shop.", no_args_is_help=True)

Tracking = Annotated[int, typer.Argument(help="The tracking's number.", metavar="ID")]


#: The address of all, of one, or of a part of it.
path = functools.partial(terminal.address, "trackings")


@app.command()
def create(
    shop: terminal.Shop,
    *,
    segment: Annotated[str, typer.Option("--segment", help="The segment's number or name.")],
    first: Annotated[str, typer.Option("--from", help="First day, today or later.")],
    last: Annotated[str, typer.Option("--to", help="Last day, at most a year later.")],
    population: Annotated[
        str, typer.Option("--population", help="Who counts: order-time, start or ever.")
    ] = "order-time",
    name: Annotated[str, typer.Option("--name", help="A name; else it gets one.")] = "",
    note: Annotated[str, typer.Option("--note", help="A note for colleagues.")] = "",
    as_json: terminal.AsJson = False,
) -> None:
    """Start measuring the revenue and orders of a segment over a period."""
    asked = {
        "segment": segment,
        "starts_on": first,
        "ends_on": last,
        "population": population,
        "name": name,
        "note": note,
    }
    with terminal.connect() as api:
        _tell(api.post(path(shop), asked), as_json=as_json)


@app.command("list")
def index(
    shop: terminal.Shop,
    *,
    segment: Annotated[
        list[str] | None, typer.Option("--segment", help="Only these segments' trackings.")
    ] = None,
    first: Annotated[str, typer.Option("--from", help="First of the chosen days.")] = "",
    last: Annotated[str, typer.Option("--to", help="Last of the chosen days.")] = "",
    days: Annotated[
        str | None,
        typer.Option("--days", help="Instead: next_30, last_30, last_90 or last_365."),
    ] = None,
    within: Annotated[
        bool, typer.Option("--within", help="Wholly within these days, not only touching them.")
    ] = False,
    status: Annotated[
        str | None,
        typer.Option("--status", help="scheduled, in_progress, finished or cancelled."),
    ] = None,
    search: Annotated[str, typer.Option("--search", help="Part of a name.")] = "",
    as_json: terminal.AsJson = False,
) -> None:
    """List the trackings, the latest period first; the options narrow them."""
    with terminal.connect() as api:
        told = api.get(
            path(shop),
            segment=segment,
            first=first,
            last=last,
            days=days,
            meets="within" if within else "overlaps",
            status=status,
            q=search,
        )
    if as_json:
        terminal.tell_json(told)
        return
    columns = (
        "ID", "Name", "Status", "Start", "Now", "Ever", "Orders", "Revenue", "AOV",
    )  # fmt: skip
    terminal.tell_table(columns, [_row(one) for one in told["trackings"]])


@app.command()
def compare(
    shop: terminal.Shop,
    tracking_ids: Annotated[list[int], typer.Argument(help="Two to twelve.", metavar="ID...")],
    *,
    value: Annotated[
        str, typer.Option("--value", help="revenue, orders or average (order value).")
    ] = "revenue",
    view: Annotated[
        str,
        typer.Option(
            "--view", help="absolute, per_customer, per_day, cumulative or index (first day = 100)."
        ),
    ] = "absolute",
    by: Annotated[str, typer.Option("--by", help="day (number of the day) or date.")] = "day",
    as_json: terminal.AsJson = False,
) -> None:
    """Put trackings side by side, day by day."""
    with terminal.connect() as api:
        told = api.get(
            f"{path(shop)}/comparison",
            ids=[str(one) for one in tracking_ids],
            measure=value,
            view=view,
            align=by,
        )
    if as_json:
        terminal.tell_json(told)
        return
    names = [one["name"] for one in told["series"]]
    lines = [one["values"] for one in told["series"]]
    rows = [(label, *values) for label, *values in zip(told["labels"], *lines, strict=True)]
    terminal.tell_table(("Day", *names), rows)
    if told["differences"]:
        terminal.tell(f"They differ in: {', '.join(told['differences'])}.")
    terminal.tell_table(("Customers in common", *names), list(_overlap(names, told["overlap"])))


def _overlap(names: list[str], overlap: list[list[int]]) -> Iterator[tuple[object, ...]]:
    for name, line in zip(names, overlap, strict=True):
        yield name, *line


@app.command()
def outlook(
    shop: terminal.Shop,
    *,
    segment: Annotated[str, typer.Option("--segment", help="The segment's number or name.")],
    first: Annotated[str, typer.Option("--from", help="First day, today or later.")],
    last: Annotated[str, typer.Option("--to", help="Last day, at most a year later.")],
    as_json: terminal.AsJson = False,
) -> None:
    """Tell, before a tracking starts, the smallest effect that a holdout would show."""
    with terminal.connect() as api:
        told = api.get(f"{path(shop)}/outlook", segment=segment, starts_on=first, ends_on=last)
    if as_json:
        terminal.tell_json(told)
        return
    terminal.tell(
        f"{told['customers']:,} customers, who spent {_money(told['mean'])} each on average."
    )
    rows = [
        (f"{one['share']:.1%}", one["held_out_customers"], terminal.money(one["smallest_effect"]))
        for one in told["effects"]
    ]
    terminal.tell_table(("Held out", "Customers", "Smallest effect per customer"), rows)
    if not told["is_held_out"]:
        terminal.tell("Nobody is held out now; these shares are suggestions.")


@app.command()
def show(tracking_id: Tracking, shop: terminal.Shop, as_json: terminal.AsJson = False) -> None:
    """Show a tracking with all its figures."""
    with terminal.connect() as api:
        _tell(api.get(path(shop, tracking_id)), as_json=as_json)


@app.command()
def update(
    tracking_id: Tracking,
    shop: terminal.Shop,
    name: Annotated[str | None, typer.Option("--name", help="The new name.")] = None,
    note: Annotated[str | None, typer.Option("--note", help="The new note.")] = None,
    as_json: terminal.AsJson = False,
) -> None:
    """Change a tracking's name or note."""
    asked = {key: value for key, value in (("name", name), ("note", note)) if value is not None}
    with terminal.connect() as api:
        _tell(api.patch(path(shop, tracking_id), asked), as_json=as_json)


@app.command()
def cancel(tracking_id: Tracking, shop: terminal.Shop, as_json: terminal.AsJson = False) -> None:
    """Stop a tracking before its end."""
    with terminal.connect() as api:
        _tell(api.post(path(shop, tracking_id, "cancellation")), as_json=as_json)


@app.command()
def delete(tracking_id: Tracking, shop: terminal.Shop) -> None:
    """Delete a tracking."""
    with terminal.connect() as api:
        api.delete(path(shop, tracking_id))
    terminal.tell("The tracking is deleted.")


def _row(one: dict[str, Any]) -> tuple[object, ...]:
    return (
        one["id"],
        one["name"] if one["segment"] in one["name"] else f"{one['name']} ({one['segment']})",
        _status(one),
        one["customers_at_start"],
        one["customers_now"],
        one["customers_ever"],
        one["orders"],
        terminal.money(one["revenue"]),
        terminal.money(one["average_order_value"]),
    )


def _money(amount: str) -> str:
    return terminal.number(Decimal(amount))


def _status(one: dict[str, Any]) -> str:
    if one["status"] == "in_progress":
        return f"day {one['day_no']} of {one['day_count']}"
    return str(one["status"])


def _tell(one: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        terminal.tell_json(one)
        return
    terminal.tell(f"{one['id']}  {one['name']}  {_status(one)}")
    terminal.tell(f"{one['segment']}, {one['starts_on']} to {one['ends_on']} ({one['time_zone']})")
    terminal.tell(
        f"customers: {one['customers_at_start']:,} at start, {one['customers_now']:,} now, "
        f"{one['customers_ever']:,} ever"
    )
    columns = ("Who counts", "Customers", "Buyers", "Orders", "Revenue", "AOV", "Orders/customer")
    rows = [
        (
            f"{name} *" if name == one["population"] else name,
            figures["customers"],
            figures["buyers"],
            figures["orders"],
            terminal.money(figures["revenue"]),
            terminal.money(figures["average_order_value"]),
            figures["orders_per_customer"],
        )
        for name, figures in one["populations"].items()
    ]
    terminal.tell_table(columns, rows)
    joining = one["joining"]
    terminal.tell(
        f"joined by this order: {joining['orders']:,} orders, {_money(joining['revenue'])} "
        f"(not part of order-time)"
    )
    if one["lift"]:
        lift = one["lift"]
        terminal.tell(
            f"lift per customer: {_money(lift['difference'])} (95 % interval "
            f"{_money(lift['low'])} to {_money(lift['high'])}); with the tag "
            f"{_money(lift['treated_mean'])} over {lift['treated_customers']:,}, held out "
            f"{_money(lift['held_out_mean'])} over "
            f"{lift['held_out_customers']:,}"
        )
    if one["smallest_effect"]:
        terminal.tell(f"smallest difference that could be seen: {_money(one['smallest_effect'])}")
    terminal.tell(f"Money in {one['currency']}, less refunds. * the headline.")
