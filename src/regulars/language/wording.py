"""Numbers, money and days in the words of a language. Knows English and Japanese.

Small on purpose: enough for the sentences of filters, without a library.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

from regulars.language.literals import written
from regulars.language.shapes import Unit
from regulars.language.tree import Day, Literal, Moment, Number, Operator, RelativeDay

# Currencies without a smaller unit in daily use; others are shown with two decimals.
_WHOLE_CODES = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF"
_WHOLE_CURRENCIES = frozenset(_WHOLE_CODES.split())
_SIGNS = {"JPY": "¥", "USD": "$", "EUR": "€", "GBP": "£", "KRW": "₩", "INR": "₹"}
_MONTHS = "January February March April May June July August September October November December"
_UNITS_EN = {"d": "day", "w": "week", "m": "month", "y": "year"}
_UNITS_JA = {"d": "日", "w": "週間", "m": "か月", "y": "年"}
#: Values of a list that are spelled out; the rest is counted.
LISTED_MAX = 5

_COMPARED_EN = {
    Operator.NE: "anything but {0}",
    Operator.GT: "more than {0}",
    Operator.GE: "{0} or more",
    Operator.LT: "less than {0}",
    Operator.LE: "{0} or less",
    Operator.BETWEEN: "{0} to {1}",
}
_COMPARED_JA = {
    Operator.NE: "{0}以外",
    Operator.GT: "{0}超",
    Operator.GE: "{0}以上",
    Operator.LT: "{0}未満",
    Operator.LE: "{0}以下",
    Operator.BETWEEN: "{0}〜{1}",
}
_DAYS_EN = {
    Operator.EQ: "on {0}",
    Operator.NE: "on any day but {0}",
    Operator.GT: "after {0}",
    Operator.GE: "on or after {0}",
    Operator.LT: "before {0}",
    Operator.LE: "on or before {0}",
    Operator.BETWEEN: "from {0} to {1}",
}
_AGO_EN = {
    Operator.EQ: "{0}",
    Operator.NE: "on any day but {0}",
    Operator.GT: "after {0}",
    Operator.GE: "since {0}",
    Operator.LT: "before {0}",
    Operator.LE: "{0} or earlier",
    Operator.BETWEEN: "from {0} to {1}",
}
_DAYS_JA = {
    Operator.EQ: "{0}",
    Operator.NE: "{0}以外の日",
    Operator.GT: "{0}より後",
    Operator.GE: "{0}以降",
    Operator.LT: "{0}より前",
    Operator.LE: "{0}以前",
    Operator.BETWEEN: "{0}から{1}の間",
}

#: The operators under which a day has a phrase.
DAY_OPERATORS = frozenset(_DAYS_EN)


def number(value: Decimal) -> str:
    """Write a number with thousands separators: 1,234.5."""
    return f"{value:,f}"


def money(value: Decimal, currency: str, language: str) -> str:
    """Write an amount of the currency; decimals only where it has some."""
    whole = value == value.to_integral_value()
    if whole:
        text = f"{value:,.0f}"
    elif currency in _WHOLE_CURRENCIES:
        text = number(value)
    else:
        text = f"{value:,.2f}" if round(value, 2) == value else number(value)
    if language == "ja" and currency == "JPY":
        return f"{text}円"
    minus, digits = ("-", text[1:]) if text.startswith("-") else ("", text)
    sign = _SIGNS.get(currency)
    return f"{minus}{sign}{digits}" if sign else f"{minus}{currency} {digits}"


def counted(value: Decimal, unit: Unit | None, language: str) -> str:
    """Write a number with what it counts: 1 order, 3 orders, 3回."""
    text = number(value)
    if unit is None:
        return text
    if language == "ja":
        return f"{text}{unit.ja}"
    return f"{text} {unit.one if value == 1 else unit.many}".strip()


def compared(operator: Operator, words: list[str], language: str) -> str:
    """Put compared amounts, already in words, into a phrase."""
    table = _COMPARED_JA if language == "ja" else _COMPARED_EN
    return table.get(operator, "{0}").format(*words)


def listed(words: list[str], language: str) -> str:
    """Join alternatives: “a”, “b” or “c”; long lists are cut and counted."""
    rest = len(words) - LISTED_MAX
    if language == "ja":
        tail = f"ほか{rest}件" if rest > 0 else ""
        return "または".join(words[:LISTED_MAX]) + tail
    if rest > 0:
        return ", ".join(words[:LISTED_MAX]) + f" or {rest} more"
    return joined(words, "or")


def joined(words: list[str], connector: str) -> str:
    """Join words in English: a, b and c."""
    if len(words) < 2:
        return "".join(words)
    return ", ".join(words[:-1]) + f" {connector} {words[-1]}"


def texts(operator: Operator, values: list[str], language: str) -> str:
    """Put quoted texts or ids into a phrase."""
    found = listed(values, language)
    if operator in (Operator.NE, Operator.NOT_IN):
        return f"{found}以外" if language == "ja" else f"anything but {found}"
    return found


def day_name(value: Literal, language: str) -> str:
    """Name a day: 30 May 2020, 7 days ago, today."""
    match value:
        case Day(day):
            return _calendar(day, language)
        case Moment(instant):
            return f"{_calendar(instant.date(), language)} {_clock(instant)}"
        case RelativeDay(amount, unit):
            return _relative(amount, unit, language)
    return written(value)


def when(operator: Operator, values: tuple[Literal, ...], language: str) -> str:
    """Put days into a phrase: in the last 30 days, on 30 May 2020."""
    first = values[0]
    names = [day_name(value, language) for value in values]
    if operator is Operator.GT and isinstance(first, RelativeDay) and first.amount < 0:
        return _last(-first.amount, first.unit, language)
    if language == "ja":
        return _DAYS_JA[operator].format(*names)
    if isinstance(first, RelativeDay):
        if operator is Operator.LT and first.amount < 0:
            return f"more than {names[0]}"
        return _AGO_EN[operator].format(*names)
    return _DAYS_EN[operator].format(*names)


def _last(amount: int, unit: str, language: str) -> str:
    if language == "ja":
        return f"直近{amount}{_UNITS_JA[unit]}" + ("" if unit == "w" else "間")
    if amount == 1 and unit != "d":
        return f"in the last {_UNITS_EN[unit]}"
    return "today" if amount == 1 else f"in the last {amount} {_UNITS_EN[unit]}s"


def _relative(amount: int, unit: str, language: str) -> str:
    if amount == 0:
        return "今日" if language == "ja" else "today"
    if (amount, unit) == (-1, "d"):
        return "昨日" if language == "ja" else "yesterday"
    if language == "ja":
        return f"{abs(amount)}{_UNITS_JA[unit]}{'前' if amount < 0 else '後'}"
    length = f"{abs(amount)} {_UNITS_EN[unit]}{'' if abs(amount) == 1 else 's'}"
    return f"{length} ago" if amount < 0 else f"{length} from now"


def _calendar(day: date, language: str) -> str:
    if language == "ja":
        return f"{day.year}年{day.month}月{day.day}日"
    return f"{day.day} {_MONTHS.split()[day.month - 1]} {day.year}"


def _clock(instant: datetime) -> str:
    return f"{instant:%H:%M:%S}" if instant.second else f"{instant:%H:%M}"


def plain_number(value: Literal) -> str:
    """Write an id without separators."""
    return f"{value.value:f}" if isinstance(value, Number) else written(value)
