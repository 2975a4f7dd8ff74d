"""Values as they are written: numbers, days, offsets, quoted texts. Read and written."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from regulars.language.tree import (
    Boolean,
    Day,
    Literal,
    Moment,
    Number,
    Point,
    RelativeDay,
    Text,
)


@dataclass(frozen=True, slots=True)
class BadLiteral:
    """Why a word is not a value. The template may use {word} and {suggested}."""

    code: str
    template: str
    suggestion: str | None = None


#: Named days of the previous form; the newer form writes the offset.
NAMED_DAYS = {
    "7_days_ago": (-7, "d"),
    "30_days_ago": (-30, "d"),
    "90_days_ago": (-90, "d"),
    "12_months_ago": (-12, "m"),
}
# A thousand years: every day that an offset can name has a date.
_OFFSET_MAX = {"d": 365_000, "w": 52_000, "m": 12_000, "y": 1_000}

_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")
_OFFSET = re.compile(r"([+-])([0-9]{1,9})([dwmy])")
_BARE_OFFSET = re.compile(r"([0-9]{1,9})([dwmy])", re.IGNORECASE)
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_LOOSE_DAY = re.compile(r"([0-9]{4})[-.]([0-9]{1,2})[-.]([0-9]{1,2})")
_MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}")
_LOOSE_MOMENT = re.compile(r"([0-9-]+)[Tt]([0-9]{1,2}):([0-9]{1,2})(?::([0-9]{1,2}))?.*")
_PLUS = re.compile(r"\+([0-9]+(?:\.[0-9]+)?)")
_DAY_WITH_TIME = re.compile(r"(?:[+-][0-9]+[dwmy]|[0-9]+_[a-z]+_ago)[Tt][0-9].*")
_TIME = re.compile(r"[0-9]{1,2}(?::[0-9]{2})*(?:am|pm)?", re.IGNORECASE)
_AGO = re.compile(r"([0-9]{1,9})_?(day|week|month|year)s?_?ago", re.IGNORECASE)


def read(word: str) -> tuple[Literal | None, BadLiteral | None]:
    """Read a word that begins with a digit or a sign: its value, or why it is none."""
    if _NUMBER.fullmatch(word):
        return Number(Decimal(word)), None
    if offset := _OFFSET.fullmatch(word):
        return _offset(int(offset[1] + offset[2]), offset[3])
    if _DAY.fullmatch(word):
        return _day(word)
    if _MOMENT.fullmatch(word):
        return _moment(word)
    if word in NAMED_DAYS:
        amount, unit = NAMED_DAYS[word]
        return RelativeDay(amount, unit, word), None
    return None, _why_not(word)


def _offset(amount: int, unit: str) -> tuple[Literal | None, BadLiteral | None]:
    if abs(amount) > _OFFSET_MAX[unit]:
        return None, BadLiteral(
            "offset_too_far",
            "`{word}` is too far away. An offset reaches at most 1000 years.",
        )
    return RelativeDay(amount, unit), None


def _day(word: str) -> tuple[Literal | None, BadLiteral | None]:
    try:
        return Day(date.fromisoformat(word)), None
    except ValueError:
        return None, _no_such_day()


def _moment(word: str) -> tuple[Literal | None, BadLiteral | None]:
    try:
        return Moment(datetime.fromisoformat(word)), None
    except ValueError:
        return None, BadLiteral("no_such_day", "There is no day and time {word}.")


def _no_such_day() -> BadLiteral:
    return BadLiteral("no_such_day", "There is no day {word} in the calendar.")


def day_with_time() -> BadLiteral:
    """Say that a relative day cannot carry a time of day."""
    return BadLiteral(
        "day_with_time",
        "`{word}` mixes a relative day with a time. A relative day stands for the whole day.",
    )


def _why_not(word: str) -> BadLiteral:
    """Name the most likely mistake of a word that is no value."""
    for pattern, reason in _MISTAKES:
        if found := pattern.fullmatch(word):
            return reason(found)
    return BadLiteral(
        "value_unreadable",
        "`{word}` is neither a number nor a day. Numbers look like 99 or 99.5, days like"
        " 2026-05-30 or -30d, and text stands in single quotes.",
    )


def _why_not_day(found: re.Match[str]) -> BadLiteral:
    written = f"{found[1]}-{int(found[2]):02d}-{int(found[3]):02d}"
    if not _is_day(written):
        return _no_such_day()
    return BadLiteral("date_form", "A day is written {suggested}, not {word}.", written)


def _why_not_moment(found: re.Match[str]) -> BadLiteral:
    written = f"{found[1]}T{int(found[2]):02d}:{int(found[3]):02d}:{int(found[4] or 0):02d}"
    suggestion = written if _MOMENT.fullmatch(written) else None
    return BadLiteral(
        "date_form",
        "A day with a time is written with leading zeros and without a zone: 2026-05-30T09:00:00.",
        suggestion,
    )


def _why_not_bare(found: re.Match[str]) -> BadLiteral:
    return BadLiteral(
        "offset_sign",
        "`{word}` needs a sign: {suggested} is in the past.",
        f"-{found[1]}{found[2].lower()}",
    )


def _why_not_ago(found: re.Match[str]) -> BadLiteral:
    return BadLiteral(
        "named_day",
        "`{word}` is not part of the language. Write {suggested}.",
        f"-{found[1]}{found[2][0].lower()}",
    )


def _why_not_plus(found: re.Match[str]) -> BadLiteral:
    return BadLiteral("number_form", "A number has no plus sign.", found[1])


def _why_not_time(_: re.Match[str]) -> BadLiteral:
    return BadLiteral(
        "time_only", "`{word}` is a time without a day. Write a day, such as 2026-05-30."
    )


_MISTAKES: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], BadLiteral]], ...] = (
    (_DAY_WITH_TIME, lambda _: day_with_time()),
    (_LOOSE_DAY, _why_not_day),
    (_LOOSE_MOMENT, _why_not_moment),
    (_BARE_OFFSET, _why_not_bare),
    (_AGO, _why_not_ago),
    (_PLUS, _why_not_plus),
    (_TIME, _why_not_time),
)


def _is_day(word: str) -> bool:
    return _day(word)[0] is not None


def is_allowed_character(character: str) -> bool:
    """Whether a text of the language may hold the character: no controls, no lone surrogates."""
    code = ord(character)
    if 0xD800 <= code <= 0xDFFF:
        return False
    return (code >= 0x20 and not 0x7F <= code <= 0x9F) or character in "\t\n\r"


def quoted(text: str) -> str:
    """Write a text between single quotes, quotes and backslashes inside escaped."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


_WHOLE = re.compile(r"0|[1-9][0-9]{0,19}")


def written_id(text: str) -> str:
    """Write an ID: a number as it is, any other text between quotes."""
    return text if _WHOLE.fullmatch(text) else quoted(text)


def written(literal: Literal) -> str:
    """Write a value as the language spells it."""
    match literal:
        case Text(value):
            text = quoted(value)
        case Number(value):
            text = format(value, "f")
        case Boolean(value):
            text = "true" if value else "false"
        case Day(value):
            text = value.isoformat()
        case Moment(value):
            text = value.isoformat(timespec="seconds")
        case Point(latitude, longitude):
            text = f"({format(latitude, 'f')}, {format(longitude, 'f')})"
        case RelativeDay(amount, unit, word):
            text = word or (f"{amount:+d}{unit}" if amount or unit != "d" else "today")
    return text
