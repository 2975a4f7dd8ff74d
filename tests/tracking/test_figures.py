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


@dataclass(frozen=True)
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


@pytest.fixture(scope="module")
def cursor():
    connection = duckdb.connect()
    connection.execute(SCHEMA)
    yield connection
    connection.close()


def fill(cursor, orders, log) -> None:
    cursor.execute("DELETE FROM orders")
    cursor.execute("DELETE FROM membership_log")
    if orders:
        cursor.executemany(
            "INSERT INTO orders (order_id, customer_no, processed_at, cancelled_at, is_test,"
            " total_amount, refunded_amount) VALUES (?, ?, ?, ?, ?, ?, ?)",
            [
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
            ],
        )
    if log:
        cursor.executemany(
            "INSERT INTO membership_log VALUES (?, ?, ?, ?, 'test', 1)",
            [(e.segment, e.customer_no, e.at.replace(tzinfo=None), e.joined) for e in log],
        )


def model(orders, log, period: Period, members_at: datetime) -> dict[str, object]:
    """Replay: walk each customer's entries one by one, ask at each instant, add up in lists."""

    def state(no, instant, *, just_before=False):
        joined = False
        for entry in log:
            if entry.segment != SEGMENT or entry.customer_no != no:
                continue
            if entry.at < instant or (entry.at == instant and not just_before):
                joined = entry.joined
        return joined

    first, last = period.starts_at, period.ends_at
    people = {entry.customer_no for entry in log if entry.segment == SEGMENT and entry.at < last}
    instants = {e.at for e in log if first <= e.at < last} | {first}
    ever = {no for no in people if any(state(no, instant) for instant in instants)}
    start = {no for no in people if state(no, members_at)}
    now = {no for no in people if state(no, last, just_before=True)}
    kept = {name: [] for name in POPULATIONS}
    parts = {"stayers": [], "joiners": [], "leavers": [], "outside": [], "joining": []}
    for order in orders:
        local_day = order.at.astimezone(period.zone).date()
        if order.test or order.cancelled or order.customer_no is None:
            continue
        if not period.starts_on <= local_day <= period.ends_on:
            continue
        no = order.customer_no
        before = state(no, order.at, just_before=True)
        if no not in ever and not before:
            continue
        kept["ever"].append((local_day, order))
        if before:
            kept["order_time"].append((local_day, order))
        elif state(no, order.at):
            parts["joining"].append(order)
        if no in start:
            kept["start"].append((local_day, order))
        part = {(True, True): "stayers", (False, True): "joiners", (True, False): "leavers"}
        parts[part.get((no in start, before), "outside")].append(order)
    return {
        "customers": (len(start), len(now), len(ever)),
        "populations": {
            name: (
                len({order.customer_no for _, order in listed}),
                [add(o for d, o in listed if d == day) for day in period.days],
            )
            for name, listed in kept.items()
        },
        "parts": {name: add(listed) for name, listed in parts.items()},
    }


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
            [timedelta(microseconds=-1), timedelta(0), timedelta(seconds=30), timedelta(hours=5)]
            + [timedelta(days=-2), timedelta(hours=2, minutes=30)]
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
            st.builds(Entry, numbers, near, st.booleans(), st.sampled_from([7, 7, 7, 8])),
            max_size=14,
        )
    )
    # The log is append-only: a later row never tells of an earlier instant.
    log.sort(key=lambda entry: entry.at)
    members_at = period.starts_at + draw(st.sampled_from([timedelta(0), timedelta(hours=5)]))
    return period, orders, log, members_at


@settings(max_examples=300, deadline=None)
@given(history=histories())
def test_figures_agree_with_a_replay_of_any_history(cursor, history):
    period, orders, log, members_at = history
    fill(cursor, orders, log)

    figures = count_figures(cursor, SEGMENT, period, members_at=members_at)

    assert seen(figures) == model(orders, log, period, members_at)
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
