"""One shop with its runtime and jobs, a clock that stands still, and short words for facts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from regulars import segments
from regulars.bootstrap import open_runtime
from regulars.clock import SettableClock
from regulars.jobs import Jobs, live
from regulars.office import Shop, create_shop
from regulars.office.models.segments import Segment
from regulars.runtime import Runtime
from regulars.warehouse.facts import CustomerFact, Fact, OrderFact

START = datetime(2026, 3, 1, 3, tzinfo=UTC)


@dataclass
class AtWork:
    """A shop being worked for."""

    runtime: Runtime
    jobs: Jobs
    shop: Shop
    clock: SettableClock
    #: How far Shopify's clock is ahead of ours.
    ahead: timedelta = field(default=timedelta(), kw_only=True)

    def segment(self, name: str, query: str) -> int:
        """Make a segment and work until it is ready; return its id."""
        return self.all_segments({name: query})[0]

    def all_segments(self, queries: Mapping[str, str]) -> list[int]:
        """Make segments from names and queries, and work until they are ready."""
        made = []
        with self.runtime.office.session() as session:
            for name, query in queries.items():
                row = segments.create_segment(
                    session, self.shop, name=name, query=query, author="ana", now=self.clock()
                )
                self.jobs.refresh_segment_later(session, self.shop, row.id, "created")
                made.append(row.id)
        self.jobs.run_until_idle()
        return made

    def edit(self, segment_id: int, query: str) -> None:
        """Give a segment a new query and work until it is ready."""
        with self.runtime.office.session() as session:
            row = segments.find_segment(session, self.shop, segment_id)
            segments.edit_segment(
                session, self.shop, row, query=query, author="bo", now=self.clock()
            )
            self.jobs.refresh_segment_later(session, self.shop, segment_id, "edited")
        self.jobs.run_until_idle()

    def told(self, *facts: Fact) -> segments.Changes:
        """Apply facts."""
        return live.apply_facts(self.runtime, self.shop, list(facts), now=self.clock())

    def members(self, segment_id: int) -> set[str]:
        """Return the ids of the members now."""
        numbers = self.runtime.memberships(self.shop).members(segment_id)
        return set(self.runtime.warehouse(self.shop).customer_ids(numbers).values())

    def logged(self, segment_id: int) -> list[tuple[str, str]]:
        """Return the log of a segment, oldest first: "+ana" or "-ana" with the cause."""
        warehouse = self.runtime.warehouse(self.shop)
        entries = list(warehouse.log_entries(segment_id=segment_id, limit=1000))
        ids = warehouse.customer_ids({entry.customer_no for entry in entries})
        return [
            (("+" if entry.joined else "-") + ids[entry.customer_no], entry.cause)
            for entry in reversed(entries)
        ]

    def row(self, segment_id: int) -> Segment:
        """Return the office's row of a segment."""
        with self.runtime.office.reading() as session:
            return segments.find_segment(session, self.shop, segment_id)

    def customer(self, name: str, **values: object) -> CustomerFact:
        """Tell of a customer."""
        return CustomerFact(customer_id=name, updated_at=self.shopify_now(), **values)

    def order(
        self, number: int, customer: str, amount: int = 100, days_ago: int = 0, **values: object
    ) -> OrderFact:
        """Tell of an order."""
        return OrderFact(
            order_id=str(number),
            customer_id=customer,
            processed_at=self.shopify_now() - timedelta(days=days_ago),
            updated_at=self.shopify_now(),
            total_amount=amount,
            **values,
        )

    def shopify_now(self) -> datetime:
        """Return the instant that Shopify writes on what it tells."""
        return self.clock() + self.ahead

    def set_back(self, by: timedelta) -> None:
        """Set our clock back; Shopify's goes on."""
        self.clock.instant -= by
        self.ahead += by

    def later(self, **step: float) -> None:
        """Let time pass, and work what it makes due."""
        self.clock.instant += timedelta(**step)
        self.jobs.run_until_idle()


def open_shop(home: Path, *, clock: SettableClock | None = None, **values: object) -> AtWork:
    """Open a home folder with the shop "basic" in it, in Tokyo with yen."""
    clock = clock or SettableClock(START)
    runtime = open_runtime(home, clock=clock)
    with runtime.office.session() as session:
        told = {"time_zone": "Asia/Tokyo", "currency": "JPY", **values}
        shop = create_shop(session, name="basic", now=clock(), **told)
    return AtWork(runtime, Jobs(runtime), shop, clock)


def reopen(at_work: AtWork) -> AtWork:
    """Close everything and open it again, as after a restart."""
    home = at_work.runtime.settings.home_folder
    at_work.runtime.close()
    runtime = open_runtime(home, clock=at_work.clock)
    return AtWork(runtime, Jobs(runtime), at_work.shop, at_work.clock)
