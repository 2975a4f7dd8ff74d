"""What tag work needs from Shopify, and nothing else: so that tests can stand in."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Answer:
    """What Shopify said about one customer: done, no such customer, or refused and why."""

    problem: str | None = None
    is_gone: bool = False


@dataclass(frozen=True, slots=True)
class BulkState:
    """How far a bulk mutation is."""

    is_finished: bool
    done_count: int
    #: Answers by number of the uploaded line, from 0; there once it is finished. A line without an
    #: answer was not worked, or nobody knows.
    answers: Mapping[int, Answer] | None = None


@dataclass(frozen=True, slots=True)
class Room:
    """For how many customers the shop's points suffice now."""

    customers: int
    #: Until they suffice for some; zero where they do.
    wait: timedelta = timedelta()


class TagPort(Protocol):
    """The tags of one shop's customers. Customer ids are the numbers at the end of global ids.

    Every method may raise a ShopifyError; then nothing is known about what was asked.
    """

    def read(self, customer_ids: Sequence[str]) -> Mapping[str, Sequence[str]]:
        """Return the present tags; a customer that does not exist is left out."""

    def room(self, asked: int, *, adds: bool) -> Room:
        """Tell for how many of these customers the points suffice now, and else when to ask."""

    def start_reading(self) -> str:
        """Have Shopify collect every customer's tags; return the operation's global id.

        It costs no points, whatever the size of the shop.
        """

    def is_read(self, operation_gid: str) -> bool:
        """Tell whether such an operation is over; raises a ShopifyError where it failed."""

    def readings(self, operation_gid: str) -> Iterator[tuple[str, Sequence[str]]]:
        """Yield every customer with the tags that were collected."""

    def change(self, customer_ids: Sequence[str], tag: str, *, add: bool) -> Mapping[str, Answer]:
        """Give the tag to these customers, or take it off; at most CHANGE_CUSTOMERS_MAX."""

    def start_bulk(self, customer_ids: Sequence[str], tag: str, *, add: bool) -> str:
        """Start one bulk mutation; return the operation's global id."""

    def find_bulk(self, *, add: bool, since: datetime, known: Collection[str]) -> str | None:
        """Return an operation of this kind started after `since`, not one of `known`; else None.

        For a start whose answer was lost: tag work of a shop has one operation at a time.
        """

    def look_at_bulk(self, operation_gid: str) -> BulkState:
        """Tell how far an operation is."""
