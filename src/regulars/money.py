"""Money as whole minor units: text to units and back, by the number of decimals of ISO 4217.

Currencies only say how many decimals they have; formatting for people is Babel's work in the web.
"""

from __future__ import annotations

import re
from decimal import ROUND_HALF_UP, Decimal

from regulars.errors import InputError, problem

# ISO 4217 (2026) by number of decimals. CLDR's numbers are not used: they say how prices are
# written today (ALL, RSD, IQD without decimals), not in which units they are counted.
_WITHOUT_DECIMALS = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"
_WITH_THREE = "BHD IQD JOD KWD LYD OMR TND"
_WITH_FOUR = "CLF UYW"
_WITH_TWO = """
AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD
CDF CHE CHF CHW CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD
GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA
MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR
RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD
TZS UAH USD USN UYU UZS VED VES WST XAD XCD XCG YER ZAR ZMW ZWG
"""
# Withdrawn codes and near-currencies that old orders and Shopify's own list still name.
_OLD_WITH_TWO = "CUC HRK JEP KID LTL LVL SLL STD USDC VEF ZWL"
_OLD_WITHOUT_DECIMALS = "BYR"

_DIGITS = {
    code: count
    for codes, count in (
        (_WITHOUT_DECIMALS, 0),
        (_OLD_WITHOUT_DECIMALS, 0),
        (_WITH_TWO, 2),
        (_OLD_WITH_TWO, 2),
        (_WITH_THREE, 3),
        (_WITH_FOUR, 4),
    )
    for code in codes.split()
}

_AMOUNT = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)", re.ASCII)

# Amounts are BIGINT in the warehouse, and sums of amounts must fit as well: 10^15 units is far
# above any order in any currency and leaves room for nine thousand of them.
UNITS_MAX = 10**15


def digits(currency: str) -> int:
    """Return how many decimals the currency has: JPY 0, USD 2, KWD 3.

    >>> digits("KWD")
    3
    """
    known = _DIGITS.get(currency)
    if known is None:
        raise InputError(
            problem(
                "unknown_currency",
                'There is no currency "{currency}". Use a code of ISO 4217, such as JPY or USD.',
                currency=currency,
            )
        )
    return known


def minor_units(amount_text: str, currency: str, *, exact: bool = False) -> int:
    """Return the amount as whole minor units; raise InputError for what is not a plain decimal.

    Decimals beyond the currency's are rounded half up, away from zero, or refused when `exact`:
    Shopify may tell "0.335" USD for a share of a discount, a file may not.

    >>> minor_units("16.48", "USD"), minor_units("1000.0", "JPY")
    (1648, 1000)
    """
    text = amount_text.strip()
    if _AMOUNT.fullmatch(text) is None:
        raise _unreadable(amount_text)
    amount = Decimal(text)
    units = amount.scaleb(digits(currency))
    if abs(units) > UNITS_MAX:
        raise _unreadable(amount_text)
    whole = units.quantize(Decimal(1), rounding=ROUND_HALF_UP)
    if exact and whole != units:
        raise InputError(
            problem(
                "too_many_decimals",
                '"{amount}" has more decimals than {currency} ({digits}).',
                amount=amount_text,
                currency=currency,
                digits=digits(currency),
            )
        )
    return int(whole)


def decimal_of(minor: int, currency: str) -> Decimal:
    """Return minor units as a decimal with the currency's number of decimals.

    >>> decimal_of(1648, "USD"), decimal_of(1000, "JPY")
    (Decimal('16.48'), Decimal('1000'))
    """
    return Decimal(minor).scaleb(-digits(currency))


def _unreadable(amount_text: str) -> InputError:
    return InputError(
        problem(
            "unreadable_amount",
            '"{amount}" is not an amount. Write it with digits and a point, such as 1280 or 16.48.',
            amount=amount_text[:60],
        )
    )
