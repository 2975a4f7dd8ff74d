"""Pasts that nobody knows: what a query looks at that is only told as of now.

A named segment has no past of its own: it is known where the rule of that segment is.
"""

from __future__ import annotations

from collections.abc import Callable

from regulars.language.catalogue import CATALOGUE
from regulars.language.tree import Filter, Node, Text, filters_of

#: Gives the tree of a segment by its name; None where there is no such segment.
TreeByName = Callable[[str], Node | None]


def no_trees(name: str) -> Node | None:  # noqa: ARG001 - stands for a source of trees
    """Stand in for the segments of a shop that has none."""
    return None


def is_past_known(
    leaf: Filter, named_tree: TreeByName = no_trees, seen: frozenset[str] = frozenset()
) -> bool:
    """Whether the answer of a filter on a past day is known."""
    if CATALOGUE[leaf.attribute].past_known:
        return True
    if leaf.attribute != "segment" or not isinstance(leaf.operands[0], Text):
        return False
    name = leaf.operands[0].value
    tree = None if name in seen else named_tree(name)
    if tree is None:
        return name in seen
    return all(is_past_known(one, named_tree, seen | {name}) for one in filters_of(tree))


def unknown_past(tree: Node, named_tree: TreeByName = no_trees) -> tuple[str, ...]:
    """Return the names of the query whose answers on a past day are not known, in order.

    Evaluated with a past `as_of` they are looked at as they are now; whoever shows such an answer
    has to say so.
    """
    names = (leaf.attribute for leaf in filters_of(tree) if not is_past_known(leaf, named_tree))
    return tuple(dict.fromkeys(names))
