"""Combinations as the page edits them: segments and groups in order, joined by AND, OR or EXCEPT.

Form fields are named `c:<path>:<key>`. What is made of it is a query like any other; EXCEPT is the
first part without all that follow.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from regulars.errors import InputError, LimitError, problem
from regulars.language.tree import And, Filter, Node, Not, Operator, Or, Text
from regulars.web.part_paths import at

JOINERS = ("AND", "OR", "EXCEPT")
#: So deep groups are drawn; the query text takes more.
DEPTH_MAX = 4
PARTS_MAX = 50

_FIELD = re.compile(r"c:(r(?:\.\d{1,3}){0,6}):(join|segment)")


@dataclass
class Part:
    """One segment, by its number as the form sends it."""

    segment: str = ""


@dataclass
class Combination:
    """Parts in their order, and how they are joined."""

    joiner: str = "AND"
    parts: list[Part | Combination] = field(default_factory=list)


def read_combination(fields: Mapping[str, object]) -> Combination:
    """Read a form; what is not a field of the combination is passed over."""
    found: dict[str, dict[str, str]] = {}
    for name, value in fields.items():
        match = _FIELD.fullmatch(name)
        if match is not None and isinstance(value, str):
            found.setdefault(match[1], {})[match[2]] = value
    if len(found) > PARTS_MAX * 2:
        template = "A combination can have up to {most} parts here."
        raise LimitError(problem("too_many_parts", template, most=PARTS_MAX))
    return _read("r", found)


def changed_combination(root: Combination, op: str) -> Combination:
    """Carry out one button: "add:r", "group:r", "remove:r.1", "up:r.1", "down:r.1"."""
    verb, _, path = op.partition(":")
    here = at(root, path)
    if isinstance(here, Combination) and verb == "add":
        here.parts.append(Part())
    elif isinstance(here, Combination) and verb == "group" and path.count(".") < DEPTH_MAX:
        joiner = "AND" if here.joiner == "OR" else "OR"
        here.parts.append(Combination(joiner, [Part(), Part()]))
    elif path.startswith("r."):
        _move(root, path, verb)
    return root


def chosen(root: Combination) -> Combination:
    """Return what is chosen so far, without the parts that nobody filled yet."""
    kept: list[Part | Combination] = []
    for part in root.parts:
        if isinstance(part, Part):
            kept += [part] if part.segment else []
        else:
            inner = chosen(part)
            kept += [inner] if inner.parts else []
    return Combination(root.joiner, kept)


def tree_of(part: Part | Combination, names: Mapping[str, str]) -> Node:
    """Return the query tree; InputError where a part has no segment. `names` are by number."""
    if isinstance(part, Part):
        name = names.get(part.segment)
        if name is None:
            text = "Choose a segment for every part, or remove the part."
            raise InputError(problem("no_segment_chosen", text, field="parts"))
        return Filter("segment", Operator.EQ, (Text(name),))
    if not part.parts:
        text = "A group needs at least one segment. Add one, or remove the group."
        raise InputError(problem("empty_group", text, field="parts"))
    nodes = tuple(tree_of(one, names) for one in part.parts)
    if len(nodes) == 1:
        return nodes[0]
    if part.joiner == "EXCEPT":
        return And((nodes[0], *(Not(one) for one in nodes[1:])))
    return Or(nodes) if part.joiner == "OR" else And(nodes)


def _read(path: str, found: Mapping[str, Mapping[str, str]]) -> Combination:
    joiner = found.get(path, {}).get("join", "")
    read = Combination(joiner if joiner in JOINERS else "AND")
    depth = path.count(".") + 1
    inside = [one for one in found if one.startswith(f"{path}.") and one.count(".") == depth]
    for child in sorted(inside, key=lambda one: int(one.rpartition(".")[2])):
        own = found[child]
        read.parts.append(_read(child, found) if "join" in own else Part(own["segment"]))
    return read


def _move(root: Combination, path: str, verb: str) -> None:
    above, _, last = path.rpartition(".")
    parent = at(root, above)
    if not isinstance(parent, Combination) or at(root, path) is None:
        return
    here = int(last)
    if verb == "remove":
        del parent.parts[here]
        return
    there = here + {"up": -1, "down": 1}.get(verb, 0)
    if 0 <= there < len(parent.parts):
        parent.parts[here], parent.parts[there] = parent.parts[there], parent.parts[here]
