"""Pasts that nobody knows: what a query looks at that is only told as of now.

A named segment has no past of its own: it is known where the rule of that segment is. A list's is
known since it was made.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from regulars.language.catalogue import CATALOGUE
from regulars.language.tree import Filter, Node, Text, filters_of

if TYPE_CHECKING:
    from regulars.engine.context import Context

#: Gives the tree of a segment by its name; None where there is no such segment.
TreeByName = Callable[[str], Node | None]


def no_trees(name: str) -> Node | None:  # noqa: ARG001 - stands for a source of trees
    """Stand in for the segments of a shop that has none."""
    return None


def knows_no_list(name: str) -> bool:  # noqa: ARG001 - stands for a source of lists
    """Stand in for the lists of a shop whose pasts were not kept."""
    return False


def is_past_known(leaf: Filter, context: Context, seen: frozenset[str] = frozenset()) -> bool:
    """Whether the answer of a filter at the context's instant is known."""
    if CATALOGUE[leaf.attribute].past_known:
        return True
    if not leaf.operands or not isinstance(leaf.operands[0], Text):
        return False
    name = leaf.operands[0].value
    if leaf.attribute == "csv_list":
        return context.knows_list(name)
    if leaf.attribute != "segment":
        return False
    tree = None if name in seen else context.named_tree(name)
    if tree is None:
        return name in seen
    return all(is_past_known(one, context, seen | {name}) for one in filters_of(tree))


def unknown_past(tree: Node, context: Context) -> tuple[str, ...]:
    """Return the names of the query whose answers at a past instant are not known, in order.

    Evaluated there they are looked at as they are now, and a list as it was first; whoever shows
    such an answer has to say so.
    """
    names = (leaf.attribute for leaf in filters_of(tree) if not is_past_known(leaf, context))
    return tuple(dict.fromkeys(names))
