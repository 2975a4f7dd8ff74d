"""regulars templates: rules to start from, and recipes that make a group of segments."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import quote

import typer

from regulars.cli import segments, terminal
from regulars.errors import InputError, problem

app = typer.Typer(help="Rules to start from.", no_args_is_help=True)

Set = Annotated[
    list[str] | None,
    typer.Option("--set", help="A figure of the rule, like days=60; may be given several times."),
]


@app.command("list")
def index(
    shop: terminal.Shop,
    language: Annotated[str, typer.Option(help="en or ja.")] = "en",
    as_json: terminal.AsJson = False,
) -> None:
    """List the templates by family, and the recipes."""
    with terminal.connect() as api:
        told = api.get(f"/shops/{quote(shop, safe='')}/templates", language=language)
    if as_json:
        terminal.tell_json(told)
        return
    rows = [
        (family["name"], one["key"], one["name"], one["query"])
        for family in told["families"]
        for one in family["templates"]
    ]
    terminal.tell_table(("Family", "Key", "Name", "Query"), rows)
    for one in told["recipes"]:
        terminal.tell(f"recipe {one['key']}: {one['name']} ({', '.join(one['parts'])})")


@app.command()
def use(
    key: Annotated[str, typer.Argument(metavar="KEY", help="The template's key.")],
    shop: terminal.Shop,
    name: Annotated[str | None, typer.Option(help="The segment's name.")] = None,
    figures: Set = None,
    as_json: terminal.AsJson = False,
) -> None:
    """Make a segment from a template."""
    with terminal.connect() as api:
        filled = api.post(
            f"/shops/{quote(shop, safe='')}/templates/{quote(key, safe='')}/query",
            {"thresholds": _read(figures)},
        )
        made = api.post(
            segments.path(shop), {"name": name or filled["name"], "query": filled["query"]}
        )
    terminal.tell_json(made) if as_json else terminal.tell(f"{made['id']}  {made['query']}")


@app.command()
def cook(
    recipe: Annotated[str, typer.Argument(metavar="RECIPE", help="The recipe's key.")],
    shop: terminal.Shop,
    figures: Set = None,
    as_json: terminal.AsJson = False,
) -> None:
    """Make the segments of a recipe: every customer is in exactly one of them."""
    address = f"/shops/{quote(shop, safe='')}/recipes/{quote(recipe, safe='')}"
    with terminal.connect() as api:
        told = api.post(address, {"thresholds": _read(figures)})
    if as_json:
        terminal.tell_json(told)
        return
    rows = [(one["id"], one["name"], one["member_count"]) for one in told["segments"]]
    terminal.tell_table(("ID", "Name", "Members"), rows)


def _read(figures: list[str] | None) -> dict[str, str]:
    found = {}
    for one in figures or []:
        name, sign, text = one.partition("=")
        if not sign:
            template = '"{text}" has no value. Write it like days=60.'
            raise InputError(problem("set_without_value", template, text=one[:60]))
        found[name.strip()] = text
    return found
