"""Which filters change their answer by time alone, and on which days they can."""

from __future__ import annotations

from regulars.language.catalogue import CATALOGUE
from regulars.language.shapes import Figure
from regulars.language.tree import Filter, Node, RelativeDay, filters_of


def mentions_time(node: Node) -> bool:
    """Whether time alone can change the members: `today`, `-30d`, days since the last order.

    A segment named inside the query is not looked into; whoever knows its query asks about that.
    """
    return any(filter_mentions_time(one) for one in filters_of(node))


def filter_mentions_time(filter_: Filter) -> bool:
    """Whether one filter's answer depends on the day it is asked."""
    source = CATALOGUE[filter_.attribute].source
    if isinstance(source, Figure) and source.moves:
        return True
    operands = [*filter_.operands]
    for parameter in filter_.parameters:
        operands.extend(parameter.operands)
    return any(isinstance(one, RelativeDay) for one in operands)
