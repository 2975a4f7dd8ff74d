"""Rows → query text, with the place of every row in it, so that problems find their row again.

Nothing is checked here: what a person has not finished is written as it is, and reading the text
says what is missing.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass

from regulars.language import CATALOGUE
from regulars.language.catalogue import Kind
from regulars.language.literals import written_id
from regulars.web.editing.rows import BEFORE_DAYS, IN_LAST_DAYS, Condition, Detail, Group, listed

_QUOTED = {Kind.TEXT, Kind.ENUM, Kind.TEXT_LIST, Kind.NAME}
_IDS = {Kind.ID, Kind.ID_LIST}
_RELATIVE = {IN_LAST_DAYS: ">= -{}d", BEFORE_DAYS: "< -{}d"}


@dataclass(frozen=True)
class Written:
    """A query text, and where in it each row stands: path → (start, end)."""

    text: str
    places: Mapping[str, tuple[int, int]]

    def row_at(self, start: int) -> str:
        """Return the path of the smallest row that holds this place of the text."""
        holding = [path for path, (low, high) in self.places.items() if low <= start <= high]
        return max(holding, key=lambda path: (path.count("."), path), default="r")


def written(root: Group) -> Written:
    """Write the rows as text."""
    places: dict[str, tuple[int, int]] = {}
    text = _group(root, "r", 0, places, inside=False)
    return Written(text, places)


def _group(
    group: Group, path: str, start: int, places: dict[str, tuple[int, int]], *, inside: bool
) -> str:
    bracketed = group.negated or (inside and len(group.parts) > 1)
    text = ("NOT " if group.negated else "") + ("(" if bracketed else "")
    for number, part in enumerate(group.parts):
        if number:
            text += f" {group.joiner} "
        here = f"{path}.{number}"
        place = start + len(text)
        if isinstance(part, Group):
            text += _group(part, here, place, places, inside=True)
        else:
            one = condition_text(part)
            # A filter that is shown as text may be a whole expression.
            needs_brackets = part.text is not None and len(group.parts) > 1 and _is_compound(one)
            one = f"({one})" if needs_brackets else one
            places[here] = (place, place + len(one))
            text += one
    text += ")" if bracketed else ""
    places[path] = (start, start + len(text))
    return text


def condition_text(row: Condition) -> str:
    """Write one condition."""
    if row.text is not None:
        return row.text.strip()
    known = CATALOGUE.get(row.attribute)
    if known is None:
        return row.attribute
    if known.kind is Kind.FUNCTION:
        details = ", ".join(_detail_text(row.attribute, one) for one in row.details)
        return f"{row.attribute} {row.operator or 'MATCHES'} ({details})"
    return f"{row.attribute} {comparison(known.kind, row.operator, row.first, row.second)}".strip()


def comparison(kind: Kind, operator: str, first: str, second: str) -> str:
    """Write operator and values: "BETWEEN 1 AND 3", ">= -30d"."""
    if operator in _RELATIVE:
        return _RELATIVE[operator].format(_number(first) or "")
    if operator in {"IS NULL", "IS NOT NULL"}:
        return operator
    if operator == "BETWEEN":
        return f"BETWEEN {_literal(kind, first)} AND {_literal(kind, second)}"
    if operator in {"IN", "NOT IN"}:
        return f"{operator} ({', '.join(_literal(kind, part) for part in listed(first))})"
    return f"{operator} {_literal(kind, first)}".strip()


def _detail_text(attribute: str, one: Detail) -> str:
    row = CATALOGUE[attribute].parameter(one.name)
    kind = row.kind if row else Kind.TEXT
    return f"{one.name} {comparison(kind, one.operator, one.first, one.second)}"


def _literal(kind: Kind, value: str) -> str:
    if kind in _QUOTED:
        escaped = value.replace("\\", "\\\\").replace("'", "\\'")
        return f"'{escaped}'"
    if kind in _IDS and value.strip():
        return written_id(_number(value) if _number(value).isdecimal() else value.strip())
    if kind is Kind.DAY:
        return unicodedata.normalize("NFKC", value).strip()
    return _number(value)


def _number(value: str) -> str:
    """Accept what people type into a number field: full-width digits and thousands separators."""
    return unicodedata.normalize("NFKC", value).strip().replace(",", "")


def _is_compound(text: str) -> bool:
    folded = text.upper()
    return " OR " in folded or " AND " in folded
