"""Timelines: days and events in, consequences out. Each `.timeline` file is a list of examples."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from regulars import segments, tracking
from regulars.bootstrap import open_runtime
from regulars.clock import SettableClock
from regulars.jobs import Jobs, live
from regulars.jobs.starting import look_back
from regulars.office import create_shop
from regulars.settings import Settings
from regulars.warehouse.facts import CustomerFact, OrderFact, RefundFact
from regulars.web.trackings import counted

ZONE = ZoneInfo("Asia/Tokyo")
FILES = sorted(Path(__file__).parent.glob("*.timeline"))
CAST = ("ana", "bo", "cleo", "dee")
LONG_AGO = datetime(2025, 1, 1, tzinfo=UTC)


def examples():
    for path in FILES:
        for text in re.split(r"(?m)^# title: ", path.read_text("utf-8"))[1:]:
            title, _, rest = text.partition("\n")
            yield pytest.param(rest, id=f"{path.stem}: {title}")


class Timeline:
    """One shop in which the events of a timeline happen, each at its minute."""

    def __init__(self, runtime) -> None:
        self.runtime = runtime
        self.jobs = Jobs(runtime)
        self.orders: list[OrderFact] = []
        self.tracked = None
        with runtime.office.session() as session:
            self.shop = create_shop(
                session, name="basic", now=LONG_AGO, time_zone="Asia/Tokyo", currency="JPY"
            )
            self.shop.loaded_at = self.shop.caught_up_at = LONG_AGO
        people = [
            CustomerFact(customer_id=name, display_name=name, updated_at=LONG_AGO) for name in CAST
        ]
        runtime.warehouse(self.shop).apply(people, at=LONG_AGO)

    def happen(self, at: datetime, event: str) -> None:
        """Let one line of a timeline happen."""
        self.runtime.clock.instant = at
        for pattern, act in (
            (r"(\w+) orders (\d+)", self.order),
            (r"order (\d+) refunded (\d+)", self.refund),
            (r"order (\d+) cancelled", self.cancel),
            (r"segment (\w+) = (.+)", self.segment),
            (r"tracking (\w+) (\S+) \.\. (\S+)", self.track),
            (r"day change", self.change_day),
        ):
            found = re.fullmatch(pattern, event)
            if found:
                act(at, *found.groups())
                return
        pytest.fail(f"a timeline cannot say {event!r}")

    def tell(self, at: datetime, *facts) -> None:
        live.apply_facts(self.runtime, self.shop, facts, now=at)

    def order(self, at: datetime, name: str, amount: str) -> None:
        number = str(len(self.orders) + 1)
        fact = OrderFact(
            order_id=number,
            customer_id=name,
            processed_at=at,
            total_amount=int(amount),
            updated_at=at,
        )
        self.orders.append(fact)
        self.tell(at, fact)

    def refund(self, at: datetime, number: str, amount: str) -> None:
        order = self.orders[int(number) - 1]
        refund = RefundFact(refund_id=f"r{number}-{at}", refunded_at=at, amount=int(amount))
        self.tell(at, replace(order, refunds=(*order.refunds, refund), updated_at=at))

    def cancel(self, at: datetime, number: str) -> None:
        old = self.orders[int(number) - 1]
        self.tell(at, replace(old, cancelled_at=at, updated_at=at))

    def segment(self, at: datetime, name: str, query: str) -> None:
        with self.runtime.office.session() as session:
            made = segments.create_segment(
                session, self.shop, name=name, query=query, author="dee", now=at
            )
            number = made.id
        segments.refresh(
            self.runtime.office,
            self.runtime.warehouse(self.shop),
            self.runtime.memberships(self.shop),
            self.shop,
            [number],
            cause="created",
            now=at,
        )

    def track(self, at: datetime, name: str, first: str, last: str) -> None:
        with self.runtime.office.session() as session:
            self.tracked = tracking.create_tracking(
                session,
                self.shop,
                segments.find_segment(session, self.shop, name),
                starts_on=date.fromisoformat(first),
                ends_on=date.fromisoformat(last),
                author="dee",
                now=at,
            )
            self.tracked.members_before = look_back(self.runtime, self.shop, self.tracked, at)

    def change_day(self, at: datetime) -> None:
        parts = (self.runtime.warehouse(self.shop), self.runtime.memberships(self.shop))
        segments.refresh_day(self.runtime.office, *parts, self.shop, now=at)

    def result(self) -> str:
        [row] = counted(self.runtime, self.shop, [self.tracked], self.runtime.clock())
        figures = row.figures
        now, ever = figures.customers_now, figures.customers_ever
        lines = [f"customers {figures.customers_at_start} at start, {now} now, {ever} ever"]
        for name in tracking.POPULATIONS:
            sums = figures.populations[name].sums
            lines.append(f"{name} {sums.orders} orders {sums.revenue_amount}")
        for name, sums in (
            ("leavers", figures.bridge.leavers),
            ("joined by this order", figures.joining),
        ):
            lines.append(f"{name} {sums.orders} orders {sums.revenue_amount}")
        return "\n".join(lines)


@pytest.mark.parametrize("text", list(examples()))
def test_timeline(tmp_path, text):
    events, _, expected = text.partition("\n----\n")
    settings = Settings(home=tmp_path / "home")
    with open_runtime(settings=settings, clock=SettableClock(LONG_AGO)) as runtime:
        timeline = Timeline(runtime)
        for line in events.splitlines():
            if not line.strip() or line.startswith("#"):
                continue
            found = re.fullmatch(r"at (\S+ \S+)\s+(.+)", line)
            assert found, f"a timeline cannot say {line!r}"
            at = datetime.fromisoformat(found[1]).replace(tzinfo=ZONE).astimezone(UTC)
            timeline.happen(at, found[2])

        assert timeline.result() == expected.strip()
