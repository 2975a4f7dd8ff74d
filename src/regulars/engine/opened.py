"""Rules within a rule: a query with the rules of the segments that it names opened up.

A combination asks only who belongs to its parts. What somebody is short of, and what time will
change, stands in the rules of the parts: they are put where the query names them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from regulars.engine.context import Context
from regulars.engine.lowered import lower
from regulars.errors import InputError
from regulars.language.tree import Filter, Node, Not, Text, filters_of

#: A query is not opened further than to so many conditions; what is left out is told by its name.
CONDITIONS_MAX = 100


@dataclass(frozen=True, slots=True)
class Opened:
    """A node of a query; of a filter that names a segment, `parts` is that segment's rule."""

    node: Node
    parts: tuple[Opened, ...] = ()

    @property
    def is_named(self) -> bool:
        """Whether this filter names a segment whose rule is opened."""
        return isinstance(self.node, Filter) and bool(self.parts)


def open_up(tree: Node, context: Context) -> Opened:
    """Open the rules of the segments that a query names, and of those that these name."""
    return _Opening(context, CONDITIONS_MAX - len(filters_of(tree))).node(tree)


def whole(opened: Opened, context: Context) -> Node:
    """Return the same query with each opened rule in the place of its name."""
    node, parts = opened.node, [whole(part, context) for part in opened.parts]
    if not parts:
        return node
    if isinstance(node, Filter):
        _, negated = lower(node, context)
        return Not(parts[0]) if negated else parts[0]
    if isinstance(node, Not):
        return replace(node, part=parts[0])
    return replace(node, parts=tuple(parts))


def conditions(
    opened: Opened, within: tuple[Filter, ...] = ()
) -> Iterator[tuple[Filter, tuple[Filter, ...]]]:
    """Yield each condition, with the filters that name the segments it belongs to, outermost first.

    A filter whose rule is opened is none of them.
    """
    node = opened.node
    if isinstance(node, Filter):
        if not opened.parts:
            yield node, within
            return
        within = (*within, node)
    for part in opened.parts:
        yield from conditions(part, within)


class _Opening:
    """Opens rules from left to right, as far as the conditions that may still be added reach."""

    def __init__(self, context: Context, left: int) -> None:
        self._context = context
        self._left = left

    def node(self, node: Node) -> Opened:
        if isinstance(node, Filter):
            rule = self._rule(node)
            return Opened(node) if rule is None else Opened(node, (self.node(rule),))
        inner = (node.part,) if isinstance(node, Not) else node.parts
        return Opened(node, tuple(self.node(part) for part in inner))

    def _rule(self, leaf: Filter) -> Node | None:
        """Return the rule of the segment that a filter names, where it can be asked."""
        rule = _named_rule(leaf, self._context)
        if rule is None:
            return None
        conditions = filters_of(rule)
        if len(conditions) > self._left or not all(map(self._is_answered, conditions)):
            return None
        self._left -= len(conditions)
        return rule

    def _is_answered(self, leaf: Filter) -> bool:
        """Whether what a condition names is there: a broken rule keeps its members, and says so."""
        if leaf.attribute == "segment":
            return _named_rule(leaf, self._context) is not None
        if leaf.attribute == "csv_list":
            try:
                self._context.named_set("csv_list", _name(leaf) or "")
            except InputError:
                return False
        return True


def _named_rule(leaf: Filter, context: Context) -> Node | None:
    name = _name(leaf) if leaf.attribute == "segment" else None
    return None if name is None else context.named_tree(name)


def _name(leaf: Filter) -> str | None:
    operand = leaf.operands[0] if leaf.operands else None
    return operand.value if isinstance(operand, Text) else None
