"""The counting of trackings against a naive model that replays each customer's history."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import regulars.warehouse
from regulars.tracking.figures import POPULATIONS, Figures, Sums, count_figures
from regulars.tracking.period import Period

SCHEMA = (Path(regulars.warehouse.__file__).parent / "schema.sql").read_text()
SEGMENT, OTHER_SEGMENT = 7, 8

# New York's clock jumps inside the first period, Beirut's jumps over midnight, Tokyo's never does.
PERIODS = [
    Period(date(2026, 3, 7), date(2026, 3, 9), ZoneInfo("America/New_York")),
    Period(date(2026, 3, 28), date(2026, 3, 30), ZoneInfo("Asia/Beirut")),
    Period(date(2026, 10, 31), date(2026, 11, 2), ZoneInfo("America/New_York")),
    Period(date(2026, 12, 1), date(2026, 12, 1), ZoneInfo("Asia/Tokyo")),
]


@dataclass(frozen=True, eq=False)
class Order:
    customer_no: int | None
    at: datetime
    total: int
    refunded: int = 0
    test: bool = False
    cancelled: bool = False


@dataclass(frozen=True)
class Entry:
    customer_no: int
    at: datetime
    joined: bool
    segment: int = SEGMENT
    cause: str = "order"


@pytest.fixture(scope="module")
def cursor():
    connection = duckdb.connect()
    # A dozen rows do not need threads, and thousands of histories run faster without.
    connection.execute("SET threads = 1")
    connection.execute(SCHEMA)
    yield connection
    connection.close()


def fill(cursor, orders, log) -> None:
    cursor.execute("DELETE FROM orders")
    cursor.execute("DELETE FROM membership_log")
    told = [
        (
            str(n),
            order.customer_no,
            order.at.replace(tzinfo=None),
            order.at.replace(tzinfo=None) if order.cancelled else None,
            order.test,
            order.total,
            order.refunded,
        )
        for n, order in enumerate(orders)
    ]
    add = (
        "INSERT INTO orders (order_id, customer_no, processed_at, cancelled_at, is_test,"
        " total_amount, refunded_amount) SELECT unnest($1::VARCHAR[]), unnest($2::UINTEGER[]),"
        " unnest($3::TIMESTAMP[]), unnest($4::TIMESTAMP[]), unnest($5::BOOLEAN[]),"
        " unnest($6::BIGINT[]), unnest($7::BIGINT[])"
    )
    if told:
        cursor.execute(add, [list(column) for column in zip(*told, strict=True)])
    entries = [
        (e.segment, e.customer_no, e.at.replace(tzinfo=None), e.joined, e.cause) for e in log
    ]
    if entries:
        cursor.execute(
            "INSERT INTO membership_log SELECT unnest($1::BIGINT[]), unnest($2::UINTEGER[]),"
            " unnest($3::TIMESTAMP[]), unnest($4::BOOLEAN[]), unnest($5::VARCHAR[]), 1",
            [list(column) for column in zip(*entries, strict=True)],
        )


@dataclass
class Replay:
    """The naive model: walks each customer's entries one by one and asks at each instant."""

    orders: list[Order]
    log: list[Entry]
    period: Period

    def __post_init__(self) -> None:
        self.first, self.last = self.period.starts_at, self.period.ends_at
        self.log = [e for e in self.log if e.segment == SEGMENT and e.at < self.last]
        self.counted = [
            order
            for order in self.orders
            if self.period.starts_on
            <= order.at.astimezone(self.period.zone).date()
            <= self.period.ends_on
            and not (order.test or order.cancelled or order.customer_no is None)
        ]

    def belongs(self, no: int, instant: datetime, *, just_before: bool = False) -> bool:
        joined = False
        for entry in self.log:
            is_past = entry.at < instant or (entry.at == instant and not just_before)
            if entry.customer_no == no and is_past:
                joined = entry.joined
        return joined

    def made_member(self, order: Order) -> bool:
        later = [e for e in self.log if e.customer_no == order.customer_no and e.at >= order.at]
        if not later:
            return False
        change = [e for e in later if e.at == later[0].at][-1]
        told_later = change.at <= order.at + timedelta(days=1)
        is_last = not any(self.comes_between(other, order, change) for other in self.counted)
        by_order = change.joined and change.cause == "order"
        return by_order and (change.at == order.at or (told_later and is_last))

    def comes_between(self, other: Order, order: Order, change: Entry) -> bool:
        if other.customer_no != order.customer_no or not order.at <= other.at <= change.at:
            return False
        numbers = str(self.orders.index(other)), str(self.orders.index(order))
        return (other.at, numbers[0]) > (order.at, numbers[1])

    def result(self, members_at: datetime) -> dict[str, object]:
        people = {entry.customer_no for entry in self.log}
        instants = {e.at for e in self.log if e.at >= self.first} | {self.first}
        ever = {no for no in people if any(self.belongs(no, at) for at in instants)}
        start = {no for no in people if self.belongs(no, members_at)}
        now = {no for no in people if self.belongs(no, self.last, just_before=True)}
        kept = {name: [] for name in POPULATIONS}
        parts = {"stayers": [], "joiners": [], "leavers": [], "outside": [], "joining": []}
        part = {(True, True): "stayers", (False, True): "joiners", (True, False): "leavers"}
        for order in self.counted:
            no = order.customer_no
            before = self.belongs(no, order.at, just_before=True)
            if no not in ever and not before:
                continue
            populations = {"ever": True, "order_time": before, "start": no in start}
            for name, is_in in populations.items():
                kept[name] += [order] if is_in else []
            parts[part.get((no in start, before), "outside")].append(order)
            if not before and self.made_member(order):
                parts["joining"].append(order)
        return {
            "customers": (len(start), len(now), len(ever)),
            "populations": {
                name: (len({order.customer_no for order in listed}), self.by_day(listed))
                for name, listed in kept.items()
            },
            "parts": {name: add(listed) for name, listed in parts.items()},
        }

    def by_day(self, orders: list[Order]) -> list[Sums]:
        zone = self.period.zone
        return [
            add(o for o in orders if o.at.astimezone(zone).date() == day)
            for day in self.period.days
        ]


def add(orders) -> Sums:
    listed = list(orders)
    return Sums(len(listed), sum(o.total for o in listed), sum(o.refunded for o in listed))


def seen(figures: Figures) -> dict[str, object]:
    bridge = figures.bridge
    return {
        "customers": (
            figures.customers_at_start,
            figures.customers_now,
            figures.customers_ever,
        ),
        "populations": {
            name: (figures.populations[name].buyers, list(figures.populations[name].days))
            for name in POPULATIONS
        },
        "parts": {
            "stayers": bridge.stayers,
            "joiners": bridge.joiners,
            "leavers": bridge.leavers,
            "outside": bridge.outside,
            "joining": figures.joining,
        },
    }


@st.composite
def histories(draw):
    period = draw(st.sampled_from(PERIODS))
    # Edges of days, the microsecond before, and minutes in which several things happen at once.
    edges = [*period.day_bounds(), period.ends_at]
    near = st.builds(
        lambda edge, shift: edge + shift,
        st.sampled_from(edges),
        st.sampled_from(
            [
                timedelta(microseconds=-1),
                timedelta(0),
                timedelta(seconds=30),
                timedelta(hours=2, minutes=30),
                timedelta(hours=5),
                timedelta(days=-2),
            ]
        ),
    )
    numbers = st.integers(0, 3)
    orders = draw(
        st.lists(
            st.builds(
                Order,
                st.one_of(numbers, st.none()),
                near,
                st.integers(0, 10**15),
                st.integers(0, 10**6),
                st.sampled_from([False, False, False, True]),
                st.sampled_from([False, False, False, True]),
            ),
            max_size=12,
        )
    )
    log = draw(
        st.lists(
            st.builds(
                Entry,
                numbers,
                near,
                st.booleans(),
                st.sampled_from([7, 7, 7, 8]),
                st.sampled_from(["order", "profile"]),
            ),
            max_size=14,
        )
    )
    # The log is append-only: a later row never tells of an earlier instant.
    log.sort(key=lambda entry: entry.at)
    members_at = period.starts_at + draw(st.sampled_from([timedelta(0), timedelta(hours=5)]))
    return period, orders, log, members_at


@settings(max_examples=150, deadline=None)
@given(history=histories())
def test_figures_agree_with_a_replay_of_any_history(cursor, history):
    period, orders, log, members_at = history
    fill(cursor, orders, log)

    figures = count_figures(cursor, SEGMENT, period, members_at=members_at)

    assert seen(figures) == Replay(orders, log, period).result(members_at)
    bridge = figures.bridge
    populations = figures.populations
    assert populations["start"].sums == bridge.stayers + bridge.leavers
    assert populations["order_time"].sums == bridge.stayers + bridge.joiners
    assert (
        populations["ever"].sums
        == bridge.stayers + bridge.leavers + bridge.joiners + bridge.outside
    )


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_the_order_that_makes_a_member_is_a_line_of_its_own(cursor):
    period = PERIODS[3]
    joined_at = instant("2026-12-01 03:00")
    fill(
        cursor,
        [Order(1, joined_at, 500), Order(1, joined_at + timedelta(minutes=1), 700, 50)],
        [Entry(1, joined_at, joined=True)],
    )

    figures = count_figures(cursor, SEGMENT, period)

    assert figures.joining == Sums(1, 500, 0)
    assert figures.populations["order_time"].sums == Sums(1, 700, 50)
    assert figures.populations["order_time"].sums.revenue_amount == 650
    assert figures.populations["ever"].sums == Sums(2, 1200, 50)


def test_without_members_everything_is_zero_and_no_ratio_is_invented(cursor):
    fill(cursor, [Order(1, instant("2026-12-01 03:00"), 500)], [])

    figures = count_figures(cursor, SEGMENT, PERIODS[3])

    for population in POPULATIONS:
        counted = figures.populations[population]
        assert (counted.customers, counted.buyers, counted.sums) == (0, 0, Sums())
        assert counted.average_order_amount is None
        assert counted.orders_per_customer is None
