"""An uploaded file: what it looks like, which columns hold keys, and its keys written for matching.

Knows nothing about customers. The file is read by importing's reader, with its guards.
"""

from __future__ import annotations

import csv
import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from regulars.errors import UploadError, problem
from regulars.importing.rows import Row, RowsFile, open_rows
from regulars.segments.keys import KINDS, UnusableKeyError, email_key, id_key, phone_key

#: Told bytes read and the file's size in bytes.
Progress = Callable[[int, int], None]

ROWS_MAX: Final = 5_000_000
BYTES_MAX: Final = 512 * 1024**2
#: What a packed file may unpack to: the most rows with four hundred characters each.
UNPACKED_BYTES_MAX: Final = 2 * 1024**3
#: Rows that the columns are guessed from.
_LOOKED_AT: Final = 200
SHOWN_MAX: Final = 200
#: So many rows are matched at a time: memory does not grow with the file.
PART_ROWS: Final = 200_000
#: Line, the three keys, why there is none, and what stood in the row's key columns.
RowKeys = tuple[int, str, str, str, str, str]

#: Headers that say what a column holds, folded.
_HEADERS: Final = {
    "id": {"customer id", "customer_id", "customerid", "id", "shopify customer id", "customer gid",
           "admin_graphql_api_id", "gid", "顧客id", "カスタマーid", "お客様id", "会員id"},
    "email": {"email", "e-mail", "mail", "email address", "e-mail address", "mail address",
              "customer email", "メール", "メールアドレス", "eメール", "eメールアドレス",
              "e-mailアドレス", "emailアドレス"},
    "phone": {"phone", "phone number", "telephone", "tel", "mobile", "customer phone", "電話",
              "電話番号", "携帯", "携帯電話", "携帯番号", "携帯電話番号", "tel番号"},
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Reading:
    """How cells become keys: which column holds what, and how numbers are read."""

    columns: tuple[str, ...]
    is_shopify: bool
    calling_code: str


@dataclass(frozen=True, slots=True)
class Looks:
    """What a file looks like. Without a header line the columns are numbered."""

    encoding: str
    separator: str
    header: tuple[str, ...]
    has_header: bool
    #: The first rows.
    rows: tuple[Row, ...]
    #: What each column seems to hold: "id", "email", "phone" or "".
    guess: tuple[str, ...]


def look(path: Path, reading: Reading, encoding: str = "") -> Looks:
    """Look at a file's beginning; raises UploadError where it cannot be read."""
    with _open(path, encoding) as file:
        rows = tuple(itertools.islice(_rows(file), _LOOKED_AT))
        has_header = not _is_data(file.header)
        header = file.header
        if not has_header:
            header = tuple(f"#{number}" for number in range(1, len(header) + 1))
        guess = _guess(header, [row.values for row in rows if row.reason is None], reading)
        return Looks(file.encoding, file.separator, header, has_header, rows, guess)


def write_keys(
    path: Path,
    part: Callable[[int], Path],
    reading: Reading,
    *,
    encoding: str,
    progress: Progress,
    part_rows: int = PART_ROWS,
) -> int:
    """Write the keys of every row as plain files for matching; return how many files these are.

    Each holds `part_rows` rows at most; `part` names them by their number, from 0.
    """
    keys_of = keys_reader(reading)
    count = 0
    with _open(path, encoding) as file:
        rows = _rows(file)
        for number in itertools.count():
            written = _write_part(part(number), map(keys_of, itertools.islice(rows, part_rows)))
            count += written
            if count > ROWS_MAX:
                template = "The file has more than {most} rows. Split it and upload the parts."
                raise UploadError(problem("too_many_rows", template, most=ROWS_MAX))
            progress(file.bytes_done, file.bytes_total)
            if written < part_rows:
                return number + 1
    raise AssertionError("a file ends")


def _write_part(target: Path, keys: Iterable[RowKeys]) -> int:
    written = 0
    with target.open("w", encoding="utf-8", newline="") as out:
        target.chmod(0o600)
        write = csv.writer(out, lineterminator="\n").writerow
        for row in keys:
            write(row)
            written += 1
    return written


def keys_reader(reading: Reading) -> Callable[[Row], RowKeys]:
    """Return what reads the keys of a row."""
    read: dict[str, Callable[[str], str | None]] = {
        "id": lambda cell: id_key(cell, is_shopify=reading.is_shopify),
        "email": email_key,
        "phone": lambda cell: phone_key(cell, reading.calling_code),
    }
    places = [
        (place, KINDS.index(kind), read[kind]) for place, kind in enumerate(reading.columns) if kind
    ]

    def keys_of(row: Row) -> RowKeys:
        line, values, wrong = row
        if wrong is not None:
            return (line, "", "", "", "columns", shown(",".join(values)))
        keys = ["", "", ""]
        reason = ""
        for place, kind, key_of in places:
            try:
                keys[kind] = key_of(values[place]) or ""
            except UnusableKeyError as unusable:
                reason = reason or str(unusable)
        reason = "" if any(keys) else reason or "no_key"
        cells = shown(" ".join([values[place] for place, _kind, _key_of in places]))
        return (line, keys[0], keys[1], keys[2], reason, cells)

    return keys_of


def shown(text: str) -> str:
    """Return a cell as it is shown to a person: one line, not endless."""
    return " ".join(text.split())[:SHOWN_MAX]


def checked_columns(columns: Sequence[str], header: Sequence[str]) -> tuple[str, ...]:
    """Return what the columns hold; raises UploadError without a key or with one twice."""
    chosen = tuple(kind if kind in KINDS else "" for kind in columns[: len(header)])
    chosen += ("",) * (len(header) - len(chosen))
    if not any(chosen):
        template = (
            "Choose at least one column that holds customer IDs, e-mails or phones. "
            "The file's columns are {columns}."
        )
        names = ", ".join(header[:12])
        raise UploadError(problem("no_key_column", template, field="columns", columns=names))
    if any(chosen.count(kind) > 1 for kind in KINDS):
        template = "Two columns cannot hold the same kind of key. Set one of them to ignored."
        raise UploadError(problem("key_column_twice", template, field="columns"))
    return chosen


def _open(path: Path, encoding: str) -> AbstractContextManager[RowsFile]:
    return open_rows(path, encoding=encoding or None, unpacked_max=UNPACKED_BYTES_MAX)


def _rows(file: RowsFile) -> Iterator[Row]:
    """Give the rows; the first line too where it names no columns."""
    if _is_data(file.header):
        yield Row(1, file.header)
    yield from file.rows


def _is_data(header: Sequence[str]) -> bool:
    """Whether a first line holds keys rather than names of columns."""
    return any(_kind_of(cell, is_shopify=True) for cell in header)


def _guess(
    header: Sequence[str], rows: Sequence[Sequence[str]], reading: Reading
) -> tuple[str, ...]:
    guess = ["" for _ in header]
    for place, name in enumerate(header):
        folded = " ".join(name.casefold().split())
        for kind, names in _HEADERS.items():
            if folded in names and kind not in guess:
                guess[place] = kind
    for place in range(len(header)):
        kind = _kind_of_column([row[place] for row in rows], is_shopify=reading.is_shopify)
        if kind and not guess[place] and kind not in guess:
            guess[place] = kind
    return tuple(guess)


def _kind_of_column(cells: Sequence[str], *, is_shopify: bool) -> str:
    """Return what most of the cells that say something are."""
    kinds = [_kind_of(cell, is_shopify=is_shopify) for cell in cells if cell.strip()]
    return next((kind for kind in KINDS if kinds and kinds.count(kind) * 2 > len(kinds)), "")


def _kind_of(cell: str, *, is_shopify: bool) -> str:
    text = cell.strip().removeprefix("'")
    try:
        if "@" in text:
            return "email" if email_key(text) else ""
        if text.startswith("gid://shopify/Customer/"):
            return "id"
        # Shopify's customer ids have ten digits and more; phones begin with + or 0.
        if is_shopify and text.isdecimal() and len(text) >= 10 and not text.startswith("0"):
            return "id"
        if text.startswith(("+", "0")) and phone_key(text, "81"):
            return "phone" if len(text) >= 9 else ""
    except UnusableKeyError:
        return ""
    return ""
