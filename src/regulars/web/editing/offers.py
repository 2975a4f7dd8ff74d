"""What a value may be: the shop's own values with the number of customers who have each.

For the fields of the builder and for the proposals under the query text. Values of lists that the
language fixes (states, tiers) are the catalogue's matter.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from regulars.engine.places import Place, places_of
from regulars.language import complete
from regulars.language.completion import Completion
from regulars.language.places import place_name
from regulars.office import Shop
from regulars.runtime import Runtime
from regulars.segments import list_segments
from regulars.warehouse import Warehouse

MOST: Final = 20

_PLACES: Final = ("customer_countries", "customer_regions", "customer_cities")

#: Attributes that are no functions whose values are offered: those that the language does not list.
_OF_CUSTOMERS: Final = frozenset({
    "customer_tags", *_PLACES, "customer_email_domain", "customer_language", "companies",
})  # fmt: skip
# The most frequent first. `$words` is looked for in the value and in its name.
_OFFERED: Final = """
SELECT value, any_value(name), count(DISTINCT customer_no)
FROM (SELECT customer_no, {text} AS value, {name} AS name FROM {owned})
JOIN (SELECT customer_no FROM customers WHERE deleted_at IS NULL) USING (customer_no)
WHERE value IS NOT NULL AND value <> ''
  AND (contains(lower(value), $words) OR contains(lower(coalesce(name, '')), $words))
GROUP BY value ORDER BY 3 DESC, value LIMIT $most
"""


@dataclass(frozen=True, slots=True)
class Offer:
    """One value of the shop."""

    value: str
    #: How people call it, where that is something else.
    name: str
    #: How many customers have it.
    count: int


def offers(
    runtime: Runtime,
    shop: Shop,
    attribute: str,
    parameter: str | None,
    *,
    words: str,
    language: str,
) -> list[Offer]:
    """Return values of an attribute or parameter that hold these words, most frequent first."""
    if attribute in {"segment", "csv_list"}:
        return _segments(runtime, shop, words, lists=attribute == "csv_list")
    place = _place(attribute, parameter)
    if place is None:
        return []
    # Places are looked for by the names that people read, which the warehouse does not know.
    is_place = attribute in _PLACES
    found = _offered(runtime.warehouse(shop), place, "" if is_place else words, all_=is_place)
    if is_place:
        named = (
            replace(one, name=place_name(attribute, one.value, language) or "") for one in found
        )
        wanted = words.casefold()
        found = [one for one in named if wanted in f"{one.value}\n{one.name}".casefold()]
    return found[:MOST]


def completions(
    runtime: Runtime, shop: Shop, text: str, position: int, language: str
) -> Sequence[Completion]:
    """Return what may stand at a place of a query text, values of the shop included."""

    def values(
        attribute: str, parameter: str | None, words: str
    ) -> Iterable[tuple[str, int | None]]:
        found = offers(runtime, shop, attribute, parameter, words=words, language=language)
        return [(one.value, one.count) for one in found]

    with runtime.office.reading() as session:
        names = [one.name for one in list_segments(session, shop)]
    return complete(text, position, names, values)


def is_offered(attribute: str, parameter: str | None) -> bool:
    """Whether the shop's values of this are known."""
    return attribute in {"segment", "csv_list"} or _place(attribute, parameter) is not None


def _place(attribute: str, parameter: str | None) -> Place | None:
    """Return where the values to be offered are kept: with what was bought, not what is sold."""
    if parameter is None:
        is_offered = attribute in _OF_CUSTOMERS
    else:
        is_offered = attribute.startswith(("orders_placed", "products_purchased"))
    places = places_of(attribute, parameter) if is_offered else ()
    return places[-1] if places else None


def _offered(warehouse: Warehouse, place: Place, words: str, *, all_: bool) -> list[Offer]:
    statement = _OFFERED.format(text=place.text, name=place.name, owned=place.owned)
    asked = {"words": words.casefold(), "most": 10_000 if all_ else MOST}
    with warehouse.reader() as cursor:
        rows = cursor.execute(statement, asked).fetchall()
    return [Offer(str(value), str(name or ""), count) for value, name, count in rows]


def _segments(runtime: Runtime, shop: Shop, words: str, *, lists: bool) -> list[Offer]:
    with runtime.office.reading() as session:
        listed = list_segments(session, shop)
    wanted = words.casefold()
    found = [
        Offer(one.name, "", one.member_count)
        for one in listed
        if wanted in one.name.casefold() and (one.kind == "csv" or not lists)
    ]
    return found[:MOST]
