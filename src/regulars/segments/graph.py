"""Which segment is made of which: references in a tree, the order of work, cycles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from graphlib import TopologicalSorter

from regulars.language import CATALOGUE
from regulars.language.catalogue import Events
from regulars.language.keys import segment_names
from regulars.language.tree import Filter, Node, Text, filters_of
from regulars.segments.names import name_key


def reference_filters(tree: Node, of: str = "segment") -> tuple[tuple[Filter, str], ...]:
    """Return each filter that names a segment, or a "csv_list", with the name as written."""
    return tuple(
        (leaf, operand.value)
        for leaf in filters_of(tree)
        if leaf.attribute == of
        for operand in leaf.operands
        if isinstance(operand, Text)
    )


def references(tree: Node) -> frozenset[str]:
    """Return the keys of the segments that a tree is made of."""
    return frozenset(name_key(name) for _leaf, name in reference_filters(tree))


def list_references(tree: Node) -> frozenset[str]:
    """Return the keys of the CSV lists that a tree names."""
    return frozenset(name_key(name) for name in segment_names(tree, "csv_list"))


def mentions_products(tree: Node) -> bool:
    """Whether the members depend on the lines of orders, and so on what products are."""
    sources = [CATALOGUE[leaf.attribute].source for leaf in filters_of(tree)]
    return any(isinstance(source, Events) and source.of == "lines" for source in sources)


def in_order(parts: Mapping[str, frozenset[str]]) -> Sequence[str]:
    """Return all keys so that each comes after those it is made of; raises on a cycle."""
    known = {key: [part for part in made_of if part in parts] for key, made_of in parts.items()}
    return tuple(TopologicalSorter(known).static_order())


def path_back(parts: Mapping[str, frozenset[str]], key: str) -> tuple[str, ...]:
    """Return the way from `key` through its parts back to itself; empty where there is none."""
    trail: dict[str, str] = {}
    waiting = [key]
    while waiting:
        at = waiting.pop()
        for part in sorted(parts.get(at, ())):
            if part == key:
                return (*_walked(trail, key, at), key)
            if part not in trail:
                trail[part] = at
                waiting.append(part)
    return ()


def _walked(trail: Mapping[str, str], start: str, end: str) -> tuple[str, ...]:
    way = [end]
    while way[-1] != start:
        way.append(trail[way[-1]])
    return tuple(reversed(way))
