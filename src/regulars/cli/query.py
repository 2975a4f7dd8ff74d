"""regulars query: check a query text, and say it in words. Needs no shop and no app."""

from __future__ import annotations

from typing import Annotated

import typer

from regulars.cli import terminal

app = typer.Typer(help="Check and describe query texts.", no_args_is_help=True)

Text = Annotated[str, typer.Argument(help="The query, in quotes.", metavar="TEXT")]


@app.command()
def check(
    text: Text,
    as_json: terminal.AsJson = False,
    dialect: Annotated[
        str, typer.Option(help="Which spellings are allowed: any, matches or previous.")
    ] = "any",
) -> None:
    """Say whether a query is right, and what is wrong with it."""
    from regulars.errors import InputError, QueryError, problem
    from regulars.language import parse

    if dialect not in {"any", "matches", "previous"}:
        template = 'There is no dialect "{dialect}". Use any, matches or previous.'
        raise InputError(problem("no_dialect", template, dialect=dialect, field="dialect"))
    terminal.about_query(text)
    try:
        parse(text, dialect)
    except QueryError as error:
        if not as_json:
            raise
        keys = ("code", "message", "line", "column", "length", "suggestion")
        problems = [{key: getattr(one, key) for key in keys} for one in error.problems]
        terminal.tell_json({"errors": problems})
        raise typer.Exit(2) from None
    if as_json:
        terminal.tell_json({"errors": []})
    else:
        terminal.tell("The query is right.")


@app.command()
def describe(
    text: Text,
    as_json: terminal.AsJson = False,
    language: Annotated[str, typer.Option(help="en or ja.")] = "en",
    currency: Annotated[str, typer.Option(help="In which amounts are written.")] = "USD",
) -> None:
    """Say a query in plain words."""
    from regulars.language import describe as say
    from regulars.language import parse

    sentence = say(parse(terminal.about_query(text)), language, currency)
    terminal.tell_json({"description": sentence}) if as_json else terminal.tell(sentence)
