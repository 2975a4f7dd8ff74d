"""A few rules to start from, for a shop that has no segment yet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from regulars.web.deps import Visit
from regulars.web.i18n import N_

# Ten orders of a usual size, by currency; elsewhere the figure of the US dollar.
_LARGE_AMOUNT = {"JPY": 30_000, "KRW": 300_000, "TWD": 8_000, "INR": 20_000}
_LARGE_AMOUNT_ELSEWHERE = 300

_ROWS = (
    (
        N_("VIP customers"),
        "amount_spent >= {large} AND last_order_date >= -180d",
        N_("Spent a lot, and bought within half a year."),
    ),
    (
        N_("New this month"),
        "first_order_date >= -30d",
        N_("Placed their first order in the last 30 days."),
    ),
    (
        N_("Win back"),
        "number_of_orders >= 2 AND last_order_date < -180d",
        N_("Bought twice or more, then nothing for 180 days."),
    ),
    (
        N_("One order only"),
        "number_of_orders = 1 AND last_order_date < -60d",
        N_("Bought once, more than 60 days ago, and never again."),
    ),
)


@dataclass(frozen=True, slots=True)
class Starter:
    """One rule to start from, in the reader's language."""

    name: str
    query: str
    about: str


def starters(visit: Visit) -> Sequence[Starter]:
    """Return the rules with amounts that fit the shop's currency."""
    large = _LARGE_AMOUNT.get(visit.shop.currency, _LARGE_AMOUNT_ELSEWHERE)
    return [
        Starter(visit.say(name), query.format(large=large), visit.say(about))
        for name, query, about in _ROWS
    ]
