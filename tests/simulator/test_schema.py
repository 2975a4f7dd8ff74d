"""The schema is a true part of Shopify's, and the simulator answers all of it."""

from __future__ import annotations

from pathlib import Path

import pytest
from graphql import (
    GraphQLInterfaceType,
    GraphQLObjectType,
    parse,
    validate,
    validate_schema,
)

from regulars.shopify import documents
from regulars.simulator.graphql_api import RESOLVER_MODULES
from regulars.simulator.resolvers.base import FIELDS, resolver_of
from regulars.simulator.versions import VERSIONS, absent_in, answering, schema_of

ROOT = Path(__file__).parents[2]
COLLECTED = ROOT.parent / "shared/shopify/operations"
#: The only document that the older version cannot read, by its notes.
NEWEST_ONLY = {"customer_phone_2026_10.graphql"}


def texts(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text("utf-8") for path in sorted(folder.rglob("*.graphql"))}


@pytest.mark.parametrize("version", VERSIONS)
def test_the_schema_is_sound(version: str):
    assert validate_schema(schema_of(version)) == []


def test_what_an_older_version_lacks_is_gone_from_its_schema():
    lacking = absent_in("2026-07")

    assert "CustomerPhoneNumber.smsMarketingConsent" in lacking
    assert "smsMarketingConsent" not in schema_of("2026-07").type_map["CustomerPhoneNumber"].fields
    assert "smsMarketingConsent" in schema_of("2026-10").type_map["CustomerPhoneNumber"].fields


def test_every_field_has_a_resolver():
    """Types without any resolver are payloads, which are dictionaries under the schema's names."""
    assert RESOLVER_MODULES
    schema = schema_of(VERSIONS[-1])
    for kind in schema.type_map.values():
        if isinstance(kind, GraphQLObjectType) and not kind.name.startswith("__"):
            for name in kind.fields:
                assert callable(resolver_of(kind.name, name)), f"{kind.name}.{name}"


def test_no_resolver_is_for_a_field_that_does_not_exist():
    types = schema_of(VERSIONS[-1]).type_map
    for owner, resolvers in FIELDS.items():
        kind = types[owner]
        assert isinstance(kind, GraphQLObjectType | GraphQLInterfaceType)
        assert set(resolvers) <= set(kind.fields), owner


@pytest.mark.parametrize("version", VERSIONS)
def test_every_document_of_the_product_validates(version: str):
    schema = schema_of(version)
    told = {name: parse(documents.document(name, version)) for name in documents.names()}

    assert len(told) > 20
    assert {name: problems for name in told if (problems := validate(schema, told[name]))} == {}


@pytest.mark.skipif(
    not COLLECTED.is_dir(), reason="the collected documents are not beside this tree"
)
@pytest.mark.parametrize("version", VERSIONS)
def test_every_collected_document_validates(version: str):
    schema, documents = schema_of(version), texts(COLLECTED)

    wrong = {name for name, text in documents.items() if validate(schema, parse(text))}

    assert len(documents) == 45
    assert wrong == (NEWEST_ONLY if version == "2026-07" else set())


@pytest.mark.parametrize(
    ("asked", "answers"),
    [
        ("2026-10", "2026-10"),
        ("2026-07", "2026-07"),
        ("2025-04", "2026-07"),
        ("2027-01", None),
        ("x", None),
    ],
)
def test_an_old_version_falls_forward_and_a_future_one_is_not_there(
    asked: str, answers: str | None
):
    assert answers == answering(asked)
