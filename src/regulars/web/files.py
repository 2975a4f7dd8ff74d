"""Files to download."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from urllib.parse import quote

from starlette.responses import StreamingResponse

from regulars.spreadsheet import csv_bytes


class CsvAnswer(StreamingResponse):
    """A CSV file, sent as it is written."""

    media_type = "text/csv"


_CHARSETS = {"utf-8-sig": "utf-8", "cp932": "shift_jis"}


def csv_file(name: str, rows: Iterable[Sequence[object]], encoding: str = "utf-8-sig") -> CsvAnswer:
    """Answer with rows as a CSV file of this name (without ".csv"), written as they are read."""
    return CsvAnswer(
        csv_bytes(rows, encoding),
        media_type=f"text/csv; charset={_CHARSETS[encoding]}",
        headers={
            "Content-Disposition": f"attachment; filename*=UTF-8''{quote(f'{name}.csv', safe='')}"
        },
    )
