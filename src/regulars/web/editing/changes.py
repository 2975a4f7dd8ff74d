"""What a builder's button does to the rows: add, remove, move, copy, take apart."""

from __future__ import annotations

import copy

from regulars.language import CATALOGUE
from regulars.language.catalogue import Attribute
from regulars.web.editing.choices import default_operator
from regulars.web.editing.form import fresh
from regulars.web.editing.rows import Condition, Detail, Group
from regulars.web.part_paths import at

#: The attribute of a fresh row: the question asked most often.
FIRST_ATTRIBUTE = "number_of_orders"


def changed(root: Group, op: str) -> Group:
    """Carry out one button: "add:r.0", "group:r", "remove:r.1", "up:…", "down:…", "copy:…"."""
    verb, _, rest = op.partition(":")
    path, _, number = rest.partition(":")
    row = at(root, path)
    if row is None:
        return root
    if isinstance(row, Group) and verb == "add":
        row.parts.append(_fresh_condition())
    elif isinstance(row, Group) and verb == "group":
        joiner = "OR" if row.joiner == "AND" else "AND"
        row.parts.append(Group(joiner, parts=[_fresh_condition()]))
    elif isinstance(row, Condition) and verb == "detail":
        _add_detail(row)
    elif isinstance(row, Condition) and verb == "undetail" and number.isdigit():
        del row.details[int(number) : int(number) + 1]
    elif path != "r":
        _change_in_parent(root, path, verb)
    return root


def _change_in_parent(root: Group, path: str, verb: str) -> None:
    above, _, last = path.rpartition(".")
    parent = at(root, above)
    if not isinstance(parent, Group):
        return
    here = int(last)
    row = parent.parts[here]
    if verb == "remove":
        del parent.parts[here]
    elif verb == "copy":
        parent.parts.insert(here + 1, copy.deepcopy(row))
    elif verb == "ungroup" and isinstance(row, Group):
        parent.parts[here : here + 1] = row.parts
    elif verb in {"up", "down"}:
        there = here + (1 if verb == "down" else -1)
        if 0 <= there < len(parent.parts):
            parent.parts[here], parent.parts[there] = parent.parts[there], row


def _fresh_condition() -> Condition:
    row = CATALOGUE.get(FIRST_ATTRIBUTE)
    return fresh(row) if row else Condition()


def _add_detail(row: Condition) -> None:
    known: Attribute | None = CATALOGUE.get(row.attribute)
    used = {one.name for one in row.details}
    offered = [one for one in known.parameters if one.previous_only is None] if known else []
    unused = next((one for one in offered if one.name not in used), offered[0] if offered else None)
    if unused is not None:
        operator = default_operator(unused.kind, unused.operators)
        row.details.append(Detail(unused.name, operator))
