"""CSV whose cells no spreadsheet runs as a formula, and the way back: an export imports back."""

from __future__ import annotations

import csv
import io
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

# A spreadsheet takes a cell for a formula by its first character, full-width forms included.
_FORMULA: Final = frozenset("=+-@")
# What spreadsheets skip before the first character, invisible signs included.
_SPACE: Final = " \t\r\n\v\f\u00a0\u00ad\u200b\u200c\u200d\u2060\u3000\ufeff"


def guarded(text: str) -> str:
    """Return a cell that no spreadsheet runs: an apostrophe goes before what would be a formula.

    A cell that already has apostrophes there gets one more, so that `unguarded` gives it back.

    >>> guarded("=1+1"), guarded("+81"), guarded("'=1"), guarded("ana")
    ("'=1+1", "'+81", "''=1", 'ana')
    """
    first = text[:1]
    if first.isascii() and first.isalnum():
        # Nearly every cell; a million of them are written in a second.
        return text
    return f"'{text}" if _is_formula(text.lstrip("'")) else text


def unguarded(text: str) -> str:
    """Return what was guarded: exactly one apostrophe before a formula is taken off.

    >>> unguarded("'=1+1"), unguarded("''=1"), unguarded("'90s"), unguarded("=1")
    ('=1+1', "'=1", "'90s", '=1')
    """
    return text[1:] if text.startswith("'") and _is_formula(text.lstrip("'")) else text


def csv_bytes(rows: Iterable[Sequence[object]], encoding: str = "utf-8-sig") -> Iterator[bytes]:
    """Write rows as CSV, a spreadsheet's formulas taken from every cell that is a text.

    What the encoding cannot write becomes a question mark.
    """
    buffer = io.StringIO()
    write = csv.writer(buffer).writerow
    for number, row in enumerate(rows):
        write([guarded(cell) if isinstance(cell, str) else cell for cell in row])
        if buffer.tell() > 1 << 16 or number == 0:
            codec = encoding if number == 0 else encoding.removesuffix("-sig")
            yield buffer.getvalue().encode(codec, errors="replace")
            buffer.seek(0)
            buffer.truncate()
    if buffer.tell():
        yield buffer.getvalue().encode(encoding.removesuffix("-sig"), errors="replace")


def _is_formula(text: str) -> bool:
    start = unicodedata.normalize("NFKC", text.lstrip(_SPACE)[:1])
    return start[:1] in _FORMULA and start != ""
