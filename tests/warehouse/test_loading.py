"""Loading files as Shopify's bulk operations write them."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest

from regulars.errors import UploadError
from regulars.shopify.reading import customer_fact, order_fact, product_fact
from regulars.warehouse import Warehouse, Warehouses
from regulars.warehouse.facts import CustomerFact, Fact, OrderDeleted, RefundChange, RefundFact
from regulars.warehouse.loading import Loaded

AT = datetime(2024, 6, 1, tzinfo=UTC)
Json = dict[str, Any]


def gid(kind: str, number: object) -> str:
    return f"gid://shopify/{kind}/{number}"


def money(amount: str) -> Json:
    return {"shopMoney": {"amount": amount, "currencyCode": "USD"}}


def customer(number: int, **told: object) -> Json:
    """Return a customer as told to an app that may read no personal data."""
    return {
        "id": gid("Customer", number),
        "createdAt": "2023-01-01T00:00:00Z",
        "updatedAt": "2024-01-02T00:00:00Z",
        "displayName": None,
        "locale": "ja",
        "note": None,
        "state": "ENABLED",
        "tags": [],
        "numberOfOrders": "0",
        "amountSpent": {"amount": "0.0", "currencyCode": "USD"},
        "productSubscriberStatus": "NEVER_SUBSCRIBED",
        "statistics": {"predictedSpendTier": None, "rfmGroup": None},
        "defaultEmailAddress": None,
        "defaultPhoneNumber": None,
        "companyContactProfiles": [],
        **told,
    }


ANA = customer(
    1,
    displayName="Ana",
    tags=["VIP", "vip", "東京", "Straße"],
    numberOfOrders="5",
    amountSpent={"amount": "100.555", "currencyCode": "USD"},
    productSubscriberStatus="ACTIVE",
    statistics={"predictedSpendTier": "HIGH", "rfmGroup": "LOYAL"},
    defaultEmailAddress={"emailAddress": "Ana@Example.COM", "marketingState": "SUBSCRIBED"},
    defaultPhoneNumber={
        "phoneNumber": "+81901",
        "smsMarketingConsent": {"state": "PENDING", "updatedAt": None},
    },
    companyContactProfiles=[{"company": {"id": gid("Company", 7)}}],
)
BO = customer(2)
ADDRESSES = [
    {
        "id": gid("MailingAddress", 9) + "?model_name=CustomerAddress",
        "city": "New  York\u3000City",
        "provinceCode": "NY",
        "countryCodeV2": "US",
        "zip": "10001",
        "latitude": 40.7,
        "longitude": -74.0,
    },
    {
        "id": gid("MailingAddress", 10),
        "city": None,
        "provinceCode": None,
        "countryCodeV2": None,
        "zip": None,
        "latitude": None,
        "longitude": None,
    },
]
METAFIELD = {"id": gid("Metafield", 1), "namespace": "facts", "key": "a", "type": "t", "value": "é"}
CREDIT = {"id": gid("StoreCreditAccount", 1), "balance": {"amount": "12.5", "currencyCode": "USD"}}


def order(number: int, **told: object) -> Json:
    return {
        "id": gid("Order", number),
        "name": f"#{number}",
        "test": False,
        "createdAt": "2024-01-01T00:00:00Z",
        "processedAt": "2024-01-01T10:00:00Z",
        "updatedAt": "2024-01-02T00:00:00Z",
        "cancelledAt": None,
        "currencyCode": "USD",
        "sourceName": "web",
        "tags": [],
        "discountCodes": [],
        "app": {"id": gid("App", 5)},
        "retailLocation": None,
        "customer": {"id": gid("Customer", 1)},
        "customerJourneySummary": None,
        "totalPriceSet": money("10.01"),
        "refunds": [],
        **told,
    }


FIRST = order(
    11,
    tags=["Gift", "gift"],
    discountCodes=["SALE"],
    customerJourneySummary={
        "lastVisit": {
            "referrerUrl": "https://example.com",
            "utmParameters": {"source": "mail", "medium": "m", "campaign": "c"},
        }
    },
    refunds=[
        {
            "id": gid("Refund", 5),
            "createdAt": "2024-01-03T00:00:00Z",
            "processedAt": None,
            "totalRefundedSet": money("1.0"),
        }
    ],
)
GUEST = order(12, customer=None, totalPriceSet=money("0.335"))
LINE = {
    "id": gid("LineItem", 1),
    "title": "Tea",
    "sku": None,
    "vendor": "Kyoto",
    "quantity": 2,
    "product": {"id": gid("Product", 1)},
    "variant": None,
    "discountedTotalSet": money("9.99"),
}
PRODUCT = {
    "id": gid("Product", 1),
    "title": "Tea",
    "vendor": "Kyoto",
    "productType": "Drink",
    "tags": ["Green", "緑茶"],
    "updatedAt": "2024-01-02T00:00:00Z",
    "category": {"id": "gid://shopify/TaxonomyCategory/fb-1-2", "fullName": "Food > Tea"},
}
COLLECTION = {"id": gid("Collection", 4), "title": "New"}


def child(node: Json, parent: Json) -> Json:
    return {**node, "__parentId": parent["id"]}


def write(folder: Path, lines: Sequence[Json]) -> Path:
    path = folder / "bulk.jsonl"
    path.write_bytes(b"".join(orjson.dumps(line) + b"\n" for line in lines))
    return path


def customer_lines() -> list[Json]:
    """Return children after their parents, not always directly after."""
    children = [child(node, ANA) for node in (*ADDRESSES, METAFIELD, CREDIT)]
    return [ANA, BO, *children]


def everything() -> list[Fact]:
    """Return the same as facts, read by the other path."""
    ana = {
        **ANA,
        "addressesV2": {"nodes": ADDRESSES},
        "metafields": {"nodes": [METAFIELD]},
        "storeCreditAccounts": {"nodes": [CREDIT]},
    }
    bo = {**BO, "addressesV2": {"nodes": []}, "metafields": {"nodes": []}}
    return [
        customer_fact(ana, "USD"),
        customer_fact(bo, "USD"),
        order_fact(FIRST, "USD", lines=[LINE]),
        order_fact(GUEST, "USD"),
        product_fact({**PRODUCT, "collections": {"nodes": [COLLECTION]}}),
    ]


def load_everything(warehouse: Warehouse, folder: Path) -> None:
    warehouse.load_jsonl("customers", write(folder, customer_lines()), "USD")
    warehouse.load_jsonl("orders", write(folder, [FIRST, GUEST, child(LINE, FIRST)]), "USD")
    product_lines = [PRODUCT, child(COLLECTION, PRODUCT)]
    warehouse.load_jsonl("products", write(folder, product_lines), "USD")


def test_a_load_and_the_same_nodes_as_facts_end_in_the_same_records(
    warehouses: Warehouses, tmp_path: Path
) -> None:
    load_everything(warehouses.of(1), tmp_path)
    warehouses.of(2).apply(everything(), at=AT)

    loaded, applied = (
        sorted(warehouses.of(shop).records([0, 1]), key=lambda record: record.customer_id)
        for shop in (1, 2)
    )
    instants = {"profile_updated_at", "tags_updated_at", "consent_updated_at"}
    for one, other in zip(loaded, applied, strict=True):
        assert {k: v for k, v in one.values.items() if k not in instants} == {
            k: v for k, v in other.values.items() if k not in instants
        }
        assert (one.tags, one.places, one.company_ids) == (
            other.tags,
            other.places,
            other.company_ids,
        )
        assert (one.metafields, one.store_credit) == (other.metafields, other.store_credit)
        assert one.orders == other.orders


def test_amounts_are_exact_minor_units(warehouse: Warehouse, tmp_path: Path) -> None:
    load_everything(warehouse, tmp_path)
    with warehouse.reader() as cursor:
        totals = cursor.execute("SELECT total_amount FROM orders ORDER BY order_id").fetchall()

    assert totals == [(1001,), (34,)]


def test_loading_twice_changes_nothing(warehouse: Warehouse, tmp_path: Path) -> None:
    load_everything(warehouse, tmp_path)
    first = warehouse.records([0, 1])
    load_everything(warehouse, tmp_path)

    assert warehouse.records([0, 1]) == first


def test_what_was_told_newer_than_the_file_stays(warehouse: Warehouse, tmp_path: Path) -> None:
    newer = datetime(2024, 3, 1, tzinfo=UTC)
    warehouse.apply(
        [CustomerFact(customer_id="1", updated_at=newer, email="new@example.com")], at=AT
    )
    loaded = warehouse.load_jsonl("customers", write(tmp_path, customer_lines()), "USD")

    (ana,) = warehouse.records(warehouse.customer_nos(["1"]).values())

    assert (loaded.rows, loaded.written, loaded.merged, loaded.kept) == (2, 1, 1, 0)
    assert (ana.values["email"], ana.values["display_name"]) == ("new@example.com", "Ana")
    assert ana.tags == ("Straße", "VIP", "東京")
    assert [place.city_key for place in ana.places if place.city_key] == ["US-NY-NewYorkCity"]


def test_orders_deleted_after_the_file_was_made_stay_deleted(
    warehouse: Warehouse, tmp_path: Path
) -> None:
    made = datetime(2024, 2, 1, tzinfo=UTC)
    warehouse.apply([OrderDeleted("11", datetime(2024, 2, 2, tzinfo=UTC))], at=AT)
    loaded = warehouse.load_jsonl("orders", write(tmp_path, [FIRST, GUEST]), "USD", as_of=made)

    assert (loaded.rows, loaded.written) == (1, 1)


def test_a_refund_told_before_the_load_is_kept(warehouse: Warehouse, tmp_path: Path) -> None:
    refund = RefundFact(refund_id="6", refunded_at=datetime(2024, 3, 1, tzinfo=UTC), amount=200)
    warehouse.apply([RefundChange(order_id="11", refund=refund)], at=AT)
    load_everything(warehouse, tmp_path)

    (ana,) = warehouse.records(warehouse.customer_nos(["1"]).values())

    assert ana.values["spent_amount"] == 1001 - 100 - 200


def test_customers_missing_from_a_full_file_are_deleted_only_when_asked(
    warehouse: Warehouse, tmp_path: Path
) -> None:
    made = datetime(2024, 2, 1, tzinfo=UTC)
    warehouse.load_jsonl("customers", write(tmp_path, [ANA, BO]), "USD", as_of=made)
    path = write(tmp_path, [ANA])
    later = datetime(2024, 2, 2, tzinfo=UTC)
    warehouse.load_jsonl("customers", path, "USD", as_of=later)
    kept = len(warehouse.universe("all"))
    loaded = warehouse.load_jsonl("customers", path, "USD", as_of=later, delete_missing=True)

    assert (kept, loaded.missing, len(warehouse.universe("all"))) == (2, 1, 1)


@pytest.mark.parametrize(
    "content",
    [b'{"id": "gid://shop', b"<html>not found</html>", b'{"id": 3, "totalPriceSet": [1]}\n'],
)
def test_a_broken_file_changes_nothing(
    warehouse: Warehouse, tmp_path: Path, content: bytes
) -> None:
    load_everything(warehouse, tmp_path)
    before = (warehouse.records([0, 1]), warehouse.data_version)
    path = tmp_path / "broken.jsonl"
    path.write_bytes(orjson.dumps(order(99)) + b"\n" + content)
    with pytest.raises(UploadError) as refused:
        warehouse.load_jsonl("orders", path, "USD")

    assert refused.value.code == "bulk_file_unreadable"
    assert (warehouse.records([0, 1]), warehouse.data_version) == before
    assert list((tmp_path / "shops" / "incoming").iterdir()) == []


def test_amounts_in_another_currency_are_refused(warehouse: Warehouse, tmp_path: Path) -> None:
    with pytest.raises(UploadError) as refused:
        warehouse.load_jsonl("orders", write(tmp_path, [FIRST]), "JPY")

    assert refused.value.code == "other_currency"


def test_an_empty_result_is_a_load_of_nothing(warehouse: Warehouse, tmp_path: Path) -> None:
    path = tmp_path / "empty.jsonl"
    path.write_bytes(b"")
    told: list[float] = []
    loaded = warehouse.load_jsonl("customers", path, "USD", progress=told.append)

    assert (loaded.rows, loaded.children) == (0, 0)
    assert told == sorted(told)
    assert told[-1] == 1.0


INDEXED = [
    "addresses_by_customer",
    "customers_by_id",
    "customers_by_no",
    "lines_by_customer",
    "orders_by_customer",
    "tags_by_customer",
]


def indexes(warehouse: Warehouse) -> list[str]:
    with warehouse.reader() as cursor:
        rows = cursor.execute("SELECT index_name FROM duckdb_indexes() ORDER BY 1").fetchall()
    return [name for (name,) in rows]


def test_a_load_makes_its_indexes_anew(warehouse: Warehouse, tmp_path: Path) -> None:
    assert indexes(warehouse) == INDEXED

    load_everything(warehouse, tmp_path)

    assert indexes(warehouse) == INDEXED


def test_a_load_beside_a_reader_makes_its_indexes_as_soon_as_it_can(
    warehouse: Warehouse, tmp_path: Path
) -> None:
    load_everything(warehouse, tmp_path)
    with warehouse.reader() as cursor:
        cursor.execute("SELECT count(*) FROM orders").fetchall()
        load_everything(warehouse, tmp_path)
    warehouse.checkpoint()

    assert indexes(warehouse) == INDEXED


def test_what_a_complete_file_tells_otherwise_is_named_and_repaired(
    warehouse: Warehouse, tmp_path: Path
) -> None:
    load_everything(warehouse, tmp_path)
    with warehouse.transaction() as cursor:
        cursor.execute("UPDATE customers SET language = 'xx', email = 'old@example.com'")
        cursor.execute("UPDATE orders SET total_amount = total_amount + 1")

    loads = compare_again(warehouse, tmp_path)
    named = [one for loaded in loads for one in loaded.differences]

    assert {one.attribute for one in named} == {"customer_language", "email", "total_amount"}
    assert {one.ours for one in named if one.attribute == "customer_language"} == {"xx"}
    # What tells of a person is named without its values.
    assert all(one.ours is one.theirs is None for one in named if one.attribute == "email")
    assert [loaded.differing for loaded in loads] == [4, 2]
    assert [loaded.differing for loaded in compare_again(warehouse, tmp_path)] == [0, 0]


SETS = {
    "customer_tags": ("STRAẞE!, VIP!, 東京!", "Straße, VIP, 東京"),
    "discount_codes": (None, "SALE"),
    "order_tags": ("a, Gift", "Gift"),
}


def test_sets_of_texts_are_compared_whole_and_in_order(
    warehouse: Warehouse, tmp_path: Path
) -> None:
    load_everything(warehouse, tmp_path)
    with warehouse.transaction() as cursor:
        cursor.execute("INSERT INTO order_tags SELECT order_id, 'a', 'a' FROM orders LIMIT 1")
        cursor.execute("DELETE FROM order_discount_codes")
        cursor.execute("UPDATE customer_tags SET tag = upper(tag) || '!'")

    loads = compare_again(warehouse, tmp_path)

    found = {one.attribute: (one.ours, one.theirs) for each in loads for one in each.differences}
    assert found == SETS
    assert [loaded.differing for loaded in compare_again(warehouse, tmp_path)] == [0, 0]


def compare_again(warehouse: Warehouse, folder: Path) -> list[Loaded]:
    return [
        warehouse.load_jsonl(kind, write(folder, lines), "USD", as_of=AT, compares=True)
        for kind, lines in (
            ("customers", customer_lines()),
            ("orders", [FIRST, GUEST, child(LINE, FIRST)]),
        )
    ]
