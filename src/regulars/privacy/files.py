"""Files that hold rows of people: rows of imports that were not read, uploads nobody went on with.

A person's rows are taken out; everything else stays as it is written.
"""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO, cast

from regulars.importing.rows import ENCODINGS, GZIP_MAGIC
from regulars.office import Shop
from regulars.office.models.uploads import Upload
from regulars.privacy.traces import Traces

#: Tells whether a row is about the person.
IsAbout = Callable[[Sequence[str]], bool]


def forget_in_files(shop: Shop, uploads: Iterable[Upload], home: Path, traces: Traces) -> int:
    """Take a person's rows out of a shop's files; return how many files held any."""
    count = 0
    for path in (home / "imports").glob(f"{shop.name}-*.csv"):
        # Rejected rows of all kinds of files stand in it.
        count += without_rows(path, _names(traces, ()))
    for upload in uploads:
        path = home / "uploads" / f"{upload.id}.csv"
        if path.exists():
            looks = {"encoding": upload.encoding, "separator": upload.separator}
            count += without_rows(path, _names(traces, upload.columns), **looks)
    return count


def without_rows(
    path: Path, is_about: IsAbout, *, encoding: str = "utf-8", separator: str = ","
) -> bool:
    """Write a CSV file, packed or not, anew without some of its rows; return whether it had any.

    From a place on that cannot be read as rows nothing is kept: nobody could say who is in it.
    """
    part = path.with_suffix(".part")
    try:
        with _opened(path, "rb") as source, _opened(part, "wb", like=path) as target:
            part.chmod(0o600)
            codec = ENCODINGS.get(encoding, encoding)
            text = io.TextIOWrapper(source, codec, errors="replace", newline="")
            out = io.TextIOWrapper(target, codec, errors="replace", newline="")
            is_less = False
            for raw, cells in _records(text, separator):
                if cells is None or is_about(cells):
                    is_less = True
                else:
                    out.write(raw)
            out.flush()
            out.detach()
            text.detach()
        if is_less:
            part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    return is_less


def _names(traces: Traces, kinds: Sequence[str]) -> IsAbout:
    """Return what finds the person in rows whose columns hold these kinds of keys."""

    def is_about(cells: Sequence[str]) -> bool:
        # Without a word on what the columns hold, each of them may hold the number.
        told = zip(cells, kinds, strict=False) if any(kinds) else ((cell, "id") for cell in cells)
        return traces.are_in_row(cells, [cell for cell, kind in told if kind == "id"])

    return is_about


def _records(lines: Iterable[str], separator: str) -> Iterator[tuple[str, Sequence[str] | None]]:
    """Read each row with its text as it is written; no cells: this cannot be read as rows."""
    taken: list[str] = []

    def taking() -> Iterator[str]:
        for line in lines:
            taken.append(line)
            yield line

    reader = csv.reader(taking(), delimiter=separator)
    while True:
        try:
            cells = next(reader, None)
        except csv.Error:
            yield "", None
            return
        if cells is None:
            return
        yield "".join(taken), cells
        taken.clear()


def _opened(path: Path, mode: str, *, like: Path | None = None) -> IO[bytes]:
    with (like or path).open("rb") as file:
        is_packed = file.read(len(GZIP_MAGIC)) == GZIP_MAGIC
    return cast("IO[bytes]", gzip.open(path, mode) if is_packed else path.open(mode))
