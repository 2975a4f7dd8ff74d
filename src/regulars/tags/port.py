"""What tag work needs from Shopify, and nothing else: so that tests can stand in."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
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


class TagPort(Protocol):
    """The tags of one shop's customers. Customer ids are the numbers at the end of global ids.

    Every method may raise a ShopifyError; then nothing is known about what was asked.
    """

    def read(self, customer_ids: Sequence[str]) -> Mapping[str, Sequence[str]]:
        """Return the present tags; a customer that does not exist is left out."""

    def read_all(self) -> Iterator[tuple[str, Sequence[str]]]:
        """Yield every customer of the shop with the present tags."""

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


#: Ten points each, and one request may cost a thousand: half of that leaves room for others.
CHANGE_CUSTOMERS_MAX = 50
