"""Form fields → rows. A field is named `n:<path>:<key>`, a detail's `n:<path>:p<number>:<key>`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from regulars.errors import LimitError, problem
from regulars.language import CATALOGUE
from regulars.language.catalogue import Attribute, Kind
from regulars.web.editing.choices import AS_TEXT, default_operator
from regulars.web.editing.rows import Condition, Detail, Group

_FIELD = re.compile(r"n:(r(?:\.\d{1,3}){0,40}):(?:p(\d{1,3}):)?(\w{1,8})")
# Above the language's own limit of 500 nodes and 32 levels, below what would exhaust the server.
ROWS_MAX = 600


def read_rows(fields: Mapping[str, object]) -> Group:
    """Read the rows of a form; what is not a row's field is passed over."""
    found: dict[str, dict[str, str]] = {}
    details: dict[str, dict[int, dict[str, str]]] = {}
    for name, value in fields.items():
        match = _FIELD.fullmatch(name)
        if match is None or not isinstance(value, str):
            continue
        path, number, key = match.groups()
        if number is None:
            found.setdefault(path, {})[key] = value
        else:
            details.setdefault(path, {}).setdefault(int(number), {})[key] = value
    if len(found) > ROWS_MAX:
        text = "A query can have up to {most} conditions here."
        raise LimitError(problem("too_many_conditions", text, most=ROWS_MAX))
    return _group("r", found, details)


def _group(
    path: str,
    found: Mapping[str, Mapping[str, str]],
    details: Mapping[str, Mapping[int, Mapping[str, str]]],
) -> Group:
    own = found.get(path, {})
    group = Group("OR" if own.get("join") == "OR" else "AND", own.get("not") == "on")
    for child in sorted(_children(path, found), key=lambda one: int(one.rpartition(".")[2])):
        fields = found[child]
        if "join" in fields:
            group.parts.append(_group(child, found, details))
        else:
            group.parts.append(_condition(fields, details.get(child, {})))
    return group


def _children(path: str, found: Iterable[str]) -> list[str]:
    depth = path.count(".") + 1
    return [one for one in found if one.startswith(path + ".") and one.count(".") == depth]


def _condition(fields: Mapping[str, str], details: Mapping[int, Mapping[str, str]]) -> Condition:
    if "text" in fields:
        return Condition(text=fields["text"])
    name = fields.get("attr", "")
    row = CATALOGUE.get(name)
    if row is None:
        return Condition(attribute=name)
    if name != fields.get("was"):
        return fresh(row)
    read = [_detail(row, details[number]) for number in sorted(details)]
    return Condition(
        name,
        fields.get("op", ""),
        fields.get("v1", ""),
        fields.get("v2", ""),
        [one for one in read if one is not None],
    )


def fresh(row: Attribute) -> Condition:
    """Return a row for an attribute that was just chosen."""
    if row.kind in AS_TEXT:
        return Condition(text=row.example)
    first = row.values[0] if row.kind is Kind.ENUM and row.values else ""
    if row.kind is Kind.DAY:
        first = "30"
    return Condition(row.name, default_operator(row.kind, row.operators), first)


def _detail(row: Attribute, fields: Mapping[str, str]) -> Detail | None:
    parameter = row.parameter(fields.get("name", ""))
    if parameter is None:
        return None
    if parameter.name != fields.get("was"):
        first = "30" if parameter.kind is Kind.DAY else ""
        return Detail(parameter.name, default_operator(parameter.kind, parameter.operators), first)
    return Detail(parameter.name, fields.get("op", ""), fields.get("v1", ""), fields.get("v2", ""))
