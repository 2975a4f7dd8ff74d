"""Values of a shop that a query names, and what is said of those that the shop has never had.

Looks at the tree alone; whether a shop has a value, and which of its own is nearest, is the
engine's to find. A value never seen may be right, as a tag that is given tomorrow: it is noted,
and stops nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from regulars.language.catalogue import CATALOGUE, Events, Kind, Unavailable
from regulars.language.lint import Finding, difference, replaced
from regulars.language.literals import written
from regulars.language.problems import Reporter, shown
from regulars.language.tree import Filter, Literal, Node, Parameter, Span, Text, filters_of

_NAMING = frozenset({Kind.TEXT, Kind.ID, Kind.TEXT_LIST, Kind.ID_LIST})
_KEYED = frozenset({Kind.METAFIELD, Kind.ANNIVERSARY})


@dataclass(frozen=True, slots=True)
class Named:
    """One value that a query names: `customer_tags` or `tag` of `orders_placed`, and the value.

    Of a metafield the value is its key, with the name of a metafield as attribute.
    """

    attribute: str
    parameter: str | None
    value: Literal


#: What a shop has never had, with the nearest of its own values where one is near.
Unseen = Mapping[Named, str | None]


@dataclass(frozen=True, slots=True)
class _Mention:
    named: Named
    leaf: Filter
    parameter: Parameter | None
    #: Which operand it is; None: the key of a metafield.
    index: int | None


def named_values(node: Node) -> tuple[Named, ...]:
    """Return the values of a shop that a query names, each once, from left to right."""
    return tuple(dict.fromkeys(one.named for one in _mentions(node)))


def unseen_findings(node: Node, text: str, unseen: Unseen) -> tuple[Finding, ...]:
    """Return a note for each place of a query that names a value never seen.

    The remedy is the nearest value; where none is near there is no remedy, and nobody to count.
    """
    reporter = Reporter(text)
    found = []
    for one in _mentions(node):
        if one.named not in unseen:
            continue
        near = unseen[one.named]
        _note(reporter, one, near)
        meant = None if near is None else replaced(node, one.leaf, _with(one, near))
        affected = None if meant is None else difference(node, meant)
        found.append(Finding(reporter.notes[-1], meant, affected))
    return tuple(found)


def _mentions(node: Node) -> Iterator[_Mention]:
    for leaf in filters_of(node):
        row = CATALOGUE.get(leaf.attribute)
        if row is None or isinstance(row.source, Unavailable):
            continue
        if row.kind in _KEYED and leaf.key is not None:
            yield _Mention(Named(row.name, None, Text(leaf.key)), leaf, None, None)
        if row.kind in _NAMING:
            for index, value in enumerate(leaf.operands):
                yield _Mention(Named(row.name, None, value), leaf, None, index)
        for given in leaf.parameters:
            known = row.parameter(given.name)
            if known is not None and known.kind in _NAMING:
                for index, value in enumerate(given.operands):
                    yield _Mention(Named(row.name, given.name, value), leaf, given, index)


def _note(reporter: Reporter, one: _Mention, near: str | None) -> None:
    source = CATALOGUE[one.named.attribute].source
    of = source.of if isinstance(source, Events) else "customers"
    given = shown(written(one.named.value))
    name = one.named.parameter or one.named.attribute
    if near is None:
        reporter.note(
            "never_seen",
            "No customer of this shop has the metafield {given}."
            if one.index is None
            else "No order of this shop has {given} as `{name}`."
            if of == "orders"
            else "No product of this shop has {given} as `{name}`."
            if of == "lines"
            else "No customer of this shop has {given} as `{name}`.",
            _span(one),
            given=given,
            name=name,
        )
        return
    value = written(Text(near))
    reporter.note(
        "never_seen",
        "No customer of this shop has the metafield {given}. Did you mean {near}?"
        if one.index is None
        else "No order of this shop has {given} as `{name}`. Did you mean {near}?"
        if of == "orders"
        else "No product of this shop has {given} as `{name}`. Did you mean {near}?"
        if of == "lines"
        else "No customer of this shop has {given} as `{name}`. Did you mean {near}?",
        _span(one),
        suggestion=value if one.index is not None else None,
        near=shown(value),
        given=given,
        name=name,
    )


def _span(one: _Mention) -> Span:
    holder = one.leaf if one.parameter is None else one.parameter
    # Places are those of the name, the operator and each operand.
    place = 0 if one.index is None else one.index + 2
    return holder.places[place] if place < len(holder.places) else holder.span


def _with(one: _Mention, near: str) -> Filter:
    if one.index is None:
        return replace(one.leaf, key=near)
    if one.parameter is None:
        return replace(one.leaf, operands=_put(one.leaf.operands, one.index, near))
    changed = replace(one.parameter, operands=_put(one.parameter.operands, one.index, near))
    parameters = (changed if own is one.parameter else own for own in one.leaf.parameters)
    return replace(one.leaf, parameters=tuple(parameters))


def _put(operands: tuple[Literal, ...], index: int, near: str) -> tuple[Literal, ...]:
    return (*operands[:index], Text(near), *operands[index + 1 :])
