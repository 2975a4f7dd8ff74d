"""regulars segments describe, groups, trash: how segments are kept in order."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import quote

import typer

from regulars.cli import instants, segments, terminal


@segments.app.command()
def describe(  # noqa: PLR0917 - a command's options, which are given by name
    segment: segments.Segment,
    shop: terminal.Shop,
    description: Annotated[str | None, typer.Option(help="What it is for.")] = None,
    icon: Annotated[str | None, typer.Option(help="One sign, like an emoji.")] = None,
    featured: Annotated[
        bool | None, typer.Option("--featured/--not-featured", help="On the home page or not.")
    ] = None,
    group: Annotated[
        list[str] | None, typer.Option(help="A group it is in; give all of them. '' for none.")
    ] = None,
    as_json: terminal.AsJson = False,
) -> None:
    """Give a segment a description, an icon, groups, or a place on the home page."""
    asked = {
        "description": description,
        "icon": icon,
        "is_featured": featured,
        "groups": None if group is None else [one for one in group if one],
    }
    with terminal.connect() as api:
        made = api.patch(segments.path(shop, segment), asked)
    terminal.tell_json(made) if as_json else terminal.tell(f"{made['icon']} {made['name']}".strip())


@segments.app.command()
def groups(shop: terminal.Shop, as_json: terminal.AsJson = False) -> None:
    """List the groups with their segments."""
    with terminal.connect() as api:
        told = api.get(f"/shops/{quote(shop, safe='')}/segment-groups")
    if as_json:
        terminal.tell_json(told)
        return
    rows = [(one["name"], ", ".join(map(str, one["segments"]))) for one in told["groups"]]
    terminal.tell_table(("Group", "Segments"), rows)


@segments.app.command()
def trash(shop: terminal.Shop, as_json: terminal.AsJson = False) -> None:
    """List the segments in the trash; they are kept for 30 days."""
    with terminal.connect() as api:
        told = api.get(segments.path(shop), trash="true")
        times = instants.of_shop(api, shop)
    if as_json:
        terminal.tell_json(told)
        return
    rows = [(one["id"], one["name"], times.cell(one["deleted_at"])) for one in told["segments"]]
    terminal.tell_table(("ID", "Name", times.head("Deleted")), rows)
