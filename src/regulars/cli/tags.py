"""regulars tags: give a segment's customers a tag in Shopify, see how it went, take it back."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import quote

import typer

from regulars.cli import terminal

app = typer.Typer(help="Shopify customer tags.", no_args_is_help=True)

Assignment = Annotated[int, typer.Argument(help="The assignment's number.", metavar="ID")]
Segment = Annotated[str, typer.Option("--segment", help="The segment's number or name.")]
Tag = Annotated[str, typer.Option("--tag", help="The tag, at most 40 characters, no comma.")]
Wait = Annotated[
    bool,
    typer.Option(
        "--wait",
        help="Wait until all customers are through; always done where no app is running.",
    ),
]

#: Statuses in which nothing more happens by itself.
ENDED = {
    "assigned", "partly_failed", "failed", "cancelled", "removed", "partly_removed", "paused",
}  # fmt: skip


def path(shop: str, assignment_id: int | None = None, part: str = "") -> str:
    """Return the address of a shop's tag history, of one assignment, or of a part of it."""
    address = f"/shops/{quote(shop, safe='')}/tags"
    if assignment_id is not None:
        address += f"/{assignment_id}"
    return f"{address}/{part}" if part else address


@app.command()
def assign(
    shop: terminal.Shop,
    segment: Segment,
    tag: Tag,
    wait: Wait = False,
    as_json: terminal.AsJson = False,
) -> None:
    """Give a tag to the customers who belong to a segment now."""
    with terminal.connect() as api:
        made = api.post(path(shop), {"segment": segment, "tag": tag})
        made = _waited(api, shop, made, wait=wait, quiet=as_json)
    _tell(made, as_json=as_json)


@app.command()
def preview(
    shop: terminal.Shop, segment: Segment, tag: Tag, as_json: terminal.AsJson = False
) -> None:
    """Tell what assigning a tag would do now."""
    with terminal.connect() as api:
        told = api.get(path(shop) + "/preview", segment=segment, tag=tag)
    if as_json:
        terminal.tell_json(told)
        return
    terminal.tell(
        f"{told['will_get_count']:,} of {told['targeted_count']:,} customers would get it, "
        f"{told['have_it_count']:,} have it, {told['at_limit_count']:,} are at Shopify's limit."
    )


@app.command()
def history(
    shop: terminal.Shop,
    segment: Annotated[str | None, typer.Option("--segment", help="Only this segment.")] = None,
    as_json: terminal.AsJson = False,
) -> None:
    """List the tag history, newest first."""
    with terminal.connect() as api:
        listed = _all(api, shop, segment)
    if as_json:
        terminal.tell_json({"assignments": listed})
        return
    columns = ("ID", "Tag", "Segment", "Customers", "Status", "Assigned at", "By")
    terminal.tell_table(columns, [_row(one) for one in listed])


@app.command()
def show(assignment_id: Assignment, shop: terminal.Shop, as_json: terminal.AsJson = False) -> None:
    """Show one assignment, with the customers whose tag could not be changed."""
    with terminal.connect() as api:
        one = api.get(path(shop, assignment_id))
        failed = api.get(path(shop, assignment_id, "problems"))["problems"]
    if as_json:
        terminal.tell_json({**one, "problems": failed})
        return
    _tell(one, as_json=False)
    for row in failed:
        terminal.tell(f"  {row['customer_id']}: {row['problem']}")


@app.command()
def remove(
    assignment_id: Assignment,
    shop: terminal.Shop,
    wait: Wait = False,
    as_json: terminal.AsJson = False,
) -> None:
    """Take the tag back from exactly those this assignment gave it to."""
    with terminal.connect() as api:
        plan = api.get(path(shop, assignment_id, "removal"))
        made = api.post(path(shop, assignment_id, "removal"))
        made = _waited(api, shop, made, wait=wait, quiet=as_json)
    if not as_json:
        terminal.tell(
            f"{plan['removed_count']:,} customers lose the tag, {plan['kept_before_count']:,} had "
            f"it before and keep it, {plan['kept_wanted_count']:,} keep it through another "
            "assignment."
        )
    _tell(made, as_json=as_json)


@app.command()
def pause(assignment_id: Assignment, shop: terminal.Shop, as_json: terminal.AsJson = False) -> None:
    """Let an assignment rest."""
    _act(assignment_id, shop, "pause", as_json=as_json)


@app.command()
def resume(
    assignment_id: Assignment,
    shop: terminal.Shop,
    wait: Wait = False,
    as_json: terminal.AsJson = False,
) -> None:
    """Let a paused assignment go on."""
    _act(assignment_id, shop, "resume", wait=wait, as_json=as_json)


@app.command()
def cancel(
    assignment_id: Assignment, shop: terminal.Shop, as_json: terminal.AsJson = False
) -> None:
    """Stop an assignment for good; who has the tag keeps it."""
    _act(assignment_id, shop, "cancellation", as_json=as_json)


@app.command()
def retry(
    assignment_id: Assignment,
    shop: terminal.Shop,
    wait: Wait = False,
    as_json: terminal.AsJson = False,
) -> None:
    """Try the customers that failed again."""
    _act(assignment_id, shop, "retry", wait=wait, as_json=as_json)


def _act(assignment_id: int, shop: str, part: str, *, wait: bool = False, as_json: bool) -> None:
    with terminal.connect() as api:
        made = api.post(path(shop, assignment_id, part))
        made = _waited(api, shop, made, wait=wait, quiet=as_json)
    _tell(made, as_json=as_json)


def _all(api: Any, shop: str, segment: str | None) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = []
    before: int | None = None
    while True:
        asked = {"segment": segment, "before": before}
        page = api.get(
            path(shop), **{key: value for key, value in asked.items() if value is not None}
        )
        listed += page["assignments"]
        before = page["next"]
        if before is None:
            return listed


def _waited(
    api: Any, shop: str, made: dict[str, Any], *, wait: bool, quiet: bool
) -> dict[str, Any]:
    # Without a running app nobody else would do the work.
    if not (wait or api.is_own) or made["status"] in ENDED:
        return made
    with terminal.progress(f"tag {made['tag']}", quiet=quiet) as seen:
        ended: dict[str, Any] = api.wait(
            path(shop, made["id"]), lambda one: one["status"] in ENDED or one["problem"], seen
        )
    return ended


def _row(one: dict[str, Any]) -> tuple[object, ...]:
    return (
        one["id"],
        one["tag"],
        one["segment"],
        one["targeted_count"],
        _status(one),
        one["assigned_at"],
        one["author"],
    )


def _status(one: dict[str, Any]) -> str:
    word = str(one["status"]).replace("_", " ")
    is_moving = one["status"] in {"assigning", "removing", "cancelling"}
    return f"{word} {one['progress']:.0%}" if is_moving else word


def _tell(one: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        terminal.tell_json(one)
        return
    terminal.tell(f"{one['id']}  {one['tag']}  {one['segment']}  {_status(one)}")
    terminal.tell(f"{one['targeted_count']:,} targeted customers")
    for outcome, count in one["outcomes"].items():
        terminal.tell(f"  {outcome.replace('_', ' ')}: {count:,}")
    if one["problem"]:
        terminal.warn(one["problem"])
