"""What a value may be: the shop's own values with the number of customers who have each.

For the fields of the builder and for the proposals under the query text. Values of lists that the
language fixes (states, tiers) are the catalogue's matter.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from regulars.language import complete
from regulars.language.completion import Completion
from regulars.language.places import place_name
from regulars.office import Shop
from regulars.runtime import Runtime
from regulars.segments import list_segments
from regulars.warehouse import Warehouse

MOST: Final = 20

_PLACES: Final = ("customer_countries", "customer_regions", "customer_cities")

# (attribute, parameter) → who has which value; `name` is how people call it.
_OF_LINES: Final[Mapping[str, str]] = {
    "id": """SELECT l.customer_no, l.product_id AS value, coalesce(p.title, l.title) AS name
        FROM lines l LEFT JOIN products p USING (product_id)""",
    "variant_id": "SELECT customer_no, variant_id AS value, title AS name FROM lines",
    "tag": """SELECT l.customer_no, tag AS value, NULL AS name
        FROM lines l JOIN product_tags USING (product_id)""",
    "product_type": """SELECT l.customer_no, product_type AS value, NULL AS name
        FROM lines l JOIN products USING (product_id)""",
    "vendor": "SELECT customer_no, vendor AS value, NULL AS name FROM lines",
    "category": """SELECT l.customer_no, category_id AS value, category AS name
        FROM lines l JOIN products USING (product_id)""",
    "collection_id": """SELECT l.customer_no, collection_id AS value, c.title AS name
        FROM lines l JOIN product_collections c USING (product_id)""",
}
_OF_ORDERS: Final[Mapping[str, str]] = {
    "tag": """SELECT customer_no, tag AS value, NULL AS name
        FROM orders JOIN order_tags USING (order_id)""",
    "discount_code": """SELECT customer_no, code AS value, NULL AS name
        FROM orders JOIN order_discount_codes USING (order_id)""",
    "source": "SELECT customer_no, source_name AS value, NULL AS name FROM orders",
    "app_id": "SELECT customer_no, app_id AS value, NULL AS name FROM orders",
    "location_id": "SELECT customer_no, location_id AS value, NULL AS name FROM orders",
    "referrer": "SELECT customer_no, referrer AS value, NULL AS name FROM orders",
    "utm_source": "SELECT customer_no, utm_source AS value, NULL AS name FROM orders",
    "utm_medium": "SELECT customer_no, utm_medium AS value, NULL AS name FROM orders",
    "utm_campaign": "SELECT customer_no, utm_campaign AS value, NULL AS name FROM orders",
}
_OF_CUSTOMERS: Final[Mapping[str, str]] = {
    "customer_tags": "SELECT customer_no, tag AS value, NULL AS name FROM customer_tags",
    "customer_countries": "SELECT customer_no, country_code AS value, NULL AS name FROM addresses",
    "customer_regions": "SELECT customer_no, region_code AS value, NULL AS name FROM addresses",
    "customer_cities": "SELECT customer_no, city_key AS value, NULL AS name FROM addresses",
    "customer_email_domain": """SELECT customer_no, email_domain AS value, NULL AS name
        FROM customers""",
    "customer_language": "SELECT customer_no, language AS value, NULL AS name FROM customers",
    "companies": "SELECT customer_no, company_id AS value, NULL AS name FROM customer_companies",
}
# The most frequent first. `$words` is looked for in the value and in its name.
_OFFERED: Final = """
SELECT value, any_value(name), count(DISTINCT customer_no)
FROM ({having})
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
    having = _having(attribute, parameter)
    if having is None:
        return []
    # Places are looked for by the names that people read, which the warehouse does not know.
    is_place = attribute in _PLACES
    found = _offered(runtime.warehouse(shop), having, "" if is_place else words, all_=is_place)
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
    return attribute in {"segment", "csv_list"} or _having(attribute, parameter) is not None


def _having(attribute: str, parameter: str | None) -> str | None:
    if parameter is None:
        return _OF_CUSTOMERS.get(attribute)
    if attribute == "orders_placed":
        return _OF_ORDERS.get(parameter)
    if attribute.startswith("products_purchased"):
        return _OF_LINES.get(parameter.removeprefix("first_").removeprefix("then_"))
    return None


def _offered(warehouse: Warehouse, having: str, words: str, *, all_: bool) -> list[Offer]:
    asked = {"words": words.casefold(), "most": 10_000 if all_ else MOST}
    with warehouse.reader() as cursor:
        rows = cursor.execute(_OFFERED.format(having=having), asked).fetchall()
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
