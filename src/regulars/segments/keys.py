"""What a row of an upload recognizes a customer by: Shopify id, e-mail, phone, in one form each.

Letter case and outer spaces do not matter in an e-mail. A phone is brought to E.164; a number that
begins with 0 is one of the shop's country. Knows nothing about files or tables.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Mapping
from typing import Final

from regulars.spreadsheet import unguarded
from regulars.warehouse.lists import Keys

#: The kinds of keys, in the order in which they decide.
KINDS: Final = ("id", "email", "phone")

#: Country codes by the shop's currency, where one country has it; all others get Japan's.
_CALLING_CODES: Final[Mapping[str, str]] = {
    "JPY": "81",
    "USD": "1",
    "CAD": "1",
    "GBP": "44",
    "AUD": "61",
    "NZD": "64",
    "KRW": "82",
    "TWD": "886",
    "HKD": "852",
    "SGD": "65",
    "CNY": "86",
    "INR": "91",
    "CHF": "41",
    "SEK": "46",
    "NOK": "47",
    "DKK": "45",
    "PLN": "48",
    "BRL": "55",
    "MXN": "52",
}
CALLING_CODE_DEFAULT: Final = "81"

_GID: Final = re.compile(r"gid://shopify/Customer/([0-9]{1,19})", re.ASCII)
_NUMBER: Final = re.compile(r"[0-9]{1,19}", re.ASCII)
_ROUNDED: Final = re.compile(r"[0-9][.,]?[0-9]*[eE]\+?[0-9]+", re.ASCII)
_EMAIL: Final = re.compile(r"[^\s@<>,;\"]+@[^\s@<>,;\"]+\.[^\s@<>,;\".]+")
_PHONE_SIGNS: Final = re.compile(r"[\s().\-/‐‑‒–—−ー]+")
_PHONE: Final = re.compile(r"\+[1-9][0-9]{6,14}", re.ASCII)
EMAIL_MAX: Final = 254
ID_MAX: Final = 255


class UnusableKeyError(Exception):
    """A cell that cannot be a key; the text is the reason's code."""


def calling_code(currency: str) -> str:
    """Return the country code that numbers of a shop with this currency get.

    >>> calling_code("JPY"), calling_code("EUR")
    ('81', '81')
    """
    return _CALLING_CODES.get(currency, CALLING_CODE_DEFAULT)


def id_key(text: str, *, is_shopify: bool) -> str | None:
    """Return a customer id; None where the cell is empty.

    >>> id_key(" gid://shopify/Customer/42 ", is_shopify=True)
    '42'
    """
    # Shopify's own export puts an apostrophe before ids, so that spreadsheets keep their digits.
    found = text.strip().removeprefix("'").strip()
    if not found:
        return None
    gid = _GID.fullmatch(found)
    if gid is not None:
        return gid[1]
    if not is_shopify:
        if len(found) > ID_MAX or not found.isprintable():
            raise UnusableKeyError("id_form")
        return found
    if _NUMBER.fullmatch(found):
        return found
    raise UnusableKeyError("id_rounded" if _ROUNDED.fullmatch(found) else "id_form")


def email_key(text: str) -> str | None:
    """Return an e-mail address as it is compared; None where the cell is empty.

    >>> email_key(" Ana@Shop.Example ")
    'ana@shop.example'
    """
    found = _plain(text).strip().lower()
    if not found:
        return None
    if len(found) > EMAIL_MAX or not _EMAIL.fullmatch(found):
        raise UnusableKeyError("email_form")
    return found


def phone_key(text: str, code: str) -> str | None:
    """Return a phone number in E.164; None where the cell is empty.

    >>> phone_key("090-1234-5678", "81"), phone_key("+81 90 1234 5678", "81")
    ('+819012345678', '+819012345678')
    """
    found = _PHONE_SIGNS.sub("", _plain(text))
    found = found.removeprefix("'")
    if not found:
        return None
    whole = international(found, code)
    if whole is None:
        raise UnusableKeyError("phone_start" if found.isdecimal() else "phone_form")
    if not _PHONE.fullmatch(whole):
        raise UnusableKeyError("phone_form")
    return whole


def _plain(text: str) -> str:
    """Return a cell without a spreadsheet's guard, full-width signs as plain ones."""
    bare = unguarded(text) if text.startswith("'") else text
    # Plain signs stay as they are; asking is a tenth of the work.
    return bare if bare.isascii() else unicodedata.normalize("NFKC", bare)


def international(digits: str, code: str) -> str | None:
    """Return a number with + and country; None where it does not say which country.

    The warehouse does the same to its customers' numbers, see `fit` in lists.sql.
    """
    if digits.startswith("+"):
        return digits
    if digits.startswith("00"):
        return f"+{digits[2:]}"
    if digits.startswith("0"):
        return f"+{code}{digits[1:]}"
    if code == "1" and len(digits) == 10:
        return f"+1{digits}"
    return None


def keys_of_customer(values: Mapping[str, object], customer_id: str, code: str) -> Keys:
    """Return what a customer is recognized by, as waiting rows write it."""
    email, phone = values.get("email"), values.get("phone")
    return Keys(
        customer_id,
        str(email).strip(" ").lower() if email else None,
        _phone_of_customer(str(phone), code) if phone else None,
    )


def _phone_of_customer(phone: str, code: str) -> str | None:
    sign = "+" if phone.startswith("+") else ""
    digits = re.sub("[^0-9]", "", phone)
    return international(sign + digits, code)


def marks_of(keys: Keys) -> tuple[int, ...]:
    """Return the marks of keys: 32 bits each, as `waiting_marks` in lists.sql makes them."""
    return tuple(
        int(hashlib.md5(f"{kind} {key}".encode(), usedforsecurity=False).hexdigest()[:8], 16)
        for kind, key in zip(KINDS, keys, strict=True)
        if key is not None
    )
