"""What to do for one customer, decided from the ledger and the customer's present tags. Pure.

The ledger's `had_before` is written before the first effect and never turned from no to yes
afterwards, so that our own tag is never taken for the customer's own after a stop in the middle.
Only a merge does (`merging`): the tag may then have been the other customer's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from regulars.tags.names import TAGS_PER_CUSTOMER_MAX

#: What we last told Shopify about one tag of one customer; None: never had to do with it.
Told = Literal["before", "giving", "given", "removing", "removed"]

LIMIT_PROBLEM = "The customer has 250 tags already, which is as many as Shopify allows."


@dataclass(frozen=True, slots=True)
class Giving:
    """What assigning means for one customer: the row's outcome, and the ledger after it.

    Outcome "told" says that the effect is to be made now; the row and ledger are stored before.
    """

    outcome: Literal["told", "given", "held", "had_before", "gone", "failed", "cancelled"]
    told: Told | None = None
    had_before: bool = False
    problem: str | None = None


def plan_giving(
    told: Told | None,
    row_outcome: str,
    has_tag: bool,
    tag_count: int | None,
    *,
    goes_on: bool = True,
) -> Giving:
    """Decide about giving; `tag_count` None says that the customer does not exist any more.

    When the assignment was cancelled (not `goes_on`), only what may have happened is looked at.
    """
    if tag_count is None:
        return Giving("gone")
    if has_tag:
        return _plan_present(told, row_outcome)
    if not goes_on:
        return Giving("cancelled", "removed")
    if tag_count >= TAGS_PER_CUSTOMER_MAX:
        return Giving("failed", problem=LIMIT_PROBLEM)
    return Giving("told", "giving")


def _plan_present(told: Told | None, row_outcome: str) -> Giving:
    if told in {None, "removed", "before"}:
        # There without us: never told, or taken off by us and given again by somebody else.
        return Giving("had_before", "before", had_before=True)
    if told == "removing":
        # Our own removal was interrupted and may still take effect: give it again on top.
        return Giving("told", "giving")
    # Ours. A row that was told before a stop has its effect; others find it held by our other work.
    return Giving("given" if row_outcome == "told" else "held", "given")


def plan_removing(
    told: Told | None, *, had_before: bool, is_wanted: bool
) -> Literal["told", "removed", "kept_before", "kept_wanted"]:
    """Decide about taking off for one customer of a removal."""
    if is_wanted:
        return "kept_wanted"
    if told in {None, "before"} or had_before:
        return "kept_before"
    return "removed" if told == "removed" else "told"
