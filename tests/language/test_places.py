"""Names of places: complete tables, and names read back to their codes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regulars.errors import QueryError
from regulars.language import parse
from regulars.language.places import COUNTRIES, country_meant, place_name, place_rows, region_meant
from tests.exploring import looking

_PLACES = st.sampled_from(["customer_countries", "customer_regions", "customer_cities"])


def test_the_tables_hold_every_country_prefecture_state_and_province():
    countries = [code for code, _, _ in place_rows("customer_countries")]
    regions = [code for code, _, _ in place_rows("customer_regions")]

    assert len(countries) == len(set(countries)) == 249
    assert set(countries) <= COUNTRIES
    assert len(regions) == len(set(regions))
    assert [code for code in regions if code[:2] == "JP"] == [f"JP-{n:02}" for n in range(1, 48)]
    # 50 states, the district, five territories and three codes of the armed forces.
    assert len([code for code in regions if code[:2] == "US"]) == 59
    assert len([code for code in regions if code[:2] == "CA"]) == 13


@pytest.mark.parametrize(
    ("attribute", "meant"),
    [("customer_countries", country_meant), ("customer_regions", region_meant)],
)
def test_each_name_is_understood_where_a_code_belongs(attribute, meant):
    for code, english, japanese in place_rows(attribute):
        assert (meant(english), meant(japanese)) == (code, code)


def test_no_two_places_have_one_name():
    for language in ("en", "ja"):
        names = [
            place_name(attribute, code, language)
            for attribute in ("customer_countries", "customer_regions")
            for code, _, _ in place_rows(attribute)
        ]
        assert len(set(names)) == len(names)


@pytest.mark.parametrize(
    ("text", "suggestion"),
    [
        ("customer_countries CONTAINS 'Japan'", "'JP'"),
        ("customer_countries CONTAINS '米国'", "'US'"),
        ("customer_regions CONTAINS 'New York'", "'US-NY'"),
        ("customer_regions CONTAINS '大阪'", "'JP-27'"),
    ],
)
def test_a_name_in_place_of_a_code_is_refused_with_the_code(text: str, suggestion: str):
    with pytest.raises(QueryError) as refusal:
        parse(text)

    assert refusal.value.problems[0].suggestion == suggestion


@looking(15)
@given(_PLACES, st.text(max_size=12), st.sampled_from(["en", "ja"]))
def test_a_place_that_has_no_name_is_not_given_one(attribute: str, text: str, language: str):
    named = place_name(attribute, text, language)

    assert named is None or text[:2].upper() in COUNTRIES
