"""regulars query: check a query text, say it in words, note what it may not mean in a shop."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from regulars.cli import terminal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from regulars.errors import Problem

app = typer.Typer(help="Check and describe query texts.", no_args_is_help=True)

Text = Annotated[str, typer.Argument(help="The query, in quotes.", metavar="TEXT")]


@app.command()
def check(
    text: Text,
    as_json: terminal.AsJson = False,
    dialect: Annotated[
        str, typer.Option(help="Which spellings are allowed: any, matches or previous.")
    ] = "any",
    shop: Annotated[
        str,
        typer.Option(help="The shop whose tags, products, channels … the query names."),
    ] = "",
) -> None:
    """Say whether a query is right, and what is wrong with it."""
    from regulars.errors import InputError, QueryError, problem
    from regulars.language import parse_with_notes

    if dialect not in {"any", "matches", "previous"}:
        template = 'There is no dialect "{dialect}". Use any, matches or previous.'
        raise InputError(problem("no_dialect", template, dialect=dialect, field="dialect"))
    terminal.about_query(text)
    try:
        notes: Sequence[Problem] = parse_with_notes(text, dialect, evaluable=False).notes
    except QueryError as error:
        if not as_json:
            raise
        terminal.tell_json({"errors": [_told(one) for one in error.problems], "notes": []})
        raise typer.Exit(2) from None
    if shop:
        notes = _notes_in(shop, text, dialect)
    if as_json:
        terminal.tell_json({"errors": [], "notes": [_told(one) for one in notes]})
        return
    terminal.tell("The query is right.")
    terminal.tell_notes(notes)


def _notes_in(shop: str, text: str, dialect: str) -> Sequence[Problem]:
    """Return the notes of a query that is right, values that the shop has never had included."""
    from regulars.bootstrap import read_problems

    with terminal.connect() as api:
        told = api.post("/queries/check", {"query": text, "dialect": dialect, "shop": shop})
    return read_problems(told["notes"])


@app.command()
def describe(
    text: Text,
    as_json: terminal.AsJson = False,
    language: Annotated[str, typer.Option(help="en or ja.")] = "en",
    currency: Annotated[
        str,
        typer.Option(
            help="In which amounts are; if not told, the shop's, else JPY in Japanese and USD."
        ),
    ] = "",
    shop: Annotated[
        str, typer.Option(help="Whose products and collections are called by their titles.")
    ] = "",
) -> None:
    """Say a query in plain words."""
    if shop:
        _describe_in(shop, text, language, currency, as_json=as_json)
        return
    from regulars.language import describe as say
    from regulars.language import parse_with_notes

    read = parse_with_notes(terminal.about_query(text), evaluable=False)
    sentence = say(read.node, language, currency or ("JPY" if language == "ja" else "USD"))
    if as_json:
        notes = [_told(one) for one in read.notes]
        terminal.tell_json({"description": sentence, "notes": notes})
        return
    terminal.tell(sentence)
    terminal.tell_notes(read.notes)


def _describe_in(shop: str, text: str, language: str, currency: str, *, as_json: bool) -> None:
    asked = {"query": terminal.about_query(text), "language": language, "shop": shop}
    if currency:
        asked["currency"] = currency
    with terminal.connect() as api:
        told = api.post("/queries/describe", asked)
    if as_json:
        terminal.tell_json(told)
        return
    terminal.tell(told["description"])
    for note in told["notes"]:
        terminal.warn(note["message"])


@app.command()
def lint(text: Text, shop: terminal.Shop, as_json: terminal.AsJson = False) -> None:
    """Note what a query probably does not mean, and how many customers each note concerns."""
    from urllib.parse import quote

    with terminal.connect() as api:
        told = api.post(
            f"/shops/{quote(shop, safe='')}/lint", {"query": terminal.about_query(text)}
        )
    if as_json:
        terminal.tell_json(told)
        return
    for note in told["notes"]:
        terminal.tell(note["message"])
        count = note["customer_count"]
        if count is not None:
            terminal.tell(f"  concerns {count:,} customer{'' if count == 1 else 's'}")
        if note["meant"] is not None:
            terminal.tell(f"  perhaps meant: {note['meant']}")
    if not told["notes"]:
        terminal.tell("Nothing stands out.")


def _told(one: Problem) -> dict[str, object]:
    keys = ("code", "message", "line", "column", "length", "suggestion")
    return {key: getattr(one, key) for key in keys}
