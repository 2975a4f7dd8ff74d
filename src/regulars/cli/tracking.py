"""regulars tracking: measure what a segment buys over a period."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import quote

import typer

from regulars.cli import terminal

app = typer.Typer(help="Revenue trackings of a shop.", no_args_is_help=True)

Tracking = Annotated[int, typer.Argument(help="The tracking's number.", metavar="ID")]


def path(shop: str, tracking_id: int | None = None, part: str = "") -> str:
    """Return the address of a shop's trackings, of one, or of a part of it."""
    address = f"/shops/{quote(shop, safe='')}/trackings"
    if tracking_id is not None:
        address += f"/{tracking_id}"
    return f"{address}/{part}" if part else address


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
    segment: Annotated[
        list[str] | None, typer.Option("--segment", help="Only these segments.")
    ] = None,
    as_json: terminal.AsJson = False,
) -> None:
    """List the trackings, the latest period first."""
    with terminal.connect() as api:
        told = api.get(path(shop))
    if segment:
        wanted = set(segment)
        told["trackings"] = [
            one for one in told["trackings"] if wanted & {str(one["segment_id"]), one["segment"]}
        ]
    if as_json:
        terminal.tell_json(told)
        return
    columns = (
        "ID", "Name", "Segment", "Status", "At start", "Now", "Ever", "Orders", "Revenue", "AOV",
    )  # fmt: skip
    terminal.tell_table(columns, [_row(one) for one in told["trackings"]])


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
        one["name"],
        one["segment"],
        _status(one),
        one["customers_at_start"],
        one["customers_now"],
        one["customers_ever"],
        one["orders"],
        f"{one['revenue']} {one['currency']}",
        one["average_order_value"],
    )


def _status(one: dict[str, Any]) -> str:
    if one["status"] == "in_progress":
        return f"in progress, day {one['day_no']} of {one['day_count']}"
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
            figures["revenue"],
            figures["average_order_value"],
            figures["orders_per_customer"],
        )
        for name, figures in one["populations"].items()
    ]
    terminal.tell_table(columns, rows)
    terminal.tell(f"Money in {one['currency']}, less refunds. * the headline.")
