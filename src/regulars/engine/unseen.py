"""Which values of a query a shop has never had, and which of its own is nearest to each.

One short statement per kind of value, stopped by what is found; a second one only for a value that
was not. What a query names, and what is said of it, is `language`'s.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from typing import Final

import duckdb

from regulars.engine.lowered import text_of
from regulars.engine.places import Place, places_of
from regulars.engine.predicates import is_storable
from regulars.language.catalogue import folded
from regulars.language.problems import nearest
from regulars.language.tree import Node, Text
from regulars.language.unseen import Named, Unseen, named_values
from regulars.warehouse import Warehouse

#: A longer text is compared by its beginning.
_WORD_MAX: Final = 60
#: A query that names more values is looked at for the first of them only.
VALUES_MAX: Final = 200
#: Values never seen for which a nearest one is looked for: as many as notes are told.
NEAR_MAX: Final = 10


_LOADED: Final = "SELECT EXISTS (SELECT 1 FROM customers)"
# Stops at the first row that has the value.
_HAS: Final = "SELECT {key} FROM {table} WHERE {key} = $wanted LIMIT 1"
_HAS_SOME: Final = "SELECT DISTINCT {key} FROM {table} WHERE {key} IN (SELECT unnest($wanted))"
#: More values than this are looked for by one statement that reads the whole column.
_ONE_BY_ONE_MAX: Final = 3
# Different texts of about that length, those with the most alike letters first.
_ALIKE: Final = """
SELECT value FROM (
  SELECT DISTINCT {text} AS value FROM {table}
  WHERE length({text}) BETWEEN $shortest AND $longest LIMIT $most
)
ORDER BY jaro_winkler_similarity(translate(lower(value), $wide, $narrow), $word) DESC, value
LIMIT 20
"""
#: Among more different texts, as among coupons that are used once, not all are looked at.
_ALIKE_MAX: Final = 20_000
_WIDE: Final = "".join(map(chr, range(0xFF01, 0xFF5F)))
_NARROW: Final = "".join(map(chr, range(0x21, 0x7F)))


def unseen_values(warehouse: Warehouse, tree: Node) -> Unseen:
    """Return the values of a query that no customer, order or product of the shop has.

    Each with the nearest value that the shop has, if one is near. A shop whose customers are not
    loaded yet has seen nothing, and nothing is said of it.
    """
    named = named_values(tree)[:VALUES_MAX]
    if not named:
        return {}
    by_place: dict[tuple[Place, ...], list[Named]] = {}
    for one in named:
        by_place.setdefault(places_of(one.attribute, one.parameter), []).append(one)
    with warehouse.reader() as cursor:
        if not _is_loaded(cursor):
            return {}
        missing = [
            (places, one)
            for places, group in by_place.items()
            for one in _missing(cursor, places, group)
        ]
        near = {
            one: _near(cursor, places, one.value.value)
            for places, one in missing[:NEAR_MAX]
            if isinstance(one.value, Text) and is_storable(one.value.value)
        }
    return {one: near.get(one) for _, one in missing}


def _is_loaded(cursor: duckdb.DuckDBPyConnection) -> bool:
    return cursor.execute(_LOADED).fetchone() == (True,)


def _missing(
    cursor: duckdb.DuckDBPyConnection, places: tuple[Place, ...], group: Iterable[Named]
) -> list[Named]:
    """Return those of values kept in one place that are not there."""
    wanted = {one: _key(one, places) for one in group}
    for place in places:
        seen = _seen(cursor, place, {key for key in wanted.values() if is_storable(key)})
        wanted = {one: key for one, key in wanted.items() if key not in seen}
        if not wanted:
            break
    return list(wanted)


def _seen(cursor: duckdb.DuckDBPyConnection, place: Place, wanted: set[str]) -> set[str]:
    each = sorted(wanted)
    statement, asked = (_HAS, each) if len(each) <= _ONE_BY_ONE_MAX else (_HAS_SOME, [each])
    text = statement.format(table=place.table, key=place.key)
    return {key for one in asked for (key,) in cursor.execute(text, {"wanted": one}).fetchall()}


def _key(one: Named, places: tuple[Place, ...]) -> str:
    """Return a value as it is compared."""
    text, key = text_of(one.value), places[0].key
    if key.startswith("lower("):
        return text.lower()
    return folded(text) if key != places[0].text else text


def _near(cursor: duckdb.DuckDBPyConnection, places: tuple[Place, ...], text: str) -> str | None:
    """Return the value that was probably meant: mistyped, or in another width or case."""
    word = _plain(text[:_WORD_MAX])
    asked = {
        "word": word,
        # A text that is much shorter or longer is never near.
        "shortest": len(word) // 2,
        "longest": len(word) * 2,
        "most": _ALIKE_MAX,
        "wide": _WIDE,
        "narrow": _NARROW,
    }
    for place in places:
        statement = _ALIKE.format(table=place.table, text=place.text)
        found: list[tuple[str]] = cursor.execute(statement, asked).fetchall()
        # The most alike last, so that it stands where several are written alike.
        alike = {_plain(value): value for (value,) in reversed(found)}
        near = nearest(word, alike)
        if near is not None:
            return alike[near]
    return None


def _plain(text: str) -> str:
    """Return a text without differences of letter case and of full and half width."""
    return unicodedata.normalize("NFKC", text).strip().lower()
