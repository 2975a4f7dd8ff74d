"""regulars shops, import, sync: which shops there are, and how their data gets in."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

import typer

from regulars.cli import terminal
from regulars.errors import InputError, problem

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


@shops.command()
def universe(
    shop: terminal.Shop,
    who: Annotated[str, typer.Argument(help="all customers, or buyers: those with an order.")],
) -> None:
    """Choose who counts as everybody in a shop."""
    with terminal.connect() as api:
        told = api.patch(f"/shops/{shop}", {"universe": who})
    terminal.tell(f"Everybody in {told['name']}: {told['universe']}")


@shops.command()
def connect(
    shop: terminal.Shop,
    domain: Annotated[str, typer.Option(help="Like your-shop.myshopify.com.")],
    token_file: Annotated[
        Path,
        typer.Option(
            help="File that holds the custom app's Admin API access token; - reads it from "
            "standard input.",
            metavar="FILE",
            allow_dash=True,
        ),
    ],
    as_json: terminal.AsJson = False,
) -> None:
    """Connect a Shopify shop by the token of a custom app, and load its data.

    The token is read from a file, so that it is seen neither in the list of processes nor in the
    shell's history.
    """
    asked = {"domain": domain, "token": _token(token_file)}
    with terminal.connect() as api, terminal.progress("Loading", quiet=as_json) as seen:
        made = api.put(f"/shops/{quote(shop, safe='')}/connection", asked)
        done = api.wait_for_job(made["shop"]["name"], made["job"], seen)
    if as_json:
        terminal.tell_json({"shop": made["shop"], "job": done})
        return
    terminal.tell(f"{made['shop']['title']} is connected as {made['shop']['name']}.")
    for kind, count in (done["result"] or {}).items():
        if isinstance(count, int):
            terminal.tell(f"{kind}: {count:,}")


def _token(path: Path) -> str:
    try:
        text = sys.stdin.read() if str(path) == "-" else path.read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not plain text"
        template = 'The token file "{path}" cannot be read: {reason}.'
        raise InputError(
            problem("token_file", template, path=path, reason=reason.lower())
        ) from None
    token = text.strip()
    if not token or any(sign.isspace() for sign in token):
        template = 'The file "{path}" has to hold the token and nothing else.'
        raise InputError(problem("token_file", template, path=path))
    return token


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
    for what in ("orders", "customers"):
        if part := report.get(what):
            read = f"{part['rows']:,} rows read, {part['rejected_rows']:,} of them rejected"
            terminal.tell(f"{what.capitalize()}: {read} ({part['kind']}, {part['encoding']}).")
    terminal.tell(
        f"{report['order_count']:,} orders, {report['new_customer_count']:,} new customers."
    )
    if report["rejects"]:
        terminal.tell(f"The rejected rows with their reasons: {report['rejects']}")
