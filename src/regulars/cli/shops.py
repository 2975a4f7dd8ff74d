"""regulars shops, import, sync: which shops there are, and how their data gets in."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from regulars.cli import terminal

shops = typer.Typer(help="The shops of this installation.", no_args_is_help=True)


def commands(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.add_typer(shops, name="shops")
    app.command("import")(import_files)
    app.command()(sync)


@shops.command("list")
def index(as_json: terminal.AsJson = False) -> None:
    """List the shops."""
    with terminal.connect() as api:
        told = api.get("/shops")
    if as_json:
        terminal.tell_json(told)
        return
    rows = [
        (one["name"], one["title"], one["kind"], one["time_zone"], one["currency"])
        for one in told["shops"]
    ]
    terminal.tell_table(("Name", "Title", "Kind", "Time zone", "Currency"), rows)


def import_files(  # noqa: PLR0917 - a command's options, which are given by name
    shop: terminal.Shop,
    orders: Annotated[Path, typer.Option(help="Orders as CSV, plain or .gz.", metavar="FILE")],
    customers: Annotated[
        Path | None, typer.Option(help="Customers as CSV, plain or .gz.", metavar="FILE")
    ] = None,
    timezone: Annotated[
        str | None, typer.Option(help="Of a new shop, like Asia/Tokyo; UTC if not told.")
    ] = None,
    currency: Annotated[
        str | None, typer.Option(help="Of a new shop, like JPY; USD if not told.")
    ] = None,
    as_json: terminal.AsJson = False,
) -> None:
    """Bring files of orders and customers into a shop; the shop is made where it is new."""
    asked = {
        "orders": str(orders.resolve()),
        "customers": str(customers.resolve()) if customers else None,
        "time_zone": timezone,
        "currency": currency,
    }
    with terminal.connect() as api, terminal.progress("Reading", quiet=as_json) as seen:
        job = api.post(f"/shops/{shop}/imports", asked)
        done = api.wait_for_job(shop, job, seen)
    report = done["result"] or {}
    terminal.tell_json(report) if as_json else _tell_report(report)


def sync(
    shop: terminal.Shop,
    full: Annotated[bool, typer.Option("--full", help="Load everything anew.")] = False,
    as_json: terminal.AsJson = False,
) -> None:
    """Fetch from Shopify what changed, or everything where nothing was loaded yet."""
    with terminal.connect() as api, terminal.progress("Fetching", quiet=as_json) as seen:
        job = api.post(f"/shops/{shop}/sync", None, full=int(full))
        done = api.wait_for_job(shop, job, seen)
    if as_json:
        terminal.tell_json(done)
    else:
        terminal.tell(done["note"] or "Everything is up to date.")


def _tell_report(report: dict[str, Any]) -> None:
    for kind, part in report.items():
        if not isinstance(part, dict):
            terminal.tell(f"{kind}: {part}")
            continue
        numbers = ", ".join(
            f"{value:,} {name}" for name, value in part.items() if isinstance(value, int)
        )
        terminal.tell(f"{kind}: {numbers}")
