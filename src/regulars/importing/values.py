"""Single cells to values. Each raises UnreadableError with a reason that stands beside the row."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from regulars.errors import InputError
from regulars.money import minor_units

_DAY: Final = re.compile(r"(\d{4})[-/](\d{1,2})[-/](\d{1,2})", re.ASCII)
_MOMENT: Final = re.compile(
    r"(\d{4})[-/](\d{1,2})[-/](\d{1,2})[T ](\d{1,2}):(\d{2})(?::(\d{2})(?:\.(\d{1,6}))?)?"
    r"\s?(Z|UTC|[+-]\d{2}:?\d{2})?",
    re.ASCII,
)
_WHOLE: Final = re.compile(r"[0-9]{1,9}", re.ASCII)
TEXT_MAX: Final = 255
#: Shopify keeps notes of 5,000 characters; nothing that we import is longer.
CELL_MAX: Final = 5000


class UnreadableError(Exception):
    """A cell that cannot be read; the text says why."""


@lru_cache(maxsize=10_000)  # Files repeat their days.
def instant_of(text: str, zone: ZoneInfo) -> datetime:
    """Return a date or time as an instant. Without an offset it is the shop's, a day its midnight.

    >>> instant_of("2024-01-01", ZoneInfo("Asia/Tokyo")).isoformat()
    '2023-12-31T15:00:00+00:00'
    >>> instant_of("2024-01-01 10:00:00 +0900", ZoneInfo("UTC")).isoformat()
    '2024-01-01T01:00:00+00:00'
    """
    text = text.strip()
    try:
        if day := _DAY.fullmatch(text):
            year, month, date = map(int, day.groups())
            local = datetime(year, month, date, tzinfo=zone)
        elif moment := _MOMENT.fullmatch(text):
            *parts, fraction, offset = moment.groups()
            year, month, date, hour, minute, second = (int(part or 0) for part in parts)
            micro = int((fraction or "0").ljust(6, "0"))
            local = datetime(year, month, date, hour, minute, second, micro, tzinfo=zone)
            if offset is not None:
                local = local.replace(tzinfo=_offset(offset))
        else:
            raise UnreadableError(
                f'"{text[:40]}" is not a date; write 2024-01-31 or 2024-01-31 10:00'
            )
        instant = local.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise UnreadableError(f'"{text[:40]}" is not a day or time that exists') from error
    # DuckDB and the calendars reach further; no shop does.
    if not 1970 <= instant.year <= 2200:
        raise UnreadableError(f'"{text[:40]}" is not between 1970 and 2200')
    return instant


def _offset(text: str) -> timezone:
    if text in {"Z", "UTC"}:
        return UTC
    hours, minutes = int(text[1:3]), int(text[-2:])
    delta = timedelta(hours=hours, minutes=minutes)
    return timezone(-delta if text[0] == "-" else delta)


def amount_of(text: str, currency: str, *, negative: bool = False) -> int:
    """Return an amount as minor units, exactly: more decimals than the currency has are refused."""
    try:
        amount = minor_units(text, currency, exact=True)
    except InputError as error:
        raise UnreadableError(str(error)) from error
    if amount < 0 and not negative:
        raise UnreadableError(f'"{text.strip()[:40]}" is negative')
    return amount


def whole_of(text: str) -> int:
    """Return a count of at most nine digits."""
    if _WHOLE.fullmatch(text.strip()) is None:
        raise UnreadableError(f'"{text.strip()[:40]}" is not a whole number')
    return int(text)


def id_of(text: str) -> str:
    """Return an id, without the apostrophe that Shopify's export puts before long numbers."""
    found = text.strip().removeprefix("'").strip()
    if not found:
        raise UnreadableError("the id is empty")
    if len(found) > TEXT_MAX or not found.isprintable():
        raise UnreadableError(f'"{found[:40]}" cannot be an id')
    return found


def text_of(text: str) -> str | None:
    """Return a text, or None where the cell is empty."""
    found = text.strip().removeprefix("'").strip()
    if len(found) > CELL_MAX:
        raise UnreadableError(f"a text of {len(found)} characters, more than {CELL_MAX}")
    return found or None


def list_of(text: str) -> tuple[str, ...]:
    """Return the pieces between commas."""
    return tuple(piece for part in text.split(",") if (piece := part.strip()))
