"""Our documents are valid GraphQL of Shopify's Admin API, in each version that we speak."""

from __future__ import annotations

from pathlib import Path

import pytest
from graphql import parse, validate

import regulars
from regulars.shopify.documents import API_VERSION, API_VERSION_OLDEST, document, names
from regulars.simulator.versions import VERSIONS, schema_of


@pytest.mark.parametrize("version", [API_VERSION_OLDEST, API_VERSION])
@pytest.mark.parametrize("name", names())
def test_a_document_is_valid_in_the_trimmed_schema(name: str, version: str):
    assert validate(schema_of(version), parse(document(name, version))) == []


def test_both_versions_are_checked():
    assert set(VERSIONS) == {API_VERSION_OLDEST, API_VERSION}


def test_text_message_consent_is_asked_in_the_words_of_the_version():
    assert "smsMarketingConsent" in document("bulk_customers", "2026-10")
    assert "smsMarketingConsent" not in document("bulk_customers", "2026-07")
    assert "marketingState" in document("bulk_customers", "2026-07").partition("PhoneNumber")[2]
    assert document("bulk_customers", "2027-01") == document("bulk_customers", "2026-10")


def test_no_fragment_or_comment_is_left_in_what_is_sent():
    texts = [document(name) for name in names()]

    assert not any("#" in text or "fragment " in text for text in texts)


def test_every_document_is_sent_by_somebody():
    sources = "".join(
        path.read_text("utf-8") for path in Path(regulars.__file__).parent.rglob("*.py")
    )
    # Built from the kind, as in f"bulk_{kind}" and f"{root}_since".
    built = {"bulk_customers", "bulk_orders", "bulk_products", "products_since", "orders_since"}

    assert {name for name in names() if f'"{name}"' not in sources} <= built


@pytest.mark.parametrize("name", [name for name in names() if name.startswith("bulk_customers")])
def test_bulk_documents_select_edges_and_name_each_parents_id(name: str):
    text = document(name)

    assert "nodes" not in text
    assert text.count("edges") == text.count("{ node") + text.count("edges {\n      node")
