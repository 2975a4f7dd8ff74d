"""regulars tags rules: keep a tag equal to a segment."""

from __future__ import annotations

import functools
from typing import Annotated, Any

import typer

from regulars.cli import terminal

rules_app = typer.Typer(help="Tags that are kept equal to a segment.", no_args_is_help=True)

Rule = Annotated[int, typer.Argument(help="The rule's number.", metavar="ID")]
Grace = Annotated[
    int | None, typer.Option("--grace-days", help="Days for which leavers keep the tag.")
]
BrakeShare = Annotated[
    float | None,
    typer.Option("--brake-percent", help="Larger changes wait for you; 0 for no such limit."),
]
BrakeNumber = Annotated[
    int | None,
    typer.Option("--brake-number", help="Changes of more customers wait; 0 for no such limit."),
]
Drift = Annotated[
    str | None,
    typer.Option("--drift", help="respect or repair what others change in Shopify."),
]
Holdout = Annotated[
    float | None, typer.Option("--holdout", help="Percent of the customers to leave out.")
]
Tier = Annotated[
    str | None,
    typer.Option("--tier-group", help="Rules of one group give each customer exactly one tag."),
]
Position = Annotated[
    int | None, typer.Option("--position", help="Order in the group: the first that fits wins.")
]


#: The address of all, of one, or of a part of it.
_path = functools.partial(terminal.address, "tag-rules")


@rules_app.command("list")
def show_all(shop: terminal.Shop, as_json: terminal.AsJson = False) -> None:
    """List the rules of a shop."""
    with terminal.connect() as api:
        told = api.get(_path(shop))
    if as_json:
        terminal.tell_json(told)
        return
    columns = ("ID", "Tag", "Segment", "Status", "Customers", "Left out", "Tier group")
    keys = ("id", "tag", "segment", "status", "member_count", "holdout_count", "tier_group")
    terminal.tell_table(columns, [[one[key] for key in keys] for one in told["rules"]])


@rules_app.command()
def create(
    shop: terminal.Shop,
    segment: Annotated[str, typer.Option("--segment", help="The segment's number or name.")],
    tag: Annotated[str, typer.Option("--tag", help="The tag.")],
    *,
    grace_days: Grace = None,
    brake_percent: BrakeShare = None,
    brake_number: BrakeNumber = None,
    drift: Drift = None,
    holdout: Holdout = None,
    tier_group: Tier = None,
    position: Position = None,
    as_json: terminal.AsJson = False,
) -> None:
    """Keep a tag equal to a segment: given on joining, taken off on leaving."""
    asked = _options(grace_days, brake_percent, brake_number, drift, holdout, tier_group, position)
    with terminal.connect() as api:
        made = api.post(_path(shop), {"segment": segment, "tag": tag, **asked})
    _tell(made, as_json=as_json)


@rules_app.command()
def change(
    rule_id: Rule,
    shop: terminal.Shop,
    *,
    tag: Annotated[str | None, typer.Option("--tag", help="Another tag.")] = None,
    grace_days: Grace = None,
    brake_percent: BrakeShare = None,
    brake_number: BrakeNumber = None,
    drift: Drift = None,
    holdout: Holdout = None,
    tier_group: Tier = None,
    position: Position = None,
    as_json: terminal.AsJson = False,
) -> None:
    """Change a rule; what is not named stays. A new tag is given before the old one goes."""
    keys = (
        "grace_days", "brake_number", "brake_share", "drift", "holdout", "tier_group", "position",
    )  # fmt: skip
    asked = _options(grace_days, brake_percent, brake_number, drift, holdout, tier_group, position)
    with terminal.connect() as api:
        before = api.get(_path(shop, rule_id))
        kept = {key: before[key] for key in keys}
        made = api.put(_path(shop, rule_id), {**kept, **asked, "tag": tag})
    _tell(made, as_json=as_json)


@rules_app.command()
def off(
    rule_id: Rule,
    shop: terminal.Shop,
    take: Annotated[
        bool, typer.Option("--take/--leave", help="Take the tags off, or leave them.")
    ] = False,
    as_json: terminal.AsJson = False,
) -> None:
    """Switch a rule off."""
    with terminal.connect() as api:
        made = api.post(_path(shop, rule_id, "off"), {"take": take})
    _tell(made, as_json=as_json)


@rules_app.command()
def on(rule_id: Rule, shop: terminal.Shop, as_json: terminal.AsJson = False) -> None:
    """Switch a rule on again."""
    _act(rule_id, shop, "on", as_json=as_json)


@rules_app.command()
def release(rule_id: Rule, shop: terminal.Shop, as_json: terminal.AsJson = False) -> None:
    """Let a change pass that the brake holds; see it first with: regulars tags plan."""
    _act(rule_id, shop, "release", as_json=as_json)


def _act(rule_id: int, shop: str, part: str, *, as_json: bool) -> None:
    with terminal.connect() as api:
        made = api.post(_path(shop, rule_id, part))
    _tell(made, as_json=as_json)


def _options(  # noqa: PLR0917 - one argument per option, in one place
    grace_days: int | None,
    brake_percent: float | None,
    brake_number: int | None,
    drift: str | None,
    holdout: float | None,
    tier_group: str | None,
    position: int | None,
) -> dict[str, Any]:
    """Return what was named; 0 takes a limit of the brake away."""
    asked: dict[str, Any] = {
        "grace_days": grace_days,
        "drift": drift,
        "holdout": None if holdout is None else holdout / 100,
        "tier_group": tier_group,
        "position": position,
    }
    found = {key: value for key, value in asked.items() if value is not None}
    if brake_percent is not None:
        found["brake_share"] = brake_percent / 100 or None
    if brake_number is not None:
        found["brake_number"] = brake_number or None
    return found


def _tell(one: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        terminal.tell_json(one)
        return
    status = str(one["status"]).replace("_", " ")
    terminal.tell(f"{one['id']}  {one['tag']}  {one['segment']}  {status}")
    terminal.tell(f"{one['member_count']:,} customers have the tag")
    terminal.warn_of_halt(one)
    if one["status"] == "held":
        terminal.warn(
            f"{one['held_give_count']:,} would get it and {one['held_take_count']:,} would lose "
            f"it. Let it pass with: regulars tags rules release {one['id']}"
        )
