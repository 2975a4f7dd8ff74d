"""regulars segments upload, undo-upload, export: CSV files into lists and out again."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import quote

import typer

from regulars.cli import instants, terminal
from regulars.cli.segments import Segment, path
from regulars.cli.segments import app as segments_app
from regulars.errors import InputError, problem

OUTCOMES = ("matched", "duplicate", "not_found", "ambiguous", "invalid")
WORDS = {
    "matched": "matched",
    "duplicate": "the same customer again",
    "not_found": "not found; they join when that customer appears",
    "ambiguous": "fit more than one customer",
    "invalid": "cannot be read",
}


@segments_app.command()
def upload(
    file: Annotated[Path, typer.Argument(help="A CSV file.")],
    shop: terminal.Shop,
    *,
    name: Annotated[str, typer.Option(help="The segment: a new name makes one.")],
    mode: Annotated[
        Literal["replace", "add", "remove"],
        typer.Option(help="What the file does to a list that is there already."),
    ] = "replace",
    id_column: Annotated[str, typer.Option(help="Column of customer IDs.")] = "",
    email_column: Annotated[str, typer.Option(help="Column of e-mail addresses.")] = "",
    phone_column: Annotated[
        str,
        typer.Option(help="Column of phones; a 0 in front means the shop's country."),
    ] = "",
    encoding: Annotated[
        Literal["", "utf-8", "cp932", "utf-16"],
        typer.Option(help="Found by trial where it is not given."),
    ] = "",
    check: Annotated[bool, typer.Option("--check", help="Only show; change nothing.")] = False,
    as_json: terminal.AsJson = False,
) -> None:
    """Make a segment of a CSV file, or change its list; rows without a customer wait for theirs."""
    columns = {"id": id_column, "email": email_column, "phone": phone_column}
    asked = {
        "file": str(file.absolute()),
        "name": name,
        "encoding": encoding,
        "columns": {kind: column for kind, column in columns.items() if column},
    }
    with terminal.connect() as api:
        checked = _checked(api, shop, asked)
        if checked["segment_id"] is None and mode == "remove":
            api.delete(_address(shop, checked["id"]))
            template = 'There is no segment "{name}" to remove customers from.'
            raise InputError(problem("no_segment", template, name=name))
        problems = api.get(f"{_address(shop, checked['id'])}/rows", limit=20)["rows"]
        if check:
            api.delete(_address(shop, checked["id"]))
        else:
            asked_for = {"name": name, "mode": mode}
            told = api.post(f"{_address(shop, checked['id'])}/application", asked_for)
            address = path(shop, str(told["segment"]["id"]))
            api.wait(address, lambda one: one["state"] != "building")
    if as_json:
        ledger = {outcome: checked["counts"][outcome] for outcome in OUTCOMES}
        terminal.tell_json({"rows": checked["rows"], **ledger})
        return
    _tell(checked, problems, mode)
    terminal.tell("Nothing was changed." if check else f'"{name}" is up to date.')


@segments_app.command("undo-upload")
def undo_upload(segment: Segment, shop: terminal.Shop) -> None:
    """Take the last upload of a segment back."""
    with terminal.connect() as api:
        api.delete(path(shop, segment, "uploads/last"))
        made = api.get(path(shop, segment))
    terminal.tell(f'"{made["name"]}" has {made["member_count"]:,} members again.')


@segments_app.command("uploads")
def history(segment: Segment, shop: terminal.Shop, as_json: terminal.AsJson = False) -> None:
    """List the uploads of a segment."""
    with terminal.connect() as api:
        told = api.get(path(shop, segment, "uploads"))
        times = instants.of_shop(api, shop)
    if as_json:
        terminal.tell_json(told)
        return
    keys = ("mode", "state", "rows", "author")
    rows = [
        (times.cell(one["applied_at"]), one["file_name"], *(one[key] for key in keys))
        for one in told["uploads"]
    ]
    terminal.tell_table((times.head("Time"), "File", "Mode", "State", "Rows", "By"), rows)
    terminal.tell(f"Rows that wait for their customer: {told['waiting_count']:,}")


@segments_app.command()
def export(  # noqa: PLR0917 - a command's options, which are given by name
    segment: Segment,
    shop: terminal.Shop,
    out: Annotated[Path, typer.Option(help="The file to write.")],
    personal: Annotated[
        bool, typer.Option("--personal", help="With names, e-mail addresses and phones.")
    ] = False,
    waiting: Annotated[
        bool,
        typer.Option("--waiting", help="The whole list of a CSV segment, rows that wait included."),
    ] = False,
    encoding: Annotated[
        Literal["utf-8-sig", "cp932"], typer.Option(help="UTF-8 with a mark, or Shift_JIS.")
    ] = "utf-8-sig",
) -> None:
    """Write the members to a CSV file that is safe to open and can be uploaded again."""
    asked = {"personal": int(personal), "waiting": int(waiting), "encoding": encoding}
    with terminal.connect() as api:
        content = api.fetch(path(shop, segment, "export.csv"), **asked)
        losses = api.get(path(shop, segment, "export-losses"), **asked)["rows"]
    terminal.write_csv(out, content)
    if losses:
        terminal.tell(f"In {losses:,} rows signs that {encoding} cannot write became ?.")


def _address(shop: str, upload_id: int) -> str:
    return f"/shops/{quote(shop, safe='')}/uploads/{upload_id}"


def _checked(api: Any, shop: str, asked: dict[str, Any]) -> dict[str, Any]:
    received = api.post(f"/shops/{quote(shop, safe='')}/uploads", asked)
    address = _address(shop, received["id"])
    checked: dict[str, Any] = api.wait(address, lambda one: one["state"] != "checking")
    if checked["state"] == "failed":
        api.delete(address)
        raise InputError(problem("upload_failed", "{reason}", reason=checked["problem"]))
    return checked


def _tell(checked: dict[str, Any], problems: list[dict[str, Any]], mode: str) -> None:
    terminal.tell(f"Rows: {checked['rows']:,}")
    for outcome in OUTCOMES:
        terminal.tell(f"  {checked['counts'][outcome]:>10,}  {WORDS[outcome]}")
    effect = checked["effects"][mode]
    terminal.tell(f"{effect['joined']:,} join, {effect['left']:,} leave.")
    rows = [
        (one["line"], one["outcome"], one["shown"], ", ".join(one["customers"]))
        for one in problems
        if one["outcome"] != "duplicate"
    ]
    if rows:
        terminal.tell_table(("Line", "Outcome", "Row", "May be"), rows)
