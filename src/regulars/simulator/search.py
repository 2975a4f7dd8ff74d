"""Shopify's search syntax: `updated_at:>='2026-01-01T00:00:00Z' AND tag:vip`, read and applied.

A field that does not exist is ignored and named in a warning, as the real thing does. A value
without quotes ends at its colon, so an unquoted timestamp falls apart and is warned about too.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

Kind = Literal["instant", "day", "id", "number", "text", "word", "tags", "not_tags", "unmodelled"]
Test = Callable[[Any], bool]

TOKEN = re.compile(
    r"""\s*(?:
      (?P<paren>[()])
    | (?P<minus>-)(?=\S)
    | (?P<field>[\w.\-]+):\s*(?P<op>>=|<=|>|<)?
    | (?P<single>'(?:[^'\\]|\\.)*')
    | (?P<double>"(?:[^"\\]|\\.)*")
    | (?P<word>[^\s():'"]+)
    | (?P<stray>[:'"])
    )""",
    re.VERBOSE,
)
COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "": operator.eq,
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
}
DAY = 86_400


@dataclass(frozen=True, slots=True)
class Searchable:
    """One field that can be searched: what kind its values are and where they come from."""

    kind: Kind
    get: Callable[[Any], Any] = lambda _: None


@dataclass(slots=True)
class Search:
    """A query that was read: the test it makes, and what was not understood."""

    test: Test
    warnings: list[dict[str, str]] = field(default_factory=list)


class NotModelledError(Exception):
    """Shopify knows this search field, the simulator does not: told rather than guessed."""


def everything(_: object) -> bool:
    """Match all."""
    return True


def read(query: str | None, fields: Mapping[str, Searchable], now: datetime) -> Search:
    """Read a query for a resource with these fields; an empty one matches everything."""
    if not query or not query.strip():
        return Search(everything)
    reader = Reader(query, fields, now)
    return Search(reader.either(), reader.warnings)


class Reader:
    """A recursive-descent reader of one query."""

    def __init__(self, query: str, fields: Mapping[str, Searchable], now: datetime) -> None:
        self.tokens = [match for match in TOKEN.finditer(query) if match.group().strip()]
        self.at = 0
        self.fields = fields
        self.now = now
        self.warnings: list[dict[str, str]] = []

    def peek(self, group: str) -> str | None:
        """Return the next token's text when it is of this group."""
        if self.at >= len(self.tokens):
            return None
        text: str | None = self.tokens[self.at].group(group)
        return text

    def either(self) -> Test:
        """Read terms joined by OR."""
        options = [self.every()]
        while self.peek("word") == "OR":
            self.at += 1
            options.append(self.every())
        return options[0] if len(options) == 1 else lambda row: any(t(row) for t in options)

    def every(self) -> Test:
        """Read terms that stand side by side or are joined by AND."""
        parts: list[Test] = []
        while (
            self.at < len(self.tokens) and self.peek("word") != "OR" and self.peek("paren") != ")"
        ):
            if self.peek("word") == "AND":
                self.at += 1
                continue
            parts.append(self.term())
        if len(parts) == 1:
            return parts[0]
        return lambda row: all(test(row) for test in parts)

    def term(self) -> Test:
        """Read one term, negated or not."""
        if self.peek("minus") or self.peek("word") == "NOT":
            self.at += 1
            inner = self.term()
            return inner if inner is everything else lambda row: not inner(row)
        if self.peek("paren") == "(":
            self.at += 1
            inner = self.either()
            self.at += 1
            return inner
        return self.comparison()

    def comparison(self) -> Test:
        """Read `field:value`, or words searched in the resource's own text."""
        name = self.peek("field")
        if name is None:
            return self.default()
        sign = self.tokens[self.at].group("op") or ""
        self.at += 1
        value = self.value()
        if self.peek("field") is not None and not value:
            # `updated_at:>=2026-08-01T00:00:00Z`: the value's colons made a field of its start.
            broken = self.tokens[self.at].group("field")
            while self.peek("field") is not None:
                self.at += 1
            self.value()
            return self.unknown(str(broken))
        found = self.fields.get(name)
        if found is None:
            return self.unknown(name)
        return self.test(name, found, sign, value)

    def unknown(self, name: str) -> Test:
        """Warn of a field that does not exist, and leave it out."""
        message = "Invalid search field for this query."
        self.warnings.append({"field": name, "message": message, "code": "invalid_field"})
        return everything

    def value(self) -> str:
        """Read a value, quoted or not; nothing when the next token is none."""
        for group in ("single", "double"):
            text = self.peek(group)
            if text is not None:
                self.at += 1
                return re.sub(r"\\(.)", r"\1", text[1:-1])
        word = self.peek("word")
        if word is None or word in {"AND", "OR"}:
            return ""
        self.at += 1
        return word

    def default(self) -> Test:
        """Search a bare word in the resource's text."""
        wanted = self.value().lower()
        if not wanted:
            self.at += 1
            return everything
        default = self.fields["default"]
        return lambda row: wanted in str(default.get(row)).lower()

    def test(self, name: str, found: Searchable, sign: str, value: str) -> Test:
        """Return the test of one known field."""
        if found.kind == "unmodelled":
            raise NotModelledError(f"The simulator does not model the search field {name}.")
        try:
            return TESTS[found.kind](found.get, sign, value, self.now)
        except ValueError:
            kind = "date" if found.kind in {"instant", "day"} else "number"
            message = f"Input `{value}` is not an accepted `{kind}`."
            self.warnings.append({"field": name, "message": message, "code": "invalid_value"})
            return everything


def instant(text: str, now: datetime) -> tuple[int, int]:
    """Return the first second that a date text names, and the first one after it."""
    if text == "now":
        second = int(now.timestamp())
        return second, second + 1
    if re.fullmatch(r"\d{4}", text):
        text += "-01-01"
    moment = datetime.fromisoformat(text)
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    start = int(moment.timestamp())
    return start, start + (DAY if len(text) == 10 else 1)


def instant_test(get: Test, sign: str, value: str, now: datetime) -> Test:
    """Compare with an instant to the second; a bare day means the whole day."""
    if ".." in value:
        low, high = (instant(part, now) for part in value.split("..", 1))
        return lambda row: (at := get(row)) is not None and low[0] <= at < high[1]
    start, end = instant(value, now)
    if not sign:
        return lambda row: (at := get(row)) is not None and start <= at < end
    compare = COMPARE[sign]
    bound = end - 1 if sign in {">", "<="} else start
    return lambda row: (at := get(row)) is not None and compare(at, bound)


def day_test(get: Test, sign: str, value: str, now: datetime) -> Test:
    """Compare whole days in UTC, whatever the time of day that was asked for."""
    start, _ = instant(value, now)
    compare, day = COMPARE[sign], start // DAY
    return lambda row: compare(get(row) // DAY, day)


def number_test(get: Test, sign: str, value: str, _now: datetime) -> Test:
    """Compare with a number."""
    compare, bound = COMPARE[sign], float(value)
    return lambda row: compare(get(row), bound)


def text_test(get: Test, _sign: str, value: str, _now: datetime) -> Test:
    """Find a text without minding case; `*` asks for any, a final `*` for a start."""
    wanted = value.lower()
    if wanted == "*":
        return lambda row: bool(get(row))
    if wanted.endswith("*"):
        return lambda row: str(get(row) or "").lower().startswith(wanted[:-1])
    return lambda row: wanted in str(get(row) or "").lower()


def word_test(get: Test, _sign: str, value: str, _now: datetime) -> Test:
    """Compare a word, or any of several joined by commas, without minding case."""
    wanted = {part.strip().lower() for part in value.split(",")}
    return lambda row: str(get(row)).lower() in wanted


def tags_test(get: Callable[[Any], Any], _sign: str, value: str, _now: datetime) -> Test:
    """Match when any of the named tags is there."""
    wanted = {part.strip().lower() for part in value.split(",")}
    return lambda row: any(tag.lower() in wanted for tag in get(row))


def not_tags_test(get: Callable[[Any], Any], _sign: str, value: str, now: datetime) -> Test:
    """Match when none of the named tags is there."""
    there = tags_test(get, _sign, value, now)
    return lambda row: not there(row)


TESTS: dict[str, Callable[[Any, str, str, datetime], Test]] = {
    "instant": instant_test,
    "day": day_test,
    "id": number_test,
    "number": number_test,
    "text": text_test,
    "word": word_test,
    "tags": tags_test,
    "not_tags": not_tags_test,
}


def unmodelled(names: Iterable[str]) -> Iterator[tuple[str, Searchable]]:
    """Name fields that Shopify has and the simulator does not."""
    for name in names:
        yield name, Searchable("unmodelled")
