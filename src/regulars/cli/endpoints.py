"""regulars endpoints: tell other programs of joins, leaves, tags and trackings."""

from __future__ import annotations

import functools
from typing import Annotated, Any

import typer

from regulars.cli import instants, terminal

app = typer.Typer(help="Programs that are told what happens.", no_args_is_help=True)

Endpoint = Annotated[int, typer.Argument(help="The endpoint's number.", metavar="ID")]
Events = Annotated[
    list[str], typer.Option("--event", help="Such as customers.joined; may be given many times.")
]


#: The address of all, of one, or of a part of it.
_path = functools.partial(terminal.address, "endpoints")


@app.command("list")
def index(shop: terminal.Shop, as_json: terminal.AsJson = False) -> None:
    """List the endpoints of a shop."""
    with terminal.connect() as api:
        told = api.get(_path(shop))
    if as_json:
        terminal.tell_json(told)
        return
    rows = [
        (one["id"], one["kind"], one["address"], ", ".join(one["events"]), _state(one))
        for one in told["endpoints"]
    ]
    terminal.tell_table(("ID", "Kind", "Address", "Events", "State"), rows)


def _state(one: dict[str, Any]) -> str:
    if one["is_on"]:
        return "failing" if one["failing_since"] else "on"
    return f"off: {one['problem']}" if one["problem"] else "off"


@app.command()
def create(
    shop: terminal.Shop,
    address: Annotated[str, typer.Option(help="https:// address, or the handle for Flow.")],
    event: Events,
    flow: Annotated[bool, typer.Option("--flow", help="Tell Shopify Flow instead.")] = False,
    as_json: terminal.AsJson = False,
) -> None:
    """Make an endpoint; its secret is shown this once."""
    kind = "flow" if flow else "webhook"
    with terminal.connect() as api:
        made = api.post(_path(shop), {"kind": kind, "address": address, "events": event})
    if as_json:
        terminal.tell_json(made)
        return
    terminal.tell(f"Endpoint {made['id']} is told of {', '.join(made['events'])} from now on.")
    if made["secret"]:
        terminal.tell(f"Secret (shown once): {made['secret']}")


@app.command()
def change(
    shop: terminal.Shop,
    endpoint_id: Endpoint,
    event: Annotated[
        list[str] | None, typer.Option("--event", help="All events it is to be told of.")
    ] = None,
    on: Annotated[bool | None, typer.Option("--on/--off", help="Switch it on or off.")] = None,
) -> None:
    """Choose other events, switch an endpoint off, or on again."""
    asked = {"events": event or None, "is_on": on}
    given = {name: value for name, value in asked.items() if value is not None}
    with terminal.connect() as api:
        told = api.patch(_path(shop, endpoint_id), given)
    terminal.tell(f"Endpoint {told['id']} is {_state(told)}: {', '.join(told['events'])}")


@app.command()
def delete(shop: terminal.Shop, endpoint_id: Endpoint) -> None:
    """Take an endpoint and its deliveries away."""
    with terminal.connect() as api:
        api.delete(_path(shop, endpoint_id))
    terminal.tell(f"Endpoint {endpoint_id} is gone.")


@app.command()
def test(shop: terminal.Shop, endpoint_id: Endpoint) -> None:
    """Send a test event."""
    with terminal.connect() as api:
        sent = api.post(_path(shop, endpoint_id, "tests"))
        path = _path(shop, endpoint_id, "deliveries")
        over = api.wait(path, lambda told: _is_over(told, sent["id"]))
    one = next(one for one in over["deliveries"] if one["id"] == sent["id"])
    terminal.tell(f"{one['state']}: {one['problem'] or one['status'] or ''}".rstrip(": "))


def _is_over(told: dict[str, Any], number: int) -> bool:
    one = next((one for one in told["deliveries"] if one["id"] == number), None)
    return one is None or one["attempt_count"] > 0


@app.command()
def deliveries(
    shop: terminal.Shop,
    endpoint_id: Endpoint,
    state: Annotated[
        str | None, typer.Option(help="waiting, delivered or failed.", metavar="STATE")
    ] = None,
    as_json: terminal.AsJson = False,
) -> None:
    """List what was sent to an endpoint, newest first."""
    with terminal.connect() as api:
        told = api.get(_path(shop, endpoint_id, "deliveries"), state=state)
        times = instants.of_shop(api, shop)
    if as_json:
        terminal.tell_json(told)
        return
    keys = ("id", "event", "state", "attempt_count", "status", "problem")
    rows = [
        [*(one[key] for key in keys), times.cell(one["created_at"])] for one in told["deliveries"]
    ]
    heads = ("ID", "Event", "State", "Tries", "Status", "Problem", times.head("At"))
    terminal.tell_table(heads, rows)


@app.command()
def replay(
    shop: terminal.Shop,
    endpoint_id: Endpoint,
    delivery: Annotated[
        int | None, typer.Option(help="One delivery; without it, all that failed.")
    ] = None,
) -> None:
    """Send deliveries again."""
    with terminal.connect() as api:
        told = api.post(_path(shop, endpoint_id, "replays"), {"delivery_id": delivery})
    terminal.tell(f"Sent again: {told['count']}")
