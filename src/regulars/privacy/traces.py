"""What names one person in words: number, e-mail, telephone, name; found in texts and rows.

Nothing is kept here: what names a person is known while the redaction runs, and forgotten with it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from regulars.warehouse import Warehouse
from regulars.warehouse.sql import statements

ERASED: Final = "[erased]"
#: A shorter number stands in texts for anything; where it is a cell of its own it counts.
NUMBER_LENGTH_MIN: Final = 4
#: Two numbers whose last digits are these are one number, written with a country code or without.
PHONE_DIGITS: Final = 9
#: What people write between the digits of a telephone number.
_BETWEEN: Final = r"[ ().\-‐−ー]{0,3}"


@dataclass(frozen=True)
class Traces:
    """What a person is called by."""

    customer_id: str
    emails: frozenset[str] = frozenset()
    phones: frozenset[str] = frozenset()
    #: Full names: of one word alone too many are called.
    names: frozenset[str] = frozenset()

    @classmethod
    def of(
        cls,
        customer_id: str,
        *,
        emails: Iterable[object] = (),
        phones: Iterable[object] = (),
        names: Iterable[object] = (),
    ) -> Traces:
        """Take what is known of a person; what is missing or says too little is left out."""
        return cls(
            customer_id,
            frozenset(one.strip() for one in _texts(emails) if "@" in one),
            frozenset(one for one in map(_digits, _texts(phones)) if len(one) >= PHONE_DIGITS),
            frozenset(" ".join(one.split()) for one in _texts(names) if len(one.split()) > 1),
        )

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        parts = [rf"(?<![\w.+-]){re.escape(one)}(?![\w-])" for one in sorted(self.emails)]
        parts += [_phone_pattern(one) for one in sorted(self.phones)]
        for name in sorted(self.names):
            words = r"\s+".join(map(re.escape, name.split()))
            parts.append(rf"(?<!\w){words}(?!\w)")
        if self.customer_id.isdecimal() and len(self.customer_id) >= NUMBER_LENGTH_MIN:
            parts.append(rf"(?<!\d){self.customer_id}(?!\d)")
        return re.compile("|".join(parts) or r"(?!)", re.IGNORECASE)

    def blanked(self, text: str) -> str:
        """Return a text without what names the person."""
        return self._pattern.sub(ERASED, text)

    def are_in(self, text: str) -> bool:
        """Whether a text names the person."""
        return self._pattern.search(text) is not None

    def are_in_row(self, cells: Sequence[str], id_cells: Sequence[str]) -> bool:
        """Whether a row of a file names the person; `id_cells` are those that may be a number."""
        own = (self.customer_id, f"gid://shopify/Customer/{self.customer_id}")
        if any(cell.strip().lstrip("'") in own for cell in id_cells):
            return True
        return any(map(self.are_in, cells))

    def blanked_value(self, value: object) -> object:
        """Return a JSON value without what names the person; its shape stays.

        An entry about the person keeps which attribute it was about, and loses both its values.
        """
        if isinstance(value, str):
            return ERASED if value == self.customer_id else self.blanked(value)
        if isinstance(value, list):
            return [self.blanked_value(one) for one in value]
        if not isinstance(value, dict):
            return value
        told = {name: self.blanked_value(one) for name, one in value.items()}
        if value.get("id") == self.customer_id and value.get("kind") == "customers":
            told |= dict.fromkeys({"ours", "theirs"} & told.keys())
        return told


def traces_of(
    warehouse: Warehouse, customer_id: str, *, emails: Sequence[object], phones: Sequence[object]
) -> Traces:
    """Return what a person is called by: what the shop's copy knows still, and what was told."""
    numbers = warehouse.customer_nos([customer_id])
    email = phone = name = None
    if numbers:
        with warehouse.reader() as cursor:
            asked = {"customer_no": numbers[customer_id]}
            told = cursor.execute(statements("personal")["called_by"], asked)
            ((email, phone, name),) = told.fetchall()
    return Traces.of(customer_id, emails=[email, *emails], phones=[phone, *phones], names=[name])


def _texts(values: Iterable[object]) -> list[str]:
    return [value for value in values if isinstance(value, str)]


def _digits(text: str) -> str:
    return re.sub(r"\D", "", text)


def _phone_pattern(digits: str) -> str:
    # Full-width digits are written in Japanese texts.
    last = [f"[{one}{chr(0xFF10 + int(one))}]" for one in digits[-PHONE_DIGITS:]]
    lead = rf"(?<!\d)[+＋]?(?:\d{_BETWEEN}){{0,5}}\(?"
    return lead + _BETWEEN.join(last) + r"(?!\d)"
