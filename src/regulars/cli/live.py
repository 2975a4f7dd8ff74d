"""regulars compare, replay, live, verify: how well the copy of a shop follows Shopify."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any
from urllib.parse import quote

import typer

from regulars.cli import instants, terminal


def commands(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.command()(live)
    app.command()(compare)
    app.command()(replay)
    app.command()(verify)


def path(shop: str, part: str = "") -> str:
    """Return the address of a shop's live state, or of a part of it."""
    address = f"/shops/{quote(shop, safe='')}/live"
    return f"{address}/{part}" if part else address


def live(shop: terminal.Shop, as_json: terminal.AsJson = False) -> None:
    """Tell what was fetched when, what waits, and which webhooks could not be applied."""
    with terminal.connect() as api:
        told = api.get(path(shop))
        times = instants.of_shop(api, shop)
    if as_json:
        terminal.tell_json(told)
        return
    caught_up_at = told["caught_up_at"]
    terminal.tell(f"Caught up at {times.said(caught_up_at) if caught_up_at else '-'}")
    terminal.tell(f"{told['waiting_count']:,} webhooks wait, {len(told['parked']):,} are parked.")
    comparison = told["comparison"]
    if comparison:
        started_at = times.said(comparison["started_at"])
        terminal.tell(f"Compared at {started_at}: {comparison['state']}")
        if comparison["problem"]:
            terminal.warn(comparison["problem"])
        if comparison["result"]:
            tell_differences(comparison["result"])


def compare(
    shop: terminal.Shop,
    accept_deletions: Annotated[
        bool,
        typer.Option(
            "--accept-deletions", help="Also where a large part of what is stored would go."
        ),
    ] = False,
    as_json: terminal.AsJson = False,
) -> None:
    """Compare the whole shop with Shopify, and repair what differs."""
    with terminal.connect() as api, terminal.progress("Comparing", quiet=as_json) as seen:
        job = api.post(path(shop, "comparisons"), {"accept_deletions": accept_deletions})
        done = api.wait_for_job(shop, job, seen)
    if as_json:
        terminal.tell_json(done["result"])
        return
    result = done["result"] or {}
    terminal.tell(
        f"{result.get('deleted_customers', 0):,} customers and {result.get('deleted_orders', 0):,} "
        "orders are no longer at Shopify."
    )
    tell_differences(result)


def tell_differences(result: Mapping[str, Any]) -> None:
    """Tell which values were different, and that they were repaired."""
    named, count = result.get("differences", []), result.get("differing", 0)
    terminal.tell(f"{count:,} values were different and were repaired.")
    for one in named:
        told = "" if one["ours"] is None and one["theirs"] is None else _values(one)
        terminal.tell(f"  {one['kind']} {one['id']}: {one['attribute']}{told}")
    if count > len(named):
        terminal.tell(f"  ... and {count - len(named):,} more")


def _values(one: Mapping[str, Any]) -> str:
    return f" was {one['ours'] or '-'}, is {one['theirs'] or '-'} at Shopify"


def replay(shop: terminal.Shop, as_json: terminal.AsJson = False) -> None:
    """Try the parked webhooks again."""
    with terminal.connect() as api:
        told = api.post(path(shop, "replays"))
    terminal.tell_json(told) if as_json else terminal.tell(f"{told['count']:,} are tried again.")


def verify(shop: terminal.Shop, as_json: terminal.AsJson = False) -> int:
    """Work every segment out from nothing and compare; leaves with 1 where something differs."""
    with terminal.connect() as api, terminal.progress("Comparing", quiet=as_json) as seen:
        job = api.post(path(shop, "proofs"))
        done = api.wait_for_job(shop, job, seen)["result"]
    if as_json:
        terminal.tell_json(done)
    else:
        terminal.tell(f"{done['segments']:,} segments with {done['members']:,} members compared.")
        for one in done["wrong"]:
            terminal.warn(
                f"{one['name']}: {one['missing']:,} missing, {one['extra']:,} too many, "
                f"{one['log_differs']:,} differ from the log."
            )
        for name in done["unanswered"]:
            terminal.warn(f"{name} cannot be evaluated at the moment.")
    return 1 if done["wrong"] else 0
