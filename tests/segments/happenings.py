"""What may happen in a shop, drawn at random and told as Shopify tells it."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace

from hypothesis import strategies as st

from regulars.warehouse.facts import (
    CustomerDeleted,
    CustomerFact,
    CustomerRedacted,
    CustomersMerged,
    Fact,
    LineFact,
    OrderDeleted,
    OrderFact,
    ProductFact,
    RefundChange,
    RefundFact,
)
from tests.jobs.at_work import AtWork
from tests.segments.shop_model import ShopModel

PEOPLE = ("ana", "bo", "cleo", "dee")

person = st.sampled_from(PEOPLE)
order = st.tuples(st.just("order"), person, st.sampled_from([50, 100, 150]), st.integers(-1, 6))
happening = st.one_of(
    order,
    st.tuples(st.just("cancel"), st.integers(0, 5)),
    st.tuples(st.just("refund"), st.integers(0, 5), st.sampled_from([50, 100])),
    st.tuples(st.just("remove order"), st.integers(0, 5)),
    st.tuples(st.just("tags"), person, st.sampled_from([(), ("vip",), ("other",)])),
    st.tuples(st.just("status"), person, st.sampled_from(["ENABLED", "DISABLED"])),
    st.tuples(st.just("email"), person),
    st.tuples(st.just("delete"), person),
    st.tuples(st.just("redact"), person),
    st.tuples(st.just("merge"), person, person),
    st.tuples(st.just("product"), st.sampled_from([(), ("tea",)])),
)


def email_of(who: str) -> str:
    return f"{who}@shop.example"


def cause_of(fact: Fact) -> str:
    """Return what the log has to say of those whom a fact concerns."""
    match fact:
        case CustomersMerged():
            return "merged"
        case CustomerDeleted() | CustomerRedacted():
            return "deleted"
        case CustomerFact():
            return "profile"
    return "order"


class Happenings:
    """Turns what happens into facts. Who is gone is somebody else when they come again."""

    def __init__(self, at_work: AtWork, model: ShopModel) -> None:
        self._at_work = at_work
        self._model = model
        self._numbers = itertools.count(len(model.orders) + 1)
        self._born = dict.fromkeys(PEOPLE, 0)
        self._kinds: dict[str, Callable[..., Fact | None]] = {
            "order": self._order,
            "cancel": self._cancel,
            "refund": self._refund,
            "remove order": self._remove_order,
            "tags": lambda who, tags: at_work.customer(self.id_of(who), tags=tags),
            "status": lambda who, one: at_work.customer(self.id_of(who), account_status=one),
            "email": lambda who: at_work.customer(self.id_of(who), email=email_of(self.id_of(who))),
            "delete": lambda who: self._leave(CustomerDeleted, who),
            "redact": lambda who: self._leave(CustomerRedacted, who),
            "merge": self._merge,
            "product": lambda tags: ProductFact(
                product_id="7", updated_at=at_work.shopify_now(), tags=tags
            ),
        }

    def fact(self, kind: str, *values: object) -> Fact | None:
        """Return what is told; None where nothing of the kind can happen."""
        return self._kinds[kind](*values)

    def id_of(self, who: str, more: int = 0) -> str:
        """Return the id of who bears a name now, or of who will `more` departures later."""
        return f"{who}{self._born[who] + more}"

    def _order(self, who: str, amount: int, days_ago: int) -> Fact:
        number = next(self._numbers)
        lines = (LineFact(product_id="7", quantity=1, amount=10),) if number % 2 else ()
        return self._at_work.order(number, self.id_of(who), amount, days_ago, lines=lines)

    def _cancel(self, place: int) -> Fact | None:
        known, now = self._known_order(place), self._at_work.shopify_now()
        return known and replace(known, cancelled_at=now, updated_at=now)

    def _refund(self, place: int, amount: int) -> Fact | None:
        known, now = self._known_order(place), self._at_work.shopify_now()
        refund = RefundFact(refund_id=f"r{now}", refunded_at=now, amount=amount)
        return known and RefundChange(order_id=known.order_id, refund=refund)

    def _remove_order(self, place: int) -> Fact | None:
        known = self._known_order(place)
        return known and OrderDeleted(known.order_id, self._at_work.shopify_now())

    def _leave(self, kind: type[CustomerDeleted] | type[CustomerRedacted], who: str) -> Fact | None:
        if self.id_of(who) not in self._model.people:
            return None
        return kind(self._gone(who), self._at_work.shopify_now())

    def _merge(self, kept: str, removed: str) -> Fact | None:
        both = {self.id_of(kept), self.id_of(removed)}
        if kept == removed or not both <= self._model.people.keys():
            return None
        return CustomersMerged(self.id_of(kept), self._gone(removed), self._at_work.shopify_now())

    def _known_order(self, place: int) -> OrderFact | None:
        people = self._model.people
        known = [one for one in self._model.orders.values() if one.customer_id in people]
        return known[-1 - place] if place < len(known) else None

    def _gone(self, who: str) -> str:
        gone = self.id_of(who)
        self._born[who] += 1
        return gone
