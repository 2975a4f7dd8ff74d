"""The named limits of a query and how they are counted. Depth: brackets around one another."""

from __future__ import annotations

from regulars.language.tree import And, AtLeast, Filter, Node, Not, Or

#: Brackets one inside another.
DEPTH_MAX = 32
#: Filters and connectors together.
NODES_MAX = 500
#: Characters of the text.
TEXT_MAX = 20_000
#: Ids or texts in one list, as Shopify's reference says.
LIST_MAX = 500

#: What Shopify takes: clauses in a query, and characters of its text.
SHOPIFY_CLAUSES_MAX = 10
SHOPIFY_TEXT_MAX = 5_000


def node_count(node: Node) -> int:
    """Return how many filters and connectors the tree has."""
    if isinstance(node, Filter):
        return 1
    if isinstance(node, Not):
        return 1 + node_count(node.part)
    return 1 + sum(node_count(part) for part in node.parts)


def depth(node: Node) -> int:
    """Return how many brackets stand around the deepest filter when the tree is printed."""
    if isinstance(node, Filter):
        return 0
    if isinstance(node, Not):
        return _within(node, node.part)
    if isinstance(node, AtLeast):
        return 1 + max((depth(part) for part in node.parts), default=0)
    return max((_within(node, part) for part in node.parts), default=0)


def _within(outer: Node, part: Node) -> int:
    return depth(part) + (1 if needs_brackets(outer, part) else 0)


def needs_brackets(outer: Node, part: Node) -> bool:
    """Whether `part` is printed between brackets inside `outer`."""
    if isinstance(part, Filter | AtLeast):
        return False
    if isinstance(outer, Not):
        return True
    if isinstance(outer, And):
        return isinstance(part, And | Or)
    return isinstance(outer, Or) and isinstance(part, Or)
