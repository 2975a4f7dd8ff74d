"""What all resolvers share: the table they stand in, global ids, pages and cursors.

One resolver serves a field both in a GraphQL request and in a bulk query, so it returns what goes
into JSON (texts for ids, instants and amounts) or the object to read further from.
"""

from __future__ import annotations

import base64
import bisect
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from graphql import GraphQLError

from regulars.simulator.money import api_amount, api_instant
from regulars.simulator.search import NotModelledError, Search, Searchable, read
from regulars.simulator.shop import Shop

if TYPE_CHECKING:
    from regulars.simulator.simulator import Simulator

Args = dict[str, Any]
Resolver = Callable[[Any, Args, "World"], Any]

#: Resolvers by type and field.
FIELDS: dict[str, dict[str, Resolver]] = {}
PAGE_MAX = 250
#: Pagination reaches no further than this many objects.
REACH_MAX = 25_000


@dataclass(slots=True)
class World:
    """What one request can see: the shop, the simulator's services, and the token's scopes."""

    shop: Shop
    simulator: Simulator
    scopes: frozenset[str]
    version: str
    #: Where files of bulk results and uploads are served from.
    origin: str
    #: What the searches of this request did not understand, for `extensions.search`.
    searches: list[dict[str, Any]] = field(default_factory=list)


def fields(type_name: str, **resolvers: Resolver) -> None:
    """Register resolvers of one type."""
    FIELDS.setdefault(type_name, {}).update(resolvers)


def refuse(message: str, code: str, **more: object) -> GraphQLError:
    """Make a top-level error as Shopify writes it."""
    return GraphQLError(message, extensions={"code": code, **more})


def gid(kind: str, number: int) -> str:
    """Return the global id of a thing."""
    return f"gid://shopify/{kind}/{number}"


GID = re.compile(r"gid://shopify/(\w+)/(\d+)(?:\?.*)?")


def any_number(text: str) -> tuple[str, int]:
    """Return the kind and number in a global id; a malformed one is a top-level error."""
    match = GID.fullmatch(text)
    if match is None:
        message = f"Variable $id of type ID! was provided invalid value: Invalid global id '{text}'"
        raise refuse(message, "INVALID_VARIABLE")
    return match[1], int(match[2])


def number_of(text: str, kind: str) -> int:
    """Return the number in a global id of this kind; another kind is a top-level error."""
    found, number = any_number(text)
    if found != kind:
        raise refuse("invalid id", "RESOURCE_NOT_FOUND")
    return number


def at(name: str) -> Resolver:
    """Resolve an attribute as it is."""
    return lambda obj, _args, _world: getattr(obj, name)


def moment(name: str) -> Resolver:
    """Resolve an attribute that is an instant, or missing."""

    def resolver(obj: Any, _args: Args, _world: World) -> str | None:
        seconds = getattr(obj, name)
        return None if seconds is None else api_instant(seconds)

    return resolver


def money(get: Callable[[Any], int]) -> Resolver:
    """Resolve an amount; MoneyBag and MoneyV2 both read from the same number."""
    return lambda obj, _args, _world: get(obj)


fields(
    "MoneyV2",
    amount=lambda minor, _args, world: api_amount(minor, world.shop.currency),
    currencyCode=lambda _minor, _args, world: world.shop.currency,
)
fields(
    "MoneyBag",
    shopMoney=lambda minor, _args, _world: minor,
    presentmentMoney=lambda minor, _args, _world: minor,
)
fields(
    "Count",
    count=lambda count, _args, _world: count[0],
    precision=lambda count, _args, _world: count[1],
)


def counted(number: int, limit: int | None) -> tuple[int, str]:
    """Return a count, capped at the limit when there is one."""
    if limit is not None and number > limit:
        return limit, "AT_LEAST"
    return number, "EXACT"


@dataclass(slots=True)
class Source:
    """The whole of a connection, in order; `key` gives what it is ordered by."""

    items: Sequence[Any]
    key: Callable[[Any], Any] = lambda item: item.id
    id: Callable[[Any], Any] = lambda item: item.id
    reverse: bool = False
    #: Sums told beside the page, for connections that have them.
    more: dict[str, Any] = field(default_factory=dict)

    def place(self, item: Any) -> tuple[Any, Any]:
        """Return what orders the items, without ties."""
        return self.key(item), self.id(item)


@dataclass(slots=True)
class Page:
    """A part of a connection."""

    source: Source
    nodes: Sequence[Any]
    has_next: bool
    has_previous: bool

    def cursor(self, item: Any) -> str:
        """Return the place of an item, to go on from."""
        value, last = self.source.place(item)
        text = json.dumps({"last_id": last, "last_value": value}, separators=(",", ":"))
        return base64.b64encode(text.encode()).decode()


def cursor_place(cursor: str) -> tuple[Any, Any]:
    """Read a cursor; one that was not made here is a top-level error."""
    try:
        read_back = json.loads(base64.b64decode(cursor, validate=True))
        return read_back["last_value"], read_back["last_id"]
    except (ValueError, KeyError, TypeError):
        raise refuse("Invalid cursor for current pagination sort.", "BAD_REQUEST") from None


def page(source: Source, args: Args, most: int = PAGE_MAX) -> Page:
    """Cut the page that `first`/`after` or `last`/`before` ask for."""
    first, last = args.get("first"), args.get("last")
    size = page_size(first, last, most)
    items = list(source.items)
    places = [source.place(item) for item in items]
    if source.reverse:
        items.reverse()
    after, before = args.get("after"), args.get("before")
    start = _after(places, after, source.reverse) if after else 0
    end = _before(places, before, source.reverse) if before else len(items)
    if first is not None:
        stop = min(start + size, end)
        reach = stop <= REACH_MAX or most > PAGE_MAX
        return Page(source, items[start:stop], stop < end and reach, start > 0)
    begin = max(end - size, start)
    return Page(source, items[begin:end], end < len(items), begin > start)


def _after(places: list[tuple[Any, Any]], cursor: str, reverse: bool) -> int:
    """Return the index of the first item after a cursor."""
    try:
        if reverse:
            return len(places) - bisect.bisect_left(places, cursor_place(cursor))
        return bisect.bisect_right(places, cursor_place(cursor))
    except TypeError:
        raise refuse("Invalid cursor for current pagination sort.", "BAD_REQUEST") from None


def _before(places: list[tuple[Any, Any]], cursor: str, reverse: bool) -> int:
    """Return the index behind the last item before a cursor."""
    if reverse:
        return len(places) - bisect.bisect_right(places, cursor_place(cursor))
    return bisect.bisect_left(places, cursor_place(cursor))


def page_size(first: int | None, last: int | None, most: int) -> int:
    """Return how many items are asked for, by Shopify's rules."""
    size = first if first is not None else last
    if size is None:
        raise refuse("you must provide one of first or last", "BAD_REQUEST")
    name = "first" if first is not None else "last"
    if size < 0:
        raise refuse(f"{name} cannot be negative", "BAD_REQUEST")
    if size > most:
        raise refuse(
            f"{name} cannot exceed {most}. To query larger amounts of data with fewer limits, "
            "bulk operations should be used instead.",
            "BAD_REQUEST",
        )
    return size


def found(
    path: str, items: Sequence[Any], query: str | None, known: dict[str, Searchable], world: World
) -> list[Any]:
    """Return the items that a search matches, noting what it did not understand."""
    search: Search
    try:
        search = read(query, known, world.shop.clock())
    except NotModelledError as problem:
        raise refuse(str(problem), "NOT_MODELLED") from None
    if query and search.warnings:
        world.searches.append({"path": [path], "query": query, "warnings": search.warnings})
    return [item for item in items if search.test(item)]


fields(
    "PageInfo",
    hasNextPage=lambda page, _args, _world: page.has_next,
    hasPreviousPage=lambda page, _args, _world: page.has_previous,
    startCursor=lambda page, _args, _world: page.cursor(page.nodes[0]) if page.nodes else None,
    endCursor=lambda page, _args, _world: page.cursor(page.nodes[-1]) if page.nodes else None,
)
#: All connections and edges read alike.
CONNECTION: dict[str, Resolver] = {
    "nodes": lambda page, _args, _world: page.nodes,
    "edges": lambda page, _args, _world: [(page, node) for node in page.nodes],
    "pageInfo": lambda page, _args, _world: page,
    "totalCount": lambda page, _args, _world: len(page.source.items),
}
EDGE: dict[str, Resolver] = {
    "node": lambda edge, _args, _world: edge[1],
    "cursor": lambda edge, _args, _world: edge[0].cursor(edge[1]),
}


def resolver_of(type_name: str, field_name: str) -> Resolver:
    """Return the resolver of a field; a missing one is a fault of the simulator."""
    found = FIELDS.get(type_name, {}).get(field_name)
    if found is not None:
        return found
    if type_name.endswith("Connection"):
        return CONNECTION[field_name]
    if type_name.endswith("Edge"):
        return EDGE[field_name]
    if type_name not in FIELDS:
        # Payloads and user errors are plain dictionaries under the schema's own names.
        return lambda told, _args, _world: told.get(field_name)
    raise KeyError(f"{type_name}.{field_name}")
