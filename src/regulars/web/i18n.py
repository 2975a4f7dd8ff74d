"""Two languages: texts, and numbers, days, times and money written as each reader expects.

English is the language of the source. Every `locale/<language>/*.po` is read at start and merged; a
text without a translation stays English (a test keeps that from happening). Texts have `{named}`
places; HTML passed in through a place stays HTML, everything else is escaped.
"""

from __future__ import annotations

import gettext as gettext_module
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

from babel import Locale, dates, lists, numbers
from babel.messages.pofile import read_po
from markupsafe import Markup, escape

from regulars.office.audit import COMMAND_LINE

#: A place that stands in straight quotation marks.
_IN_QUOTES = re.compile(r'"(\{\w+\})"')

LOCALE_FOLDER = Path(__file__).parent / "locale"

#: Code → its own name, as shown in the language switch.
LANGUAGES: Mapping[str, str] = {"en": "English", "ja": "日本語"}


def N_(text: str) -> str:  # noqa: N802 - gettext's own name for a mark that translates later
    """Mark a text of a table for extraction; it is translated where it is shown."""
    return text


@dataclass(frozen=True)
class Catalogue:
    """The translations of one language."""

    singular: Mapping[str, str]
    plural: Mapping[str, tuple[str, ...]]
    plural_index: Callable[[int], int]


@cache
def catalogue(language: str) -> Catalogue:
    """Read and merge every PO file of a language."""
    singular: dict[str, str] = {}
    plural: dict[str, tuple[str, ...]] = {}
    rule = "n != 1"
    for path in sorted((LOCALE_FOLDER / language).glob("*.po")):
        with path.open("rb") as file:
            entries = read_po(file, locale=language)
        rule = entries.plural_expr
        for entry in entries:
            if isinstance(entry.id, tuple) and isinstance(entry.string, tuple):
                if all(entry.string):
                    plural[entry.id[0]] = entry.string
            elif entry.id and isinstance(entry.id, str) and entry.string:
                singular[entry.id] = str(entry.string)
    # The GNU rule is compiled by the standard library, which accepts arithmetic only.
    index: Callable[[int], int] = gettext_module.c2py(rule)
    return Catalogue(singular, plural, index)


def filled(text: str, values: Mapping[str, object]) -> str:
    """Fill the named places; the result is HTML where one of the values is."""
    if not values:
        return text
    if any(isinstance(value, Markup) for value in values.values()):
        return Markup(escape(text)).format(**values)  # noqa: S704 - escaped right here
    return text.format(**values)


@dataclass(frozen=True)
class Localizer:
    """Writes texts and figures for one reader: a language, and a shop's zone and currency."""

    language: str
    zone: ZoneInfo
    currency: str

    @property
    def locale(self) -> Locale:
        """Babel's locale of the language."""
        return Locale.parse(self.language)

    def __call__(self, text: str, /, **values: object) -> str:
        """Translate a text and fill its places."""
        return filled(self.template(text), values)

    def template(self, text: str) -> str:
        """Translate a text and leave its places as they are.

        Messages that a terminal tells, too, have straight quotation marks in English.
        """
        told = catalogue(self.language).singular.get(text)
        return _IN_QUOTES.sub(r"“\1”", text) if told is None else told

    def ngettext(self, one: str, many: str, n: int, /, **values: object) -> str:
        """Translate by number; `{count}` is the number in the reader's style."""
        known = catalogue(self.language)
        forms = known.plural.get(one)
        if forms is None:
            text = one if n == 1 else many
        else:
            text = forms[min(known.plural_index(n), len(forms) - 1)]
        return filled(text, {"count": self.number(n), **values})

    def number(self, value: float | Decimal) -> str:
        """Write a number with the reader's separators."""
        return numbers.format_decimal(value, locale=self.locale)

    def compact(self, value: float | Decimal) -> str:
        """Write a number shortly: 1.2K, 1.2万."""
        return numbers.format_compact_decimal(value, locale=self.locale, fraction_digits=1)

    def percent(self, share: float, digits: int = 1) -> str:
        """Write a share of one as a percentage; what is more than nothing never looks like it."""
        pattern = "#,##0." + "0" * digits + "%" if digits else "#,##0%"
        least = 10.0 ** -(digits + 2)
        is_tiny = 0 < share < least
        written = numbers.format_percent(least if is_tiny else share, pattern, locale=self.locale)
        return f"<{written}" if is_tiny else written

    @property
    def currency_digits(self) -> int:
        """How many decimals the shop's currency has."""
        return numbers.get_currency_precision(self.currency)

    def money(self, minor_units: int, currency: str | None = None) -> str:
        """Write whole minor units as money."""
        code = currency or self.currency
        amount = Decimal(minor_units).scaleb(-numbers.get_currency_precision(code))
        return numbers.format_currency(amount, code, locale=self.locale)

    def day(self, value: date | datetime) -> str:
        """Write a calendar day; an instant is the day it falls on in the shop."""
        if isinstance(value, datetime):
            value = self.local(value).date()
        return dates.format_date(value, "medium", locale=self.locale)

    def month(self, value: date) -> str:
        """Write a calendar month: Nov 2026, 2026年11月."""
        return dates.format_skeleton("yMMM", value, locale=self.locale)

    def instant(self, value: datetime) -> str:
        """Write an instant as day and minute in the shop's zone."""
        local = self.local(value)
        day = dates.format_date(local, "medium", locale=self.locale)
        time = dates.format_time(local, "short", locale=self.locale)
        pattern: str = self.locale.datetime_formats["medium"]
        return pattern.format(time, day)

    def clock_time(self, value: datetime) -> str:
        """Write the time of day in the shop's zone, with seconds."""
        return dates.format_time(self.local(value), "HH:mm:ss", locale=self.locale)

    def local(self, value: datetime) -> datetime:
        """Move an instant to the shop's zone; naive ones are UTC."""
        aware = value if value.tzinfo else value.replace(tzinfo=UTC)
        return aware.astimezone(self.zone)

    def author(self, name: str) -> str:
        """Write who did something: people and keys by their names."""
        return self("command line") if name == COMMAND_LINE else name

    def listed(self, texts: Sequence[str]) -> str:
        """Write several texts in a row: "a, b, c", 「a、b、c」."""
        # Japanese sets the parts of a unit apart by spaces, which names have inside, too.
        style: Literal["standard", "unit"] = "standard" if self.language == "ja" else "unit"
        return lists.format_list(list(texts), style=style, locale=self.locale)

    def ago(self, value: datetime, now: datetime) -> str:
        """Write how long ago an instant is: 3 minutes ago."""
        aware = value if value.tzinfo else value.replace(tzinfo=UTC)
        return dates.format_timedelta(aware - now, add_direction=True, locale=self.locale)


def preferred_language(accept_language: str) -> str:
    """Return the first of our languages that the browser names, else English."""
    weighted: list[tuple[float, str]] = []
    for part in accept_language.split(","):
        name, _, weight = part.strip().partition(";q=")
        code = name.strip().lower().partition("-")[0]
        if code in LANGUAGES:
            weighted.append((_weight(weight), code))
    return max(weighted, key=lambda pair: pair[0])[1] if weighted else "en"


def _weight(text: str) -> float:
    try:
        return float(text) if text else 1.0
    except ValueError:
        return 0.0
