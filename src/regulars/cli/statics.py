"""regulars static: the fixed lists of an earlier system, and the switch of their phase-out."""

from __future__ import annotations

import functools
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from regulars.cli import terminal
from regulars.cli.segments import path as segment_path

static = typer.Typer(help="Static segments, which are being phased out.", no_args_is_help=True)

Static = Annotated[
    str, typer.Argument(help="The static segment's number or name.", metavar="STATIC")
]
Day = Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Announced for this day.")]


def commands(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(static, name="static")


#: The address of all, of one, or of a part of it.
path = functools.partial(terminal.address, "static-segments")


@static.command("import")
def bring_in(
    file: Annotated[Path, typer.Argument(help="A CSV file of the customers.")],
    shop: terminal.Shop,
    manifest: Annotated[
        Path, typer.Option(help="A JSON file: name, created, source, tags, trackings.")
    ],
    as_json: terminal.AsJson = False,
) -> None:
    """Bring a static segment in, with its tags and trackings."""
    asked = {"file": str(file.absolute()), "manifest": str(manifest.absolute())}
    with terminal.connect() as api:
        _tell(api.post(path(shop), asked), as_json=as_json)


@static.command()
def create(
    file: Annotated[Path, typer.Argument(help="A CSV file of the customers.")],
    shop: terminal.Shop,
    name: Annotated[str, typer.Option(help="How the list is called.")],
    as_json: terminal.AsJson = False,
) -> None:
    """Make a new static segment, while the phase-out is still open."""
    asked = {"file": str(file.absolute()), "name": name}
    with terminal.connect() as api:
        _tell(api.post(path(shop), asked), as_json=as_json)


@static.command()
def delete(one: Static, shop: terminal.Shop) -> None:
    """Put a static segment that was not converted into the trash, for 30 days.

    Its tag history and its trackings stay.
    """
    with terminal.connect() as api:
        api.delete(path(shop, one))
    terminal.tell("The static segment is in the trash.")


@static.command()
def restore(
    static_id: Annotated[
        int, typer.Argument(metavar="ID", help="The number that `list --trash` tells.")
    ],
    shop: terminal.Shop,
    as_json: terminal.AsJson = False,
) -> None:
    """Take a static segment out of the trash."""
    with terminal.connect() as api:
        _tell(api.post(path(shop, str(static_id), "restoration")), as_json=as_json)


@static.command("list")
def index(
    shop: terminal.Shop,
    trash: Annotated[bool, typer.Option("--trash", help="Those that were deleted.")] = False,
    as_json: terminal.AsJson = False,
) -> None:
    """List the static segments, or those in the trash."""
    with terminal.connect() as api:
        told = api.get(path(shop), **({"trash": "true"} if trash else {}))
    if as_json:
        terminal.tell_json(told)
        return
    rows = [
        (
            one["id"],
            one["name"],
            one["customer_count"],
            one["created_on"],
            len(one["tags"]),
            len(one["trackings"]),
            "converted" if one["converted_at"] else "",
        )
        for one in told["static_segments"]
    ]
    heads = ("ID", "Name", "Customers", "Created", "Tags", "Trackings", "State")
    terminal.tell_table(heads, rows)


@static.command()
def show(one: Static, shop: terminal.Shop, as_json: terminal.AsJson = False) -> None:
    """Show a static segment with its tags and trackings."""
    with terminal.connect() as api:
        _tell(api.get(path(shop, one)), as_json=as_json)


@static.command()
def export(
    one: Static,
    shop: terminal.Shop,
    out: Annotated[Path, typer.Option(help="The file to write.")],
) -> None:
    """Write the list to a CSV file that is safe to open and can be uploaded."""
    with terminal.connect() as api:
        content = api.fetch(path(shop, one, "export.csv"))
    terminal.write_csv(out, content)


@static.command()
def convert(
    one: Static,
    shop: terminal.Shop,
    name: Annotated[str, typer.Option(help="Another name, where the list's own is taken.")] = "",
    as_json: terminal.AsJson = False,
) -> None:
    """Make a customer segment of a static one; it keeps name, tag history and trackings."""
    with terminal.connect() as api:
        made = api.post(path(shop, one, "conversion"), {"name": name})
        address = segment_path(shop, str(made["id"]))
        made = api.wait(address, lambda segment: segment["state"] != "building")
    if as_json:
        terminal.tell_json(made)
        return
    terminal.tell(f'"{made["name"]}" is a customer segment with {made["member_count"]:,} members.')


@static.command()
def phase(
    name: Annotated[
        Literal["open", "read-only", "removed"] | None,
        typer.Argument(help="Left out: it stays as it is."),
    ] = None,
    read_only_on: Day = None,
    removed_on: Day = None,
    as_json: terminal.AsJson = False,
) -> None:
    """Show or turn the switch of the phase-out, and announce its days."""
    with terminal.connect() as api:
        told = api.get("/static-phase")
        if name or read_only_on or removed_on:
            kept = {} if name else told
            asked = {
                "name": name or told["name"],
                "read_only_on": _iso(read_only_on) or kept.get("read_only_on"),
                "removed_on": _iso(removed_on) or kept.get("removed_on"),
            }
            told = api.put("/static-phase", asked)
    if as_json:
        terminal.tell_json(told)
        return
    terminal.tell(f"{told['name']}; {told['unconverted_count']:,} not converted.")
    for key, words in (("read_only_on", "read-only"), ("removed_on", "removed")):
        if told[key]:
            terminal.tell(f"announced: {words} on {told[key]}")


def _iso(day: datetime | None) -> str | None:
    return day.date().isoformat() if day else None


def _tell(one: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        terminal.tell_json(one)
        return
    terminal.tell(f"{one['id']}  {one['name']}  {one['customer_count']:,} customers")
    terminal.tell(f"made on {one['created_on']} ({one['source']})")
    for outcome, count in one["counts"].items():
        terminal.tell(f"  {count:>10,}  {outcome.replace('_', ' ')}")
    for tag in one["tags"]:
        terminal.tell(f"tag {tag['tag']}, given on {tag['given_on']}")
    for run in one["trackings"]:
        days = f"{run['starts_on']} to {run['ends_on']}"
        terminal.tell(f"tracking {run['name']}, {days}, {run['status'].replace('_', ' ')}")
    if one["segment_id"]:
        terminal.tell(f"converted: customer segment {one['segment_id']}")
