"""regulars segments: make, list, look into, change and delete customer segments."""

from __future__ import annotations

import functools
from typing import Annotated, Any
from urllib.parse import quote

import typer

from regulars.cli import instants, terminal

app = typer.Typer(help="Customer segments of a shop.", no_args_is_help=True)

Segment = Annotated[str, typer.Argument(help="The segment's number or name.", metavar="SEGMENT")]
PAGE = 1000
_USERS = {"tag": "tag", "rule": "tag rule", "tracking": "tracking"}


#: The address of all, of one, or of a part of it.
path = functools.partial(terminal.address, "segments")


@app.command("list")
def index(shop: terminal.Shop, as_json: terminal.AsJson = False) -> None:
    """List the segments."""
    with terminal.connect() as api:
        told = api.get(path(shop))
    if as_json:
        terminal.tell_json(told)
        return
    rows = [
        (one["id"], one["name"], one["member_count"], one["state"], one["query"])
        for one in told["segments"]
    ]
    terminal.tell_table(("ID", "Name", "Members", "State", "Query"), rows)


@app.command()
def create(
    shop: terminal.Shop,
    name: Annotated[str, typer.Option(help="How the segment is called.")],
    query: Annotated[str, typer.Option(help="Who belongs to it.")],
    as_json: terminal.AsJson = False,
) -> None:
    """Make a segment, and wait until its members are known."""
    asked = {"name": name, "query": terminal.about_query(query)}
    with terminal.connect() as api:
        made = _when_built(api, shop, api.post(path(shop), asked))
    _tell(made, as_json=as_json)


@app.command()
def show(segment: Segment, shop: terminal.Shop, as_json: terminal.AsJson = False) -> None:
    """Show a segment."""
    with terminal.connect() as api:
        _tell(api.get(path(shop, segment)), as_json=as_json)


@app.command()
def members(
    segment: Segment,
    shop: terminal.Shop,
    limit: Annotated[int | None, typer.Option(min=1, help="At most so many customers.")] = None,
    as_of: terminal.AsOf = None,
    as_json: terminal.AsJson = False,
) -> None:
    """List the members of a segment, or those whom its rule kept at the end of a past day."""
    with terminal.connect() as api:
        count, customers, unknown = _members(api, shop, segment, limit, as_of)
    if as_json:
        told = {"count": count, "customers": customers}
        terminal.tell_json({**told, "unknown_past": unknown} if as_of else told)
        return
    terminal.warn_of_unknown(unknown)
    terminal.tell_table(
        ("ID", "Name", "E-mail"), [(one["id"], one["name"], one["email"]) for one in customers]
    )
    terminal.tell(_counted(count))


@app.command()
def rename(
    segment: Segment,
    shop: terminal.Shop,
    name: Annotated[str, typer.Option(help="The new name.")],
    as_json: terminal.AsJson = False,
) -> None:
    """Rename a segment; queries that name it follow."""
    with terminal.connect() as api:
        _tell(api.patch(path(shop, segment), {"name": name}), as_json=as_json)


@app.command()
def edit(
    segment: Segment,
    shop: terminal.Shop,
    query: Annotated[str, typer.Option(help="The new query.")],
    as_json: terminal.AsJson = False,
) -> None:
    """Give a segment a new query, and wait until its members are known."""
    asked = {"query": terminal.about_query(query)}
    with terminal.connect() as api:
        made = _when_built(api, shop, api.patch(path(shop, segment), asked))
    _tell(made, as_json=as_json)


@app.command("preview-edit")
def preview_edit(
    segment: Segment,
    shop: terminal.Shop,
    query: Annotated[str, typer.Option(help="The query that might be saved.")],
    as_json: terminal.AsJson = False,
) -> None:
    """Tell what saving a new query would do; nothing is changed."""
    asked = {"query": terminal.about_query(query)}
    with terminal.connect() as api:
        told = api.post(path(shop, segment, "preview-edit"), asked)
    if as_json:
        terminal.tell_json(told)
        return
    terminal.tell(
        f"{told['joined']['count']:,} would join and {told['left']['count']:,} leave: "
        f"{told['before']:,} members now, {told['after']:,} then."
    )
    for other in told["segments"]:
        terminal.tell(f"  {other['name']}: {other['joined']:,} join, {other['left']:,} leave")
        for one in other["users"]:
            terminal.tell(f"    used by the {_USERS[one['kind']]} {one['name']}")
    for one in told["users"]:
        if one["kind"] != "segment":
            terminal.tell(f"  used by the {_USERS[one['kind']]} {one['name']}")


@app.command()
def versions(segment: Segment, shop: terminal.Shop, as_json: terminal.AsJson = False) -> None:
    """List the queries that a segment has had, newest first."""
    with terminal.connect() as api:
        told = api.get(path(shop, segment, "versions"))
        times = instants.of_shop(api, shop)
    if as_json:
        terminal.tell_json(told)
        return
    rows = [
        (one["version"], times.cell(one["created_at"]), one["author"], one["query"])
        for one in told["versions"]
    ]
    terminal.tell_table(("Version", times.head("Made"), "By", "Query"), rows)


@app.command("restore-version")
def restore_version(
    segment: Segment,
    version: Annotated[int, typer.Argument(metavar="VERSION", help="The version's number.")],
    shop: terminal.Shop,
    as_json: terminal.AsJson = False,
) -> None:
    """Make an earlier query of a segment its newest version."""
    with terminal.connect() as api:
        made = api.post(path(shop, segment, f"versions/{version}/restoration"))
        _tell(_when_built(api, shop, made), as_json=as_json)


@app.command()
def duplicate(
    segment: Segment,
    shop: terminal.Shop,
    name: Annotated[str | None, typer.Option(help="The copy's name.")] = None,
    as_json: terminal.AsJson = False,
) -> None:
    """Make a second segment with the same query."""
    with terminal.connect() as api:
        copy = api.post(path(shop, segment, "duplicates"), {"name": name})
        _tell(_when_built(api, shop, copy), as_json=as_json)


@app.command()
def delete(segment: Segment, shop: terminal.Shop) -> None:
    """Put a segment into the trash."""
    with terminal.connect() as api:
        api.delete(path(shop, segment))
    terminal.tell("The segment is in the trash.")


@app.command()
def restore(
    segment_id: Annotated[
        int, typer.Argument(metavar="ID", help="The number that the trash lists.")
    ],
    shop: terminal.Shop,
    as_json: terminal.AsJson = False,
) -> None:
    """Take a segment out of the trash."""
    with terminal.connect() as api:
        made = api.post(path(shop, str(segment_id), "restoration"))
        _tell(_when_built(api, shop, made), as_json=as_json)


@app.command()
def pull(
    shop: terminal.Shop,
    dry_run: Annotated[bool, typer.Option(help="Only say what would be brought in.")] = False,
    as_json: terminal.AsJson = False,
) -> None:
    """Bring in the shop's own segments from Shopify; say of each that cannot be read why."""
    address = f"/shops/{quote(shop, safe='')}/shopify-segments"
    with terminal.connect() as api:
        told = api.get(address) if dry_run else api.post(f"{address}/pull", {})
    if as_json:
        terminal.tell_json(told)
        return
    words = {"new": "can be brought in" if dry_run else "brought in", "here": "already here"}
    rows = [
        (
            one["segment_id"],
            one["name"],
            words.get(one["state"], "not read"),
            "; ".join(problem["message"] for problem in one["problems"]) or one["query"],
        )
        for one in told["segments"]
    ]
    terminal.tell_table(("ID", "Name at Shopify", "State", "Query, or why not"), rows)


@app.command()
def push(
    segment: Segment,
    shop: terminal.Shop,
    name: Annotated[str | None, typer.Option(help="Another name there.")] = None,
    as_json: terminal.AsJson = False,
) -> None:
    """Write a segment to Shopify, in its own language; one written before is changed there."""
    with terminal.connect() as api:
        made = api.post(path(shop, segment, "push"), {"name": name})
    if as_json:
        terminal.tell_json(made)
        return
    verb = "made" if made["is_new"] else "changed"
    terminal.tell(f"{verb}: {made['id']}  {made['name']}  {made['query']}")


def _members(
    api: Any, shop: str, segment: str, limit: int | None, as_of: str | None
) -> tuple[int, list[dict[str, Any]], list[str]]:
    asked = {"as_of": as_of} if as_of else {}
    unknown: list[str] = []
    customers: list[dict[str, Any]] = []
    after: int | None = -1
    count = 0
    while after is not None and (limit is None or len(customers) < limit):
        most = PAGE if limit is None else min(PAGE, limit - len(customers))
        page = api.get(path(shop, segment, "members"), limit=most, cursor=after, **asked)
        count, after, unknown = page["count"], page["next"], page["unknown_past"]
        customers += page["customers"]
    return count, customers, unknown


def _when_built(api: Any, shop: str, made: dict[str, Any]) -> dict[str, Any]:
    if made["state"] != "building":
        return made
    built: dict[str, Any] = api.wait(
        path(shop, str(made["id"])), lambda one: one["state"] != "building"
    )
    return built


def _tell(segment: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        terminal.tell_json(segment)
        return
    terminal.tell(f"{segment['id']}  {segment['name']}  {segment['query']}")
    if segment["state"] == "broken":
        terminal.tell(f"broken: {segment['problem']}")
    else:
        terminal.tell(f"{_counted(segment['member_count'])} ({segment['state']})")


def _counted(count: int) -> str:
    return f"{count:,} member" + ("" if count == 1 else "s")
