"""regulars privacy: a customer's data as a file, its removal, and the end of a shop."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Annotated
from urllib.parse import quote

import typer

from regulars.cli import instants, terminal

app = typer.Typer(help="Personal data: hand it out, remove it.", no_args_is_help=True)

Customer = Annotated[
    str, typer.Option("--customer", help="The customer's number at Shopify.", metavar="ID")
]


#: The address of all, of one, or of a part of it.
_path = functools.partial(terminal.address, "privacy-requests")


@app.command("list")
def index(shop: terminal.Shop, as_json: terminal.AsJson = False) -> None:
    """List what was asked about personal data, by Shopify or by a person."""
    with terminal.connect() as api:
        told = api.get(_path(shop))
        times = instants.of_shop(api, shop)
    if as_json:
        terminal.tell_json(told)
        return
    keys = ("id", "kind", "customer_id", "author")
    rows = [
        [
            *(one[key] for key in keys),
            times.cell(one["asked_at"]),
            times.cell(one["due_at"]),
            one["state"],
        ]
        for one in told["requests"]
    ]
    heads = ("ID", "Kind", "Customer", "Asked by", times.head("Asked"), times.head("Due"), "State")
    terminal.tell_table(heads, rows)


@app.command()
def export(
    shop: terminal.Shop,
    output: Annotated[Path, typer.Option(help="File to write.", metavar="FILE")],
    customer: Annotated[
        str | None, typer.Option("--customer", help="The customer's number at Shopify.")
    ] = None,
    request: Annotated[
        int | None, typer.Option("--request", help="An open request, instead of a customer.")
    ] = None,
) -> None:
    """Write everything that is kept about a customer to a file."""
    with terminal.connect() as api:
        if request is None:
            asked = {"kind": "export", "customer_id": customer or ""}
            request = int(api.post(_path(shop), asked)["id"])
        content = api.fetch_by_post(_path(shop, request, "file"))
    output.write_bytes(content)
    output.chmod(0o600)
    terminal.tell(
        f"Written to {output}. It holds personal data: pass it on safely, then delete it."
    )


@app.command()
def redact(shop: terminal.Shop, customer: Customer) -> None:
    """Remove a customer's data for good; sums of the past stay right."""
    with terminal.connect() as api:
        made = api.post(_path(shop), {"kind": "redaction", "customer_id": customer})
        api.wait(_path(shop, made["id"]), lambda told: told["state"] != "open")
    terminal.tell(f"Customer {customer} was removed.")


@app.command("erase-shop")
def erase_shop(
    shop: terminal.Shop,
    confirm: Annotated[str, typer.Option(help="The shop's name once more.", metavar="NAME")],
) -> None:
    """Erase a shop and everything of it for good, its backups in the home folder too."""
    with terminal.connect() as api:
        api.delete(f"/shops/{quote(shop, safe='')}", confirm=confirm)
        api.wait("/shops", lambda told: all(one["name"] != shop for one in told["shops"]))
    terminal.tell(f"The shop {shop} was erased.")
