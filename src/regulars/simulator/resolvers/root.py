"""Fields of QueryRoot, and what they need beyond customers, orders and products."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any

from regulars.simulator import fields as searchable
from regulars.simulator.bulk_operation import BulkOperation
from regulars.simulator.models import (
    AbandonedCheckout,
    Collection,
    Credit,
    Customer,
    Location,
    Order,
    Product,
    Segment,
)
from regulars.simulator.resolvers.base import (
    Args,
    Resolver,
    Source,
    World,
    any_number,
    at,
    counted,
    fields,
    found,
    gid,
    moment,
    number_of,
    refuse,
)
from regulars.simulator.resolvers.customers import visible
from regulars.simulator.versions import VERSIONS, display_name
from regulars.simulator.webhooks import Subscription

#: Which type of the schema each class of ours is, where the schema leaves it open.
TYPE_NAMES: dict[type, str] = {
    Customer: "Customer",
    Order: "Order",
    Product: "Product",
    Collection: "Collection",
    Location: "Location",
    Segment: "Segment",
    AbandonedCheckout: "AbandonedCheckout",
    BulkOperation: "BulkOperation",
    Subscription: "WebhookSubscription",
    Credit: "StoreCreditAccountCreditTransaction",
}
SEGMENTS_NOT_MODELLED = (
    "The simulator does not evaluate segment queries: count and list members in the app instead."
)
ById = Callable[[World], dict[int, Any]]
#: Where things are found by kind of global id.
PLACES: dict[str, ById] = {
    "Customer": lambda world: world.shop.customers,
    "Product": lambda world: world.shop.products,
    "Collection": lambda world: world.shop.collections,
    "Location": lambda world: world.shop.locations,
    "Segment": lambda world: world.shop.segments,
    "AbandonedCheckout": lambda world: world.shop.abandoned_checkouts,
    "BulkOperation": lambda world: world.simulator.bulk.operations,
    "WebhookSubscription": lambda world: world.simulator.webhooks.subscriptions,
}

CUSTOMER_ORDER: dict[str, Callable[[Customer], Any]] = {
    "ID": lambda c: c.id,
    "CREATED_AT": lambda c: c.created,
    "UPDATED_AT": lambda c: c.updated,
    "NAME": lambda c: f"{c.last_name or ''}, {c.first_name or ''}",
    "LOCATION": lambda c: c.addresses[0].country_code if c.addresses else "",
    "RELEVANCE": lambda c: c.id,
}
ORDER_ORDER: dict[str, Callable[[Order], Any]] = {
    "ID": lambda o: o.id,
    "CREATED_AT": lambda o: o.created,
    "UPDATED_AT": lambda o: o.updated,
    "PROCESSED_AT": lambda o: o.processed,
    "ORDER_NUMBER": lambda o: o.number,
    "TOTAL_PRICE": lambda o: o.total,
    "CURRENT_TOTAL_PRICE": lambda o: o.total - o.refunded,
    "RELEVANCE": lambda o: o.id,
}
PRODUCT_ORDER: dict[str, Callable[[Product], Any]] = {
    "ID": lambda p: p.id,
    "CREATED_AT": lambda p: p.created,
    "UPDATED_AT": lambda p: p.updated,
    "TITLE": lambda p: p.title,
    "VENDOR": lambda p: p.vendor,
    "PRODUCT_TYPE": lambda p: p.product_type,
    "RELEVANCE": lambda p: p.id,
}
SEGMENT_ORDER: dict[str, Callable[[Segment], Any]] = {
    "ID": lambda s: s.id,
    "CREATION_DATE": lambda s: s.created,
    "LAST_EDIT_DATE": lambda s: s.edited,
    "RELEVANCE": lambda s: s.id,
}
OTHER_ORDER: dict[str, Callable[[Any], Any]] = {
    "ID": lambda x: x.id,
    "CREATED_AT": lambda x: x.created,
    "COMPLETED_AT": lambda x: x.completed or 0,
}


def ordered(
    items: Iterable[Any], args: Args, orders: dict[str, Callable[[Any], Any]], default: str
) -> Source:
    """Return items in the order that was asked for."""
    name = args.get("sortKey") or default
    if name not in orders:
        raise refuse(f"The simulator does not sort by {name}.", "NOT_MODELLED")
    key = orders[name]
    source = Source([], key=key, reverse=bool(args.get("reverse")))
    source.items = sorted(items, key=source.place)
    return source


def customers(_root: object, args: Args, world: World) -> Source:
    """Return all customers that a search matches."""
    known = searchable.customer_fields(world.shop)
    rows = found("customers", [*world.shop.customers.values()], args.get("query"), known, world)
    return ordered(rows, args, CUSTOMER_ORDER, "ID")


def seen_orders(world: World) -> list[Order]:
    """Return the orders that the token may read."""
    return visible(list(world.shop.orders.values()), world)


def orders(_root: object, args: Args, world: World) -> Source:
    """Return all orders that a search matches and the token may see."""
    known = searchable.order_fields(world.shop)
    rows = found("orders", seen_orders(world), args.get("query"), known, world)
    return ordered(rows, args, ORDER_ORDER, "PROCESSED_AT")


def products(_root: object, args: Args, world: World) -> Source:
    """Return all products that a search matches."""
    known = searchable.product_fields(world.shop)
    rows = found("products", [*world.shop.products.values()], args.get("query"), known, world)
    return ordered(rows, args, PRODUCT_ORDER, "ID")


def others(
    path: str,
    items: Callable[[World], Iterable[Any]],
    orders: dict[str, Callable[[Any], Any]],
    default: str,
) -> Resolver:
    """Resolve a connection of things that are searched alike."""

    def resolver(_root: object, args: Args, world: World) -> Source:
        known = searchable.OTHER_FIELDS[path]
        rows = found(path, list(items(world)), args.get("query"), known, world)
        return ordered(rows, args, orders, default)

    return resolver


def subscriptions(_root: object, args: Args, world: World) -> Source:
    """Return the subscriptions made through the API, of some topics or one address."""
    topics, uri = args.get("topics"), args.get("uri") or args.get("callbackUrl")
    rows = [
        subscription
        for subscription in world.simulator.webhooks.subscriptions.values()
        if (topics is None or subscription.topic_enum in topics)
        and (uri is None or subscription.uri == uri)
    ]
    return ordered(rows, args, OTHER_ORDER, "CREATED_AT")


def customers_count(_root: object, args: Args, world: World) -> tuple[int, str]:
    """Count customers; the search honours three fields and ignores the others silently."""
    known = searchable.customer_fields(world.shop)
    known = {name: known[name] for name in (*searchable.COUNTED_FIELDS, "default")}
    noted = len(world.searches)
    rows = found(
        "customersCount", [*world.shop.customers.values()], args.get("query"), known, world
    )
    del world.searches[noted:]
    return counted(len(rows), args.get("limit"))


def orders_count(_root: object, args: Args, world: World) -> tuple[int, str]:
    """Count the orders that a search matches."""
    known = searchable.order_fields(world.shop)
    rows = found("ordersCount", seen_orders(world), args.get("query"), known, world)
    return counted(len(rows), args.get("limit"))


def products_count(_root: object, args: Args, world: World) -> tuple[int, str]:
    """Count the products that a search matches."""
    known = searchable.product_fields(world.shop)
    rows = found("productsCount", [*world.shop.products.values()], args.get("query"), known, world)
    return counted(len(rows), args.get("limit"))


def by_id(kind: str) -> Resolver:
    """Resolve one thing of a kind by its global id; unknown is null."""
    return lambda _root, args, world: lookup(kind, number_of(args["id"], kind), world)


def lookup(kind: str, number: int, world: World) -> Any:
    """Return the thing under a number, or None."""
    if kind == "Order":
        order = world.shop.orders.get(number)
        return order if order is not None and visible([order], world) else None
    if kind not in PLACES:
        return None
    if kind == "BulkOperation":
        world.simulator.bulk.advance()
    return PLACES[kind](world).get(number)


def node(_root: object, args: Args, world: World) -> Any:
    """Return anything by its global id."""
    return lookup(*any_number(args["id"]), world)


def nodes(_root: object, args: Args, world: World) -> list[Any]:
    """Return many things by their global ids, null where there is none."""
    limit_inputs(args["ids"])
    return [lookup(*any_number(text), world) for text in args["ids"]]


def limit_inputs(values: Sequence[object]) -> None:
    """Refuse more inputs than Shopify takes in one array."""
    if len(values) > 250:
        raise refuse(
            f"The input array size of {len(values)} is greater than the maximum allowed of 250.",
            "MAX_INPUT_SIZE_EXCEEDED",
        )


def customer_by_identifier(_root: object, args: Args, world: World) -> Customer | None:
    """Return a customer by id, e-mail or phone; null where there is none."""
    wanted = args["identifier"]
    if wanted.get("id"):
        return world.shop.customers.get(number_of(wanted["id"], "Customer"))
    email, phone = wanted.get("emailAddress"), wanted.get("phoneNumber")
    for customer in world.shop.customers.values():
        if email and (customer.email or "").lower() == email.lower():
            return customer
        if phone and customer.phone == phone:
            return customer
    return None


def segment(_root: object, args: Args, world: World) -> Segment:
    """Return a segment by id; unknown is an error besides being null."""
    found_segment = world.shop.segments.get(number_of(args["id"], "Segment"))
    if found_segment is None:
        raise refuse("Segment does not exist", "NOT_FOUND")
    return found_segment


def not_modelled(_root: object, _args: Args, _world: World) -> Any:
    """Refuse what would need the product's own engine."""
    raise refuse(SEGMENTS_NOT_MODELLED, "NOT_MODELLED")


def metafield_definitions(_root: object, args: Args, world: World) -> Source:
    """Return the metafields that the shop declares for customers."""
    rows = world.shop.metafield_definitions.values() if args["ownerType"] == "CUSTOMER" else ()
    return Source(list(rows), reverse=bool(args.get("reverse")))


def customer_tags(_shop: object, _args: Args, world: World) -> Source:
    """Return the customer tags of the shop."""
    names = sorted(set(world.shop.tag_casing().values()), key=str.lower)
    return Source(names, key=str.lower, id=lambda tag: tag)


def value_suggestions(_root: object, args: Args, world: World) -> Source:
    """Return values that a segment filter may be compared with; tags are the ones modelled."""
    if args.get("filterQueryName") != "customer_tags":
        return Source([])
    search = args["search"].lower()
    names = sorted(set(world.shop.tag_casing().values()))
    rows = [{"queryName": n, "localizedValue": n} for n in names if search in n.lower()]
    return Source(rows, key=lambda row: row["queryName"], id=lambda row: row["queryName"])


def segment_filters(_root: object, _args: Args, _world: World) -> Source:
    """Return a few of the filters that a real shop reports."""
    rows = [
        {"__typename": "SegmentIntegerFilter", "queryName": "number_of_orders", "minRange": 0.0},
        {"__typename": "SegmentFloatFilter", "queryName": "amount_spent", "minRange": 0.0},
    ]
    for row in rows:
        row |= {"localizedName": row["queryName"], "multiValue": False, "maxRange": None}
    return Source(rows, key=lambda row: row["queryName"], id=lambda row: row["queryName"])


def bulk_operations(world: World) -> Iterable[BulkOperation]:
    """Return the bulk operations as they stand now."""
    world.simulator.bulk.advance()
    return world.simulator.bulk.operations.values()


def current_bulk_operation(_root: object, args: Args, world: World) -> BulkOperation | None:
    """Return the newest operation of a type."""
    kind = args["type"]
    rows = [operation for operation in bulk_operations(world) if operation.type == kind]
    return rows[-1] if rows else None


def bulk_operation(_root: object, args: Args, world: World) -> Any:
    """Return one operation; an unknown id is null without an error."""
    return lookup("BulkOperation", number_of(args["id"], "BulkOperation"), world)


fields(
    "QueryRoot",
    shop=lambda _r, _a, w: w.shop,
    customers=customers,
    orders=orders,
    products=products,
    customer=by_id("Customer"),
    order=by_id("Order"),
    product=by_id("Product"),
    node=node,
    nodes=nodes,
    customerByIdentifier=customer_by_identifier,
    customersCount=customers_count,
    ordersCount=orders_count,
    productsCount=products_count,
    abandonedCheckouts=others(
        "abandonedCheckouts",
        lambda w: w.shop.abandoned_checkouts.values(),
        OTHER_ORDER,
        "ID",
    ),
    segments=others("segments", lambda w: w.shop.segments.values(), SEGMENT_ORDER, "CREATION_DATE"),
    segment=segment,
    segmentsCount=lambda _r, a, w: counted(len(w.shop.segments), a.get("limit")),
    segmentFilters=segment_filters,
    segmentValueSuggestions=value_suggestions,
    customerSegmentMembers=not_modelled,
    customerSegmentMembersQuery=not_modelled,
    customerSegmentMembership=not_modelled,
    metafieldDefinitions=metafield_definitions,
    bulkOperation=bulk_operation,
    bulkOperations=others("bulkOperations", bulk_operations, OTHER_ORDER, "CREATED_AT"),
    currentBulkOperation=current_bulk_operation,
    webhookSubscriptions=subscriptions,
    webhookSubscription=by_id("WebhookSubscription"),
    webhookSubscriptionsCount=lambda _r, a, w: counted(
        len(w.simulator.webhooks.subscriptions), a.get("limit")
    ),
    currentAppInstallation=lambda _r, _a, w: w,
    app=lambda _r, _a, w: w,
    publicApiVersions=lambda _r, _a, _w: VERSIONS,
)
fields(
    "Shop",
    id=lambda s, _a, _w: gid("Shop", s.id),
    name=at("name"),
    email=at("email"),
    contactEmail=at("email"),
    myshopifyDomain=at("domain"),
    primaryDomain=lambda s, _a, _w: s,
    ianaTimezone=at("time_zone"),
    timezoneOffsetMinutes=lambda s, _a, _w: offset_minutes(s.clock().astimezone(s.zone)),
    currencyCode=at("currency"),
    enabledPresentmentCurrencies=lambda s, _a, _w: [s.currency],
    unitSystem=lambda _s, _a, _w: "METRIC_SYSTEM",
    plan=lambda s, _a, _w: s,
    createdAt=moment("created"),
    customerTags=customer_tags,
)


def offset_minutes(local: datetime) -> int:
    """Return how far the shop's time is ahead of UTC."""
    offset = local.utcoffset()
    return int(offset.total_seconds() // 60) if offset is not None else 0


fields(
    "ShopPlan",
    publicDisplayName=at("plan"),
    partnerDevelopment=lambda _s, _a, _w: False,
    shopifyPlus=lambda s, _a, _w: s.plan == "Plus",
)
fields(
    "Domain",
    id=lambda s, _a, _w: gid("Domain", s.id),
    host=at("domain"),
    url=lambda s, _a, _w: f"https://{s.domain}",
)
fields(
    "AppInstallation",
    id=lambda _w, _a, w: gid("AppInstallation", w.simulator.app_id),
    accessScopes=lambda world, _a, _w: sorted(world.scopes),
)
fields("AccessScope", handle=lambda scope, _a, _w: scope)
fields(
    "App",
    id=lambda _w, _a, w: gid("App", w.simulator.app_id),
    title=lambda _w, _a, _world: "Regulars",
    apiKey=lambda _w, _a, w: w.simulator.tokens.client_id,
    handle=lambda _w, _a, _world: "regulars",
)
fields(
    "ApiVersion",
    handle=lambda v, _a, _w: v,
    displayName=lambda v, _a, _w: display_name(v),
    supported=lambda _v, _a, _w: True,
)
fields(
    "Segment",
    id=lambda s, _a, _w: gid("Segment", s.id),
    name=at("name"),
    query=at("query"),
    creationDate=moment("created"),
    lastEditDate=moment("edited"),
)
# Nothing of these is ever made: their roots refuse.
fields("CustomerSegmentMemberConnection", totalCount=not_modelled, statistics=not_modelled)
fields(
    "MetafieldDefinition",
    id=lambda d, _a, _w: gid("MetafieldDefinition", d.id),
    name=at("name"),
    namespace=at("namespace"),
    key=at("key"),
    type=lambda d, _a, _w: {"name": d.type, "category": d.category},
)
fields(
    "BulkOperation",
    id=lambda o, _a, _w: gid("BulkOperation", o.id),
    status=at("status"),
    type=at("type"),
    query=at("query"),
    errorCode=at("error_code"),
    createdAt=moment("created"),
    completedAt=moment("completed"),
    objectCount=lambda o, _a, _w: str(o.object_count),
    rootObjectCount=lambda o, _a, _w: str(o.root_count),
    fileSize=lambda o, _a, _w: None if o.file_size is None else str(o.file_size),
    url=lambda o, _a, w: w.simulator.bulk.url(o, w.origin, partial=False),
    partialDataUrl=lambda o, _a, w: w.simulator.bulk.url(o, w.origin, partial=True),
)
fields(
    "WebhookSubscription",
    id=lambda s, _a, _w: gid("WebhookSubscription", s.id),
    topic=at("topic_enum"),
    format=lambda _s, _a, _w: "JSON",
    uri=at("uri"),
    name=at("name"),
    filter=at("filter"),
    includeFields=lambda s, _a, _w: list(s.include_fields),
    metafieldNamespaces=lambda s, _a, _w: list(s.metafield_namespaces),
    apiVersion=at("version"),
    createdAt=moment("created"),
    updatedAt=moment("updated"),
)
