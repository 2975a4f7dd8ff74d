"""Webhooks: signatures, and what each topic's real sample payload tells."""

from __future__ import annotations

import base64
import contextlib
import doctest
import hashlib
import hmac
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regulars.errors import InputError
from regulars.shopify import reading, webhooks
from regulars.shopify.webhooks import (
    SUBSCRIBED,
    WITHOUT_FACTS,
    facts_from_webhook,
    is_known_topic,
    to_read_again,
    topic_enum,
    verify,
)
from regulars.warehouse.facts import (
    UNSET,
    CustomerDeleted,
    CustomerFact,
    CustomerRedacted,
    CustomersMerged,
    OrderDeleted,
    OrderFact,
    ProductDeleted,
    ProductFact,
    RefundChange,
    RefundFact,
)
from tests.exploring import looking

PAYLOADS = Path(__file__).parent / "payloads"
AT = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)
SECRET = "shpss_0123456789abcdef0123456789abcdef"


def sample(topic: str) -> dict[str, Any]:
    return json.loads((PAYLOADS / f"{topic.replace('/', '__')}.json").read_text("utf-8"))


def facts(topic: str, **changes: Any) -> list[Any]:
    return facts_from_webhook(topic, {**sample(topic), **changes}, AT, "USD")


def one(topic: str, **changes: Any) -> Any:
    (fact,) = facts(topic, **changes)
    return fact


def signature(body: bytes, secret: str = SECRET) -> str:
    return base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest()).decode()


def test_a_signature_over_the_raw_bytes_is_accepted():
    body = b'{"id": 1,  "note": "\xe3\x81\x82"}'

    assert verify(body, signature(body), [SECRET])


def test_the_previous_secret_is_accepted_while_it_is_given():
    body = b"{}"
    header = signature(body, "the-previous-secret")

    assert verify(body, header, [SECRET, "the-previous-secret"])
    assert not verify(body, header, [SECRET])


@pytest.mark.parametrize("header", [None, "", "x", "ü", "AAAA", "=", signature(b"{}")[:-2]])
def test_a_broken_signature_is_refused(header: str | None):
    assert not verify(b"{}", header, [SECRET])


def test_one_changed_byte_is_refused():
    body = b'{"id": 1}'

    assert not verify(b'{"id": 2}', signature(body), [SECRET])


def test_no_secret_accepts_nothing():
    body = b"{}"

    assert not verify(body, signature(body, ""), [""])
    assert not verify(body, signature(body), [])


def test_a_customer_tells_profile_and_nothing_of_tags_spend_or_consent():
    fact = one("customers/update")

    assert fact == CustomerFact(
        customer_id="706405506930370084",
        updated_at=datetime(2022, 1, 1, tzinfo=UTC),
        display_name="Bob Biller",
        email="bob@biller.com",
        phone=None,
        note="This customer loves ice cream",
        account_status="DISABLED",
        added_at=datetime(2022, 1, 1, tzinfo=UTC),
    )
    untold = (fact.tags, fact.shopify_order_count, fact.email_subscription_status, fact.addresses)
    assert untold == (UNSET,) * 4


def test_a_customer_without_update_time_is_dated_by_the_delivery():
    assert one("customers/update", updated_at=None).updated_at == AT


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"first_name": None}, "Biller"),
        ({"first_name": None, "last_name": None}, "bob@biller.com"),
        ({"first_name": "", "last_name": "", "email": None, "phone": "+81901"}, "+81901"),
        ({"first_name": None, "last_name": None, "email": None}, None),
    ],
)
def test_a_name_falls_back_as_shopify_shows_it(changes: dict[str, Any], name: str | None):
    assert name == one("customers/update", **changes).display_name


def test_fields_that_a_payload_lacks_stay_untold():
    fact = facts_from_webhook("customers/update", {"id": 7}, AT, "USD")

    assert fact == [CustomerFact(customer_id="7", updated_at=AT)]


def test_tags_are_told_as_changes():
    occurred_at = datetime(2005, 5, 5, 5, tzinfo=UTC)

    assert one("customer.tags_added") == CustomerFact(
        customer_id="1", tags_added=("tag1", "tag2"), tags_at=occurred_at
    )
    assert one("customer.tags_removed").tags_removed == ("tag1", "tag2")


def test_lifetime_figures_come_with_their_own_instant():
    assert one("customers/purchasing_summary") == CustomerFact(
        customer_id="1",
        shopify_order_count=1,
        shopify_spent_amount=10_000,
        figures_at=datetime(2005, 5, 5, 5, tzinfo=UTC),
    )


def test_consent_is_told_in_the_words_of_the_language():
    assert one("customers_email_marketing_consent/update") == CustomerFact(
        customer_id="706405506930370000",
        email_subscription_status="NOT_SUBSCRIBED",
        consent_at=AT,
    )
    assert one("customers_marketing_consent/update").sms_subscription_status is None


def test_customers_leave_by_deletion_redaction_and_merging():
    merged = sample("customers/merge") | {"status": "completed"}

    assert one("customers/delete") == CustomerDeleted("706405506930370084", AT)
    assert one("customers/redact") == CustomerRedacted("191167", AT)
    assert facts_from_webhook("customers/merge", merged, AT, "USD") == [
        CustomersMerged(kept_id="1", removed_id="2", at=AT)
    ]


def test_a_failed_merge_changes_nothing():
    assert facts("customers/merge") == []


def test_an_order_is_read_whole():
    fact = one("orders/updated", refunds=[sample("refunds/create")])

    assert (fact.order_id, fact.customer_id) == ("820982911946154508", "115310627314723954")
    assert (fact.total_amount, fact.is_test, fact.name) == (40_495, True, "#9999")
    assert (
        fact.processed_at
        == fact.updated_at
        == fact.cancelled_at
        == datetime(2022, 1, 1, tzinfo=UTC)
    )
    assert fact.tags == ("tag1", "tag2")
    assert [line.amount for line in fact.lines] == [8_999, 1_999, 2_499, 15_999, 11_999]
    assert [refund.amount for refund in fact.refunds] == [8_500]


def test_an_order_without_a_customer_is_a_guests():
    assert one("orders/updated", customer=None).customer_id is None


def test_an_order_tells_where_its_buyer_came_from():
    fact = one(
        "orders/updated",
        landing_site="/products/tea?utm_source=mail&utm_medium=email&utm_campaign=New%20Year",
        referring_site="https://example.com/",
        discount_codes=[{"code": "TEA10", "amount": "1.00", "type": "percentage"}],
    )

    assert (fact.utm_source, fact.utm_medium, fact.utm_campaign) == ("mail", "email", "New Year")
    assert (fact.referrer, fact.discount_codes) == ("https://example.com/", ("TEA10",))


def test_amounts_are_of_the_shops_currency_not_of_the_buyers():
    bag = {
        "shop_money": {"amount": "1500", "currency_code": "JPY"},
        "presentment_money": {"amount": "10.00", "currency_code": "USD"},
    }
    payload = sample("orders/updated") | {"total_price_set": bag, "total_price": "1500"}

    (fact,) = facts_from_webhook("orders/updated", payload | {"line_items": []}, AT, "JPY")

    assert isinstance(fact, OrderFact)
    assert fact.total_amount == 1500


def test_an_order_without_its_total_is_not_taken_for_a_free_one():
    payload = sample("orders/updated")
    del payload["total_price"], payload["total_price_set"]

    with pytest.raises(InputError, match="orders/updated cannot be read") as raised:
        facts_from_webhook("orders/updated", payload, AT, "USD")
    assert raised.value.code == "unreadable_webhook"


def line(**values: Any) -> dict[str, Any]:
    return {"id": 1, "quantity": 2, "price": "10.00", "product_id": 5, **values}


def allocation(amount: str, index: int) -> dict[str, Any]:
    return {"amount": amount, "discount_application_index": index}


def test_a_line_loses_its_own_discounts_but_not_codes_nor_the_orders_share():
    applications = [
        {"type": "automatic", "target_selection": "entitled", "allocation_method": "each"},
        {"type": "discount_code", "target_selection": "entitled", "allocation_method": "each"},
        {"type": "automatic", "target_selection": "all", "allocation_method": "across"},
    ]
    allocations = [allocation("1.00", 0), allocation("2.00", 1), allocation("4.00", 2)]

    fact = one(
        "orders/updated",
        discount_applications=applications,
        line_items=[line(discount_allocations=allocations, total_discount="7.00")],
    )

    assert fact.lines[0].amount == 1_900


def test_a_line_whose_discounts_are_not_explained_loses_the_told_sum():
    fact = one(
        "orders/updated",
        discount_applications=[],
        line_items=[line(discount_allocations=[allocation("5.00", 0)], total_discount="5.00")],
    )

    assert fact.lines[0].amount == 1_500


def test_a_refund_is_the_money_that_went_back():
    assert one("refunds/create") == RefundChange(
        order_id="820982911946154500",
        refund=RefundFact(
            refund_id="890088186047892319",
            refunded_at=datetime(2022, 1, 1, tzinfo=UTC),
            amount=8_500,
        ),
    )


def test_failed_and_other_transactions_give_no_money_back():
    rows = [
        {"kind": "refund", "status": "failure", "amount": "5.00"},
        {"kind": "void", "status": "success", "amount": "6.00"},
        {"kind": "refund", "status": "success", "amount": "7.00"},
    ]

    assert one("refunds/create", transactions=rows).refund.amount == 700


def test_a_refund_paid_in_another_currency_is_summed_in_the_shops():
    def bag(amount: str) -> dict[str, Any]:
        return {"shop_money": {"amount": amount, "currency_code": "USD"}}

    fact = one(
        "refunds/create",
        transactions=[{"kind": "refund", "status": "success", "amount": "999", "currency": "JPY"}],
        refund_line_items=[{"subtotal_set": bag("5.00"), "total_tax_set": bag("0.50")}],
        refund_shipping_lines=[{"subtotal_amount_set": bag("1.00")}],
        order_adjustments=[{"amount_set": bag("-0.25"), "tax_amount_set": bag("-0.05")}],
    )

    assert fact.refund.amount == 680


def test_products_come_change_and_go():
    assert one("products/update") == ProductFact(
        product_id="788032119674292922",
        updated_at=datetime(2022, 1, 1, tzinfo=UTC),
        title="Example T-Shirt",
        vendor="Acme",
        product_type="Shirts",
        tags=("example", "mens", "t-shirt"),
    )
    assert one("products/delete") == ProductDeleted("788032119674292900", AT)
    assert one("orders/delete") == OrderDeleted("820982911946154500", AT)


def test_a_products_category_keeps_its_taxonomy_id():
    category = {"admin_graphql_api_id": "gid://shopify/TaxonomyCategory/aa-1-13", "full_name": "T"}
    fact = one("products/update", category=category)

    assert (fact.category_id, fact.category) == ("aa-1-13", "T")


@pytest.mark.parametrize("topic", sorted(WITHOUT_FACTS))
def test_topics_without_facts_are_known_and_tell_none(topic: str):
    assert is_known_topic(topic)
    assert facts_from_webhook(topic, {}, AT, "USD") == []


def test_an_unknown_topic_says_so(caplog: pytest.LogCaptureFixture):
    assert not is_known_topic("themes/publish")
    assert facts_from_webhook("themes/publish", {}, AT, "USD") == []
    assert "unknown webhook topic themes/publish" in caplog.text


def test_every_topic_we_subscribe_to_is_known():
    assert [topic for topic in SUBSCRIBED if not is_known_topic(topic)] == []


def test_what_a_webhook_tells_too_little_of_is_read_again():
    customer = ("Customer", "gid://shopify/Customer/706405506930370084")
    merged = sample("customers/merge") | {"status": "completed"}

    assert to_read_again("customers/update", sample("customers/update")) == customer
    assert to_read_again("customers/merge", merged) == ("Customer", "gid://shopify/Customer/1")
    assert to_read_again("orders/edited", sample("orders/edited")) == (
        "Order",
        "gid://shopify/Order/820982911946154500",
    )
    assert to_read_again("orders/updated", sample("orders/updated")) is None


READ = sorted(path.stem.replace("__", "/") for path in PAYLOADS.glob("*.json"))
NASTY = [
    None, True, 0, -1, 2**63, 10**30, 1.5, float("inf"), "", "x", "gid://shopify/Order/x", "１",
    "NaN", "2026-13-01", "2026-01-01", "\ud800", [], [None], [{}], ["a"], {}, {"id": {}},
    {"shop_money": None}, {"shop_money": {"amount": "1e9"}}, "9" * 5000,
]  # fmt: skip


@pytest.mark.parametrize("topic", READ)
@looking(10)
@given(data=st.data())
def test_a_mangled_payload_is_read_or_refused_never_a_crash(topic: str, data: st.DataObject):
    payload = sample(topic)
    for key in data.draw(st.lists(st.sampled_from(sorted(payload)), min_size=1, max_size=2)):
        payload[key] = data.draw(st.sampled_from(NASTY))

    # Anything but facts or an InputError would end this test.
    with contextlib.suppress(InputError):
        assert isinstance(facts_from_webhook(topic, payload, AT, "USD"), list)


def test_topics_have_shopifys_names_in_graphql():
    assert topic_enum("customers_email_marketing_consent/update") == (
        "CUSTOMERS_EMAIL_MARKETING_CONSENT_UPDATE"
    )
    assert doctest.testmod(webhooks).failed == doctest.testmod(reading).failed == 0
