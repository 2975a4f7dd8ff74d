"""Money: text to minor units and back, by the currency's own number of decimals."""

from __future__ import annotations

import doctest
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regulars import money
from regulars.errors import InputError
from regulars.money import UNITS_MAX, decimal_of, digits, minor_units


@pytest.mark.parametrize(
    ("text", "currency", "units"),
    [
        ("1000.0", "JPY", 1000),
        ("16.48", "USD", 1648),
        ("0.0", "USD", 0),
        ("1.234", "KWD", 1234),
        ("1", "KWD", 1000),
        ("-5.5", "EUR", -550),
        (".5", "EUR", 50),
        ("7.", "EUR", 700),
        (" 12.30 ", "USD", 1230),
        ("+3", "ISK", 3),
        ("1.2345", "CLF", 12345),
    ],
)
def test_amounts_become_whole_units_of_their_currency(text: str, currency: str, units: int) -> None:
    assert units == minor_units(text, currency)


@pytest.mark.parametrize(
    ("text", "units"),
    [("0.335", 34), ("0.334", 33), ("-0.335", -34), ("0.005", 1)],
)
def test_extra_decimals_are_rounded_half_up_away_from_zero(text: str, units: int) -> None:
    assert units == minor_units(text, "USD")


def test_exact_refuses_decimals_that_the_currency_does_not_have() -> None:
    with pytest.raises(InputError) as raised:
        minor_units("100.5", "JPY", exact=True)

    assert raised.value.code == "too_many_decimals"
    assert minor_units("100.0", "JPY", exact=True) == 100


@pytest.mark.parametrize(
    "text",
    [
        "",
        "NaN",
        "Infinity",
        "1e5",
        "1,000",
        "0x10",
        "1.2.3",
        ".",
        "¥5",
        "１２",
        "--1",
        "9" * 40,
        "1 2",
    ],
)
def test_what_is_not_a_plain_decimal_is_refused(text: str) -> None:
    with pytest.raises(InputError) as raised:
        minor_units(text, "USD")

    assert raised.value.code == "unreadable_amount"


def test_an_unknown_currency_is_refused_by_name() -> None:
    with pytest.raises(InputError, match='no currency "YEN"'):
        digits("YEN")


@given(
    st.integers(-UNITS_MAX, UNITS_MAX),
    st.sampled_from(["JPY", "USD", "KWD", "CLF"]),
)
def test_units_survive_the_way_through_text(units: int, currency: str) -> None:
    told = decimal_of(units, currency)

    assert units == minor_units(f"{told:f}", currency, exact=True)
    assert digits(currency) == -int(told.as_tuple().exponent)


def test_decimals_keep_their_trailing_zeros() -> None:
    assert str(decimal_of(1650, "USD")) == str(Decimal("16.50"))


def test_the_examples_in_the_docstrings_are_true() -> None:
    assert doctest.testmod(money).failed == 0
