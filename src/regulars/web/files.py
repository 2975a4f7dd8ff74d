"""Files to download."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final, Literal, NamedTuple
from urllib.parse import quote

from starlette.responses import StreamingResponse

from regulars.errors import InputError, problem
from regulars.office import Shop
from regulars.spreadsheet import csv_bytes
from regulars.web import access
from regulars.web.deps import ApiCall, Visit
from regulars.web.i18n import N_


class CsvAnswer(StreamingResponse):
    """A CSV file, sent as it is written."""

    media_type = "text/csv"


#: What files are written in, by Python's name.
Encoding = Literal["utf-8-sig", "cp932"]


class Written(NamedTuple):
    """How an encoding is named to programs and to people."""

    charset: str
    label: str


ENCODINGS: Final[Mapping[str, Written]] = {
    "utf-8-sig": Written("utf-8", N_("UTF-8 (for Excel)")),
    "cp932": Written("shift_jis", N_("Shift_JIS (CP932)")),
}


def local_file(path: str, field: str) -> Path:
    """Return a file of this machine that somebody named; raises InputError where there is none."""
    file = Path(path)
    # A name that no file can have is, for whoever typed it, a file that is not there.
    with suppress(OSError, ValueError):
        if file.is_file():
            return file
    template = 'There is no file "{path}".'
    raise InputError(problem("no_file", template, path=path, field=field))


def csv_file(name: str, rows: Iterable[Sequence[object]], encoding: str = "utf-8-sig") -> CsvAnswer:
    """Answer with rows as a CSV file of this name (without ".csv"), written as they are read."""
    return CsvAnswer(
        csv_bytes(rows, encoding),
        media_type=f"text/csv; charset={ENCODINGS[encoding].charset}",
        headers={
            "Content-Disposition": f"attachment; filename*=UTF-8''{quote(f'{name}.csv', safe='')}"
        },
    )


def customers_file(
    asker: ApiCall | Visit,
    shop: Shop,
    name: str,
    rows: Iterable[Sequence[object]],
    encoding: str = "utf-8-sig",
    *,
    act: str = "members_exported",
    about: str | None = None,
    **details: object,
) -> CsvAnswer:
    """Answer with single customers as a CSV file, and note who took it in the audit log.

    `about` is for files whose name says who the customer is: the log outlives the customer's data.
    """
    access.note_act(asker, shop, act, name if about is None else about, **details)
    return csv_file(name, rows, encoding)


def figures_file(
    asker: ApiCall | Visit, shop: Shop, name: str, rows: Iterable[Sequence[object]]
) -> CsvAnswer:
    """Answer with figures as a CSV file, and note who took it in the audit log."""
    access.note_act(asker, shop, "figures_exported", name)
    return csv_file(name, rows)
