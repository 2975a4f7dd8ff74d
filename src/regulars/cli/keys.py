"""regulars keys: what other programs sign in to the API with."""

from __future__ import annotations

import functools
from typing import Annotated

import typer

from regulars.cli import instants, terminal

app = typer.Typer(help="Keys of the API.", no_args_is_help=True)

#: The address of all, or of one.
_path = functools.partial(terminal.address, "keys")


@app.command("list")
def index(shop: terminal.Shop, as_json: terminal.AsJson = False) -> None:
    """List the keys of a shop."""
    with terminal.connect() as api:
        told = api.get(_path(shop))
        times = instants.of_shop(api, shop)
    if as_json:
        terminal.tell_json(told)
        return
    rows = [
        (one["id"], one["name"], one["scope"], times.cell(one["last_used_at"]) or "never")
        for one in told["keys"]
    ]
    terminal.tell_table(("ID", "Name", "Scope", times.head("Last used")), rows)


@app.command()
def create(
    shop: terminal.Shop,
    name: Annotated[str, typer.Option(help="Which program it is for.")],
    scope: Annotated[
        str, typer.Option(help="read, customers (who the customers are too) or write.")
    ] = "read",
    as_json: terminal.AsJson = False,
) -> None:
    """Make a key; it is shown this once."""
    with terminal.connect() as api:
        made = api.post(_path(shop), {"name": name, "scope": scope})
    terminal.tell_json(made) if as_json else terminal.tell(f"Key (shown once): {made['key']}")


@app.command()
def revoke(
    shop: terminal.Shop,
    key_id: Annotated[int, typer.Argument(help="The key's number.", metavar="ID")],
) -> None:
    """Take a key back at once."""
    with terminal.connect() as api:
        api.delete(_path(shop, key_id))
    terminal.tell(f"Key {key_id} opens nothing any more.")
