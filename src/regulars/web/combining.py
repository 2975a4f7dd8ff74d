"""Combinations as the page edits them: segments and groups in order, joined by AND, OR or EXCEPT.

Form fields are named `c:<path>:<key>`. What is made of it is a query like any other; EXCEPT is the
first part without all that follow.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from regulars.errors import InputError, LimitError, problem
from regulars.language.tree import And, Filter, Node, Not, Operator, Or, Text
from regulars.segments import name_key
from regulars.web.part_paths import at, walk

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


def combination_of(tree: Node, numbers: Mapping[str, str]) -> Combination | None:
    """Return the combination that a query is; None for what the page cannot show.

    `numbers` are the segments' by the key of their names. The reverse of `tree_of`.
    """
    read = _part_of(tree, numbers)
    if isinstance(read, Part):
        read = Combination(parts=[read])
    if read is None or _depth(read) > DEPTH_MAX or sum(1 for _ in walk(read)) > PARTS_MAX:
        return None
    return read


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


def _part_of(node: Node, numbers: Mapping[str, str]) -> Part | Combination | None:
    if isinstance(node, Filter):
        return _named(node, numbers)
    if isinstance(node, Or):
        return _joined("OR", node.parts, numbers)
    if not isinstance(node, And):
        return None
    without = [part for one in node.parts if (part := _negated(one)) is not None]
    kept = [one for one in node.parts if _negated(one) is None]
    if not without:
        return _joined("AND", kept, numbers)
    if not kept:
        return None
    first = And(tuple(kept)) if len(kept) > 1 else kept[0]
    return _joined("EXCEPT", [first, *without], numbers)


def _named(leaf: Filter, numbers: Mapping[str, str]) -> Part | None:
    if leaf.attribute != "segment" or leaf.operator is not Operator.EQ:
        return None
    (name,) = leaf.operands
    number = numbers.get(name_key(name.value)) if isinstance(name, Text) else None
    return Part(number) if number is not None else None


def _negated(node: Node) -> Node | None:
    """Return what a node is the opposite of, where it is written as one."""
    if isinstance(node, Not):
        return node.part
    if isinstance(node, Filter) and node.operator is Operator.NE:
        return replace(node, operator=Operator.EQ)
    return None


def _joined(joiner: str, nodes: Sequence[Node], numbers: Mapping[str, str]) -> Combination | None:
    parts = [_part_of(one, numbers) for one in nodes]
    known = [one for one in parts if one is not None]
    return Combination(joiner, known) if len(known) == len(parts) else None


def _depth(part: Part | Combination) -> int:
    return 1 + max(map(_depth, part.parts), default=0) if isinstance(part, Combination) else -1


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
