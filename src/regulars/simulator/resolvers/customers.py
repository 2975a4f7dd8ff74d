"""Fields of customers and of what hangs on them."""

from __future__ import annotations

from typing import Any

from regulars.simulator.models import Address, Customer, Order
from regulars.simulator.money import api_instant
from regulars.simulator.resolvers.base import Args, Source, World, at, fields, gid, moment, money

DAY = 86_400


def rfm_group(customer: Customer, now: int) -> str:
    """Return Shopify's kind of customer by recency and number of orders (a model of it)."""
    orders = customer.counted_orders()
    if not orders:
        return "PROSPECTS"
    days = (now - max(order.processed for order in orders)) // DAY
    by_count = {
        1: ("NEW", "PROMISING", "ALMOST_LOST", "DORMANT"),
        2: ("ACTIVE", "ACTIVE", "NEEDS_ATTENTION", "DORMANT"),
        3: ("CHAMPIONS", "LOYAL", "AT_RISK", "PREVIOUSLY_LOYAL"),
    }[1 if len(orders) == 1 else 2 if len(orders) < 5 else 3]
    return by_count[sum(days >= bound for bound in (30, 90, 270))]


def spend_tier(customer: Customer, scale: int) -> str | None:
    """Return the predicted spend: none before the first order."""
    if not customer.counted_orders():
        return None
    spent = customer.spent / scale
    return "HIGH" if spent >= 500 else "MEDIUM" if spent >= 150 else "LOW"


def email_address(customer: Customer, _args: Args, _world: World) -> Customer | None:
    """Return the e-mail part of a customer, when there is an address."""
    return customer if customer.email else None


def phone_number(customer: Customer, _args: Args, _world: World) -> Customer | None:
    """Return the phone part of a customer, when there is a number."""
    return customer if customer.phone else None


def statistics(customer: Customer, _args: Args, _world: World) -> Customer:
    """Return the predictions about a customer."""
    return customer


def visible(orders: list[Order], world: World) -> list[Order]:
    """Return the orders that the token may see: of the last 60 days unless it has the scope."""
    if "read_all_orders" in world.scopes:
        return orders
    since = world.shop.now() - 60 * DAY
    return [order for order in orders if order.created >= since]


def last_order(customer: Customer, _args: Args, world: World) -> Order | None:
    """Return the newest order that the token may see."""
    order = customer.last_order
    return order if order is not None and visible([order], world) else None


def address_id(address: Address, _args: Args, _world: World) -> str:
    """Return the id with its query part, which belongs to it."""
    return gid("MailingAddress", address.id) + "?model_name=CustomerAddress"


def metafields(customer: Customer, args: Args, _world: World) -> Source:
    """Return the metafields, of one namespace or named keys when asked for."""
    chosen = [
        m
        for m in customer.metafields
        if args.get("namespace") in {None, m.namespace}
        and (args.get("keys") is None or {m.key, f"{m.namespace}.{m.key}"} & set(args["keys"]))
    ]
    return Source(chosen, reverse=bool(args.get("reverse")))


def metafield(customer: Customer, args: Args, _world: World) -> Any:
    """Return one metafield by name, or nothing."""
    namespace, key = args.get("namespace"), args["key"]
    if namespace is None and "." in key:
        namespace, key = key.split(".", 1)
    wanted = (namespace, key)
    return next((m for m in customer.metafields if (m.namespace, m.key) == wanted), None)


def credit_time(account: Any, args: Args, _world: World) -> Source:
    """Return the credits of an account, oldest first."""
    return Source(
        account.credits, key=lambda credit: credit.created, reverse=bool(args.get("reverse"))
    )


def sms_state(customer: Customer, _args: Args, _world: World) -> str:
    """Return the consent's state in the words of the newer field."""
    state = customer.sms_consent.state
    return "NEVER_SUBSCRIBED" if state == "NOT_SUBSCRIBED" else state


def consent(name: str, part: str) -> Any:
    """Read one part of one channel's consent."""

    def resolver(customer: Customer, _args: Args, _world: World) -> Any:
        value = getattr(getattr(customer, name), part)
        return api_instant(value) if part == "updated" and value is not None else value

    return resolver


fields(
    "Customer",
    id=lambda c, _a, _w: gid("Customer", c.id),
    legacyResourceId=lambda c, _a, _w: str(c.id),
    createdAt=moment("created"),
    updatedAt=moment("updated"),
    firstName=at("first_name"),
    lastName=at("last_name"),
    displayName=at("display_name"),
    locale=at("locale"),
    note=at("note"),
    state=at("state"),
    tags=lambda c, _a, _w: list(c.tags),
    taxExempt=at("tax_exempt"),
    verifiedEmail=at("verified_email"),
    dataSaleOptOut=lambda _c, _a, _w: False,
    canDelete=lambda c, _a, _w: not c.orders,
    multipassIdentifier=lambda _c, _a, _w: None,
    productSubscriberStatus=at("subscriber_status"),
    numberOfOrders=lambda c, _a, _w: str(len(c.counted_orders())),
    amountSpent=money(lambda c: c.spent),
    lastOrder=last_order,
    statistics=statistics,
    companyContactProfiles=lambda c, _a, _w: [c] if c.company else [],
    defaultEmailAddress=email_address,
    defaultPhoneNumber=phone_number,
    defaultAddress=lambda c, _a, _w: c.addresses[0] if c.addresses else None,
    addressesV2=lambda c, a, _w: Source(c.addresses, reverse=bool(a.get("reverse"))),
    metafields=metafields,
    metafield=metafield,
    storeCreditAccounts=lambda c, _a, _w: Source(c.credit_accounts),
    orders=lambda c, a, w: Source(
        sorted(visible(c.orders, w), key=lambda order: order.id), reverse=bool(a.get("reverse"))
    ),
)
fields(
    "CustomerStatistics",
    rfmGroup=lambda c, _a, w: rfm_group(c, w.simulator.second()),
    # About what one dollar is in the shop's smallest unit.
    predictedSpendTier=lambda c, _a, w: spend_tier(c, 150 if w.shop.currency == "JPY" else 100),
)
fields("CompanyContact", id=lambda c, _a, _w: gid("CompanyContact", c.id), company=at("company"))
fields("Company", id=lambda c, _a, _w: gid("Company", c.id))
fields(
    "CustomerEmailAddress",
    emailAddress=at("email"),
    marketingState=consent("email_consent", "state"),
    marketingOptInLevel=consent("email_consent", "level"),
    marketingUpdatedAt=consent("email_consent", "updated"),
    openTrackingLevel=lambda _c, _a, _w: "UNKNOWN",
)
fields(
    "CustomerPhoneNumber",
    phoneNumber=at("phone"),
    marketingState=consent("sms_consent", "state"),
    marketingOptInLevel=consent("sms_consent", "level"),
    marketingUpdatedAt=consent("sms_consent", "updated"),
    marketingCollectedFrom=lambda c, _a, _w: "SHOPIFY" if c.sms_consent.updated else None,
    smsMarketingConsent=lambda c, _a, _w: c,
    whatsAppMarketingConsent=lambda c, _a, _w: c,
)
fields(
    "CustomerSmsMarketingConsent",
    state=sms_state,
    optInLevel=consent("sms_consent", "level"),
    updatedAt=consent("sms_consent", "updated"),
    collectedFrom=lambda c, _a, _w: "SHOPIFY" if c.sms_consent.updated else None,
)
fields("CustomerWhatsAppMarketingConsent", state=lambda _c, _a, _w: "NEVER_SUBSCRIBED")
fields(
    "MailingAddress",
    id=address_id,
    address1=at("address1"),
    address2=at("address2"),
    city=at("city"),
    company=at("company"),
    country=at("country"),
    countryCodeV2=at("country_code"),
    firstName=at("first_name"),
    lastName=at("last_name"),
    name=lambda a, _a, _w: " ".join(p for p in (a.first_name, a.last_name) if p) or None,
    phone=at("phone"),
    latitude=at("latitude"),
    longitude=at("longitude"),
    province=at("province"),
    provinceCode=at("province_code"),
    zip=at("zip"),
)
fields(
    "Metafield",
    id=lambda m, _a, _w: gid("Metafield", m.id),
    namespace=at("namespace"),
    key=at("key"),
    type=at("type"),
    value=at("value"),
    createdAt=moment("created"),
    updatedAt=moment("updated"),
)
fields(
    "StoreCreditAccount",
    id=lambda account, _a, _w: gid("StoreCreditAccount", account.id),
    balance=money(lambda account: account.balance),
    transactions=credit_time,
)
fields(
    "StoreCreditAccountCreditTransaction",
    id=lambda credit, _a, _w: gid("StoreCreditAccountCreditTransaction", credit.id),
    amount=money(lambda credit: credit.amount),
    remainingAmount=money(lambda credit: credit.amount),
    createdAt=moment("created"),
    expiresAt=moment("expires"),
)
