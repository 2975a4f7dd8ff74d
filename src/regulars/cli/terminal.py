"""What commands say and how they ask: options that many share, JSON, tables, progress."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import quote

import typer

from regulars.errors import InputError, Problem, problem

if TYPE_CHECKING:
    from pathlib import Path

    from regulars.bootstrap import ApiClient

Shop = Annotated[str, typer.Option("--shop", help="The shop's name.", metavar="NAME")]
AsOf = Annotated[
    str | None,
    typer.Option("--as-of", help="A day like 2026-11-21; its end is meant.", metavar="DATE"),
]
AsJson = Annotated[bool, typer.Option("--json", help="Answer in JSON.")]

#: The query that the command at hand was given, for marking places in it.
_query: list[str] = []


def connect() -> ApiClient:
    """Return a client of the app that has the home folder, or of one opened for this command."""
    from regulars.bootstrap import connect as open_client

    return open_client()


def tell(text: str) -> None:
    """Write a line for a person."""
    sys.stdout.write(f"{text}\n")


def warn(text: str) -> None:
    """Write a line to standard error."""
    sys.stderr.write(f"{text}\n")


#: Columns of a table that nobody reads on a terminal.
PIPE_WIDTH = 250


def warn_of_halt(work: Mapping[str, Any]) -> None:
    """Say on stderr why work stands still and what to do about it, where it does."""
    if work["problem"]:
        warn(f"{work['problem']}\n{work['next_step']}")


def tell_json(value: object) -> None:
    """Write one JSON value."""
    tell(json.dumps(value, ensure_ascii=False, indent=2))


def tell_table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write rows under headings, numbers to the right."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    listed = [list(row) for row in rows]
    for place, column in enumerate(columns):
        values = [row[place] for row in listed if row[place] is not None]
        if values and all(isinstance(value, int | float | Decimal) for value in values):
            table.add_column(column, justify="right", no_wrap=True)
        else:
            table.add_column(column, overflow="fold")
    for row in listed:
        table.add_row(*(_cell(value) for value in row))
    # A pipe has no width: what reads it wants a row to be a line.
    width = None if sys.stdout.isatty() else PIPE_WIDTH
    Console(highlight=False, width=width).print(table)


def _cell(value: object) -> Any:
    from rich.text import Text

    if value is None:
        return Text("–")
    return Text(number(value) if isinstance(value, int | float | Decimal) else str(value))


def number(value: int | float | Decimal) -> str:
    """Return a number as people read it: thousands set apart, of a float two decimals at most."""
    if isinstance(value, float):
        # A small loss is told as nothing, not as "-0".
        return f"{round(value, 2) + 0.0:,.2f}".rstrip("0").rstrip(".")
    return f"{value:,}"


def money(amount: str | None) -> Decimal | None:
    """Return an amount of the API, to be shown as a number; None where there is none."""
    return None if amount is None else Decimal(amount)


def write_csv(out: Path, content: bytes) -> None:
    """Write a CSV file and tell how many rows it has; raises InputError where it cannot."""
    try:
        out.write_bytes(content)
    except OSError as error:
        template = "{file} cannot be written: {reason}."
        reason = (error.strerror or str(error)).lower()
        raise InputError(problem("file_not_writable", template, file=out, reason=reason)) from error
    count = content.count(b"\n") - 1
    tell(f"{out}: {count:,} rows")


def warn_of_unknown(names: Sequence[str]) -> None:
    """Say on stderr what is not known of a past day."""
    if names:
        warn(f"Not known for that day, so today's values were used: {', '.join(names)}.")


def address(what: str, shop: str, one: str | int = "", part: str = "") -> str:
    """Return the API's address of what a shop has, of one of these, or of a part of that one."""
    found = f"/shops/{quote(shop, safe='')}/{what}"
    if one != "":
        found += f"/{quote(str(one), safe='')}"
    return f"{found}/{part}" if part else found


def about_query(text: str) -> str:
    """Remember the query of this command, so that problems can be marked in it.

    Bytes that are no text reach a command as characters that no request can carry; they are refused
    with their place, as any other character that a query cannot hold.
    """
    _query[:] = [text]
    if not _is_text(text):
        from regulars.language import parse

        parse(text)
    return text


def _is_text(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def tell_problems(error: InputError) -> None:
    """Write what is wrong, with the place in the query where there is one."""
    for one in error.problems:
        _mark(one)
        warn(one.message)


def tell_notes(notes: Iterable[Problem]) -> None:
    """Write what is worth knowing about the query, to standard error: it stops nothing."""
    for one in notes:
        _mark(one)
        warn(one.message)


def _mark(one: Problem) -> None:
    """Write the line of the query that a problem is about, and mark the place under it."""
    if one.line is not None and one.column is not None and _query:
        lines = _query[0].splitlines() or [""]
        line = lines[min(one.line - 1, len(lines) - 1)]
        warn(line.encode(errors="replace").decode())
        warn(" " * _width(line[: one.column]) + "^" * max(1, one.length or 1))


def _width(text: str) -> int:
    from rich.cells import cell_len

    return cell_len(text)


def log_fault(error: Exception, reference: str) -> None:
    """Write the story of a bug to the log."""
    logging.getLogger("regulars.cli").error("reference %s", reference, exc_info=error)


@contextmanager
def progress(title: str, *, quiet: bool = False) -> Iterator[Callable[[Any], None]]:
    """Show a progress bar on a terminal; the given function takes a job as the API tells it."""
    if quiet or not sys.stderr.isatty():
        yield lambda _job: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f}%"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as shown:
        bar = shown.add_task(title, total=1.0)

        def seen(job: Any) -> None:
            note = job.get("note") or title
            shown.update(bar, completed=job.get("progress") or 0.0, description=note)

        yield seen
