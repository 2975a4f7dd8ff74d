"""regulars tags: give a segment's customers a tag in Shopify, see how it went, take it back."""

from __future__ import annotations

import functools
from typing import Annotated, Any
from urllib.parse import quote

import typer

from regulars.cli import terminal
from regulars.cli.instants import Instants, of_shop
from regulars.cli.tag_rule_commands import rules_app

app = typer.Typer(help="Shopify customer tags.", no_args_is_help=True)
app.add_typer(rules_app, name="rules")

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

Holdout = Annotated[
    float, typer.Option("--holdout", help="Percent of the customers to leave out, for comparison.")
]

#: Statuses in which nothing more happens by itself.
ENDED = {
    "assigned", "partly_failed", "failed", "cancelled", "removed", "partly_removed", "paused",
    "in_sync", "stopped",
}  # fmt: skip


#: The address of all, of one, or of a part of it.
path = functools.partial(terminal.address, "tags")


@app.command()
def assign(
    shop: terminal.Shop,
    segment: Segment,
    tag: Tag,
    *,
    holdout: Holdout = 0.0,
    wait: Wait = False,
    as_json: terminal.AsJson = False,
) -> None:
    """Give a tag to the customers who belong to a segment now."""
    with terminal.connect() as api:
        asked = {"segment": segment, "tag": tag, "holdout": holdout / 100}
        made = api.post(path(shop), asked)
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
    *,
    segment: Annotated[str | None, typer.Option("--segment", help="Only this segment.")] = None,
    tag: Annotated[str | None, typer.Option("--tag", help="Only this tag.")] = None,
    status: Annotated[str | None, typer.Option("--status", help="Only this status.")] = None,
    kind: Annotated[str | None, typer.Option("--kind", help="once, rule or legacy.")] = None,
    since: Annotated[str | None, typer.Option("--since", help="From this day on.")] = None,
    until: Annotated[str | None, typer.Option("--until", help="Up to this day.")] = None,
    as_json: terminal.AsJson = False,
) -> None:
    """List the tag history, newest first."""
    asked = {
        "segment": segment,
        "tag": tag,
        "status": status.replace(" ", "_") if status else None,
        "kind": kind,
        "since": since,
        "until": until,
    }
    with terminal.connect() as api:
        listed = _all(api, shop, asked)
        times = of_shop(api, shop)
    if as_json:
        terminal.tell_json({"assignments": listed})
        return
    assigned = times.head("Assigned")
    columns = ("ID", "Tag", "Segment", "Customers", "Kind", "Status", assigned, "By")
    terminal.tell_table(columns, [_row(one, times) for one in listed])


@app.command()
def show(assignment_id: Assignment, shop: terminal.Shop, as_json: terminal.AsJson = False) -> None:
    """Show one assignment: what happened to it, and whose tag could not be changed."""
    with terminal.connect() as api:
        one = api.get(path(shop, assignment_id))
        failed = api.get(path(shop, assignment_id, "problems"))["problems"]
        events = api.get(path(shop, assignment_id, "events"))["events"]
    if as_json:
        terminal.tell_json({**one, "problems": failed, "events": events})
        return
    _tell(one, as_json=False)
    for row in failed:
        terminal.tell(f"  {row['customer_id']}: {row['problem']}")
    for event in reversed(events):
        parts = (event["kind"].replace("_", " "), event["author"], event["note"])
        terminal.tell(f"  {event['at']}  {'  '.join(part for part in parts if part)}")


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


@app.command("undo-removal")
def undo_removal(
    assignment_id: Assignment,
    shop: terminal.Shop,
    wait: Wait = False,
    as_json: terminal.AsJson = False,
) -> None:
    """Stop taking a tag off, and give it again to everybody who lost it."""
    _act(assignment_id, shop, "removal/undo", wait=wait, as_json=as_json)


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


@app.command()
def plan(shop: terminal.Shop, as_json: terminal.AsJson = False) -> None:
    """Tell what would be given and taken off from now on, before it happens."""
    with terminal.connect() as api:
        told = api.get(_address(shop, "tag-plan"))
    if as_json:
        terminal.tell_json(told)
        return
    columns = ("Rule", "Tag", "Segment", "Gets it", "Loses it", "In grace time", "Left out", "")
    rows = [
        (
            one["rule_id"],
            one["tag"],
            one["segment"],
            one["give_count"],
            one["take_count"],
            one["grace_count"],
            one["holdout_count"],
            "waits for you" if one["brakes"] else "not counted yet" if one["is_waiting"] else "",
        )
        for one in told["rules"]
    ]
    terminal.tell_table(columns, rows)
    for one in told["open"]:
        terminal.tell(f"{one['tag']}: {one['waiting_count']:,} customers still to do")


@app.command()
def drift(
    shop: terminal.Shop,
    check: Annotated[
        bool, typer.Option("--check", help="Compare with Shopify now; else tell the last check.")
    ] = False,
    as_json: terminal.AsJson = False,
) -> None:
    """Tell where others gave or took tags of ours in Shopify."""
    with terminal.connect() as api:
        if check:
            api.wait_for_job(shop, api.post(_address(shop, "tag-drift")))
        told = api.get(_address(shop, "tag-drift"))
        times = of_shop(api, shop)
    if as_json:
        terminal.tell_json(told)
        return
    if told["checked_at"] is None:
        terminal.tell("Not compared yet. Compare now with: --check")
        return
    checked_at = times.said(told["checked_at"])
    terminal.tell(f"Compared {told['customer_count']:,} customers at {checked_at}.")
    columns = ("Tag", "Taken by others", "Given by others", "Repaired")
    keys = ("tag", "missing_count", "foreign_count", "repaired_count")
    terminal.tell_table(columns, [[one[key] for key in keys] for one in told["found"]])


@app.command()
def orphans(shop: terminal.Shop, as_json: terminal.AsJson = False) -> None:
    """List tags that we gave and that no assignment or rule wants any more."""
    with terminal.connect() as api:
        told = api.get(_address(shop, "tag-orphans"))
    if as_json:
        terminal.tell_json(told)
        return
    rows = [(one["tag"], one["customer_count"]) for one in told["orphans"]]
    terminal.tell_table(("Tag", "Customers"), rows)


@app.command()
def legacy(shop: terminal.Shop, as_json: terminal.AsJson = False) -> None:
    """List the tags that an earlier system gave to static segments."""
    with terminal.connect() as api:
        told = api.get(path(shop) + "/legacy")
    if as_json:
        terminal.tell_json(told)
        return
    keys = ("id", "tag", "segment", "customer_count", "given_on")
    columns = ("ID", "Tag", "Static segment", "Customers", "Given on")
    terminal.tell_table(columns, [[one[key] for key in keys] for one in told["tags"]])


@app.command("remove-legacy")
def remove_legacy(
    tag_id: Annotated[int, typer.Argument(help="The tag's number in: tags legacy.", metavar="ID")],
    shop: terminal.Shop,
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    wait: Wait = False,
    as_json: terminal.AsJson = False,
) -> None:
    """Take a static segment's tag from its customers. Nobody knows who had it before.

    For the operator. Customers for whom one of our assignments or rules wants the tag keep it.
    """
    if not yes:
        typer.confirm("Customers who had this tag before lose it too. Go on?", abort=True, err=True)
    with terminal.connect() as api:
        made = api.post(f"{path(shop)}/legacy/{tag_id}/removal")
        made = _waited(api, shop, made, wait=wait, quiet=as_json)
    _tell(made, as_json=as_json)


def _address(shop: str, part: str) -> str:
    return f"/shops/{quote(shop, safe='')}/{part}"


def _act(assignment_id: int, shop: str, part: str, *, wait: bool = False, as_json: bool) -> None:
    with terminal.connect() as api:
        made = api.post(path(shop, assignment_id, part))
        made = _waited(api, shop, made, wait=wait, quiet=as_json)
    _tell(made, as_json=as_json)


def _all(api: Any, shop: str, filters: dict[str, str | None]) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = []
    before: int | None = None
    while True:
        page = api.get(path(shop), cursor=before, **filters)
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


def _row(one: dict[str, Any], times: Instants) -> tuple[object, ...]:
    return (
        one["id"],
        one["tag"],
        f"{one['segment']} (deleted)" if one["is_segment_deleted"] else one["segment"],
        one["targeted_count"],
        one["kind"],
        _status(one),
        times.cell(one["assigned_at"]),
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
    if one["seconds_left"] is not None:
        speed, minutes = one["customers_per_second"], one["seconds_left"] / 60
        terminal.tell(f"{speed:,.1f} customers a second, about {minutes:,.0f} minutes left")
    if one["is_segment_deleted"]:
        terminal.tell("The segment was deleted since; its customers at that moment stay.")
    terminal.warn_of_halt(one)
