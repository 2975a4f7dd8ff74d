"""The naive model of trackings: replays each customer's history, and invents such histories.

Nothing here is shared with the product but its words: the model walks entries one by one and asks
at each instant who belonged.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from regulars.tracking import POPULATIONS, Asked, Figures, Period, Sums
from regulars.warehouse.columns import inside

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
MICROSECOND = timedelta(microseconds=1)
NEVER = datetime.max.replace(tzinfo=UTC)
CUSTOMERS = 5

# New York's clock jumps inside the first period, Beirut's jumps over midnight, Lord Howe's moves by
# half an hour, Tokyo's never does.
PERIODS = [
    Period(date(2026, 3, 7), date(2026, 3, 9), ZoneInfo("America/New_York")),
    Period(date(2026, 3, 28), date(2026, 3, 30), ZoneInfo("Asia/Beirut")),
    Period(date(2026, 10, 31), date(2026, 11, 2), ZoneInfo("America/New_York")),
    Period(date(2026, 10, 3), date(2026, 10, 5), ZoneInfo("Australia/Lord_Howe")),
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
    #: Its place among the orders of all histories of a warehouse, once it is written there.
    number: int = -1


@dataclass(frozen=True)
class Entry:
    customer_no: int
    at: datetime
    joined: bool
    cause: str = "order"


@dataclass
class History:
    """What happened in one small shop."""

    period: Period
    orders: list[Order]
    log: list[Entry]
    merged: dict[int, int] = field(default_factory=dict)
    cancelled_at: datetime | None = None
    #: Where the shop moved to in the middle; day changes follow the shop, the period stays.
    moved_to: ZoneInfo | None = None

    @property
    def zone(self) -> ZoneInfo:
        return self.moved_to or self.period.zone

    @property
    def bounds(self) -> tuple[datetime, datetime]:
        start, end = self.period.starts_at, self.period.ends_at
        return start, min(end, max(start, self.cancelled_at or end))


class Replay:
    """The naive model: walks each customer's entries one by one and asks at each instant."""

    def __init__(self, history: History) -> None:
        self.period = history.period
        self.zones = {history.period.zone, history.zone}
        self.start, self.end = history.bounds
        self.orders = [
            order
            for order in history.orders
            if not (order.test or order.cancelled or order.customer_no is None)
        ]
        people = {entry.customer_no for entry in history.log}
        self.spells: dict[int, list[tuple[datetime, datetime, bool]]] = {}
        for number in people:
            heir = history.merged.get(number, number)
            self.spells.setdefault(heir, []).extend(self.walk(history.log, number))
        for number, spells in self.spells.items():
            self.spells[number] = united(spells)

    def walk(self, log, number):
        """Return when one customer belonged, from the log as it was written."""
        spells, since, last, by_order = [], None, None, False
        for entry in log:
            if entry.customer_no != number:
                continue
            at = entry.at
            if entry.cause == "day_change":
                # Time alone moves customers at midnight, however late somebody looks.
                at = max(midnight_before(entry.at, zone) for zone in self.zones)
            at = max(at, last) if last else at
            last = at
            if entry.joined and since is None:
                since, by_order = at, entry.cause == "order"
            elif not entry.joined and since is not None:
                spells.append((since, at, by_order))
                since = None
        if since is not None:
            spells.append((since, NEVER, by_order))
        return [spell for spell in spells if spell[0] < spell[1]]

    def belongs(self, number: int, instant: datetime) -> bool:
        return any(a <= instant < b for a, b, _ in self.spells.get(number, ()))

    def belonged_before(self, order: Order) -> bool:
        spells = self.spells.get(order.customer_no, ())
        return any(a < order.at <= b for a, b, _ in spells) and not self.came_first(order)

    def others(self, order: Order):
        """Return the customer's earlier and later orders; those of one instant are neither."""
        mine = [one for one in self.orders if one.customer_no == order.customer_no]
        mine.sort(key=lambda one: one.at)
        return [o for o in mine if o.at < order.at], [o for o in mine if o.at > order.at]

    def came_first(self, order: Order) -> bool:
        """Whether the membership is dated just before the order that it came from."""
        for joined_at, left_at, by_order in self.spells.get(order.customer_no, ()):
            runs = joined_at < order.at <= left_at
            if runs and by_order and order.at - joined_at <= 2 * MINUTE:
                earlier, _ = self.others(order)
                return not earlier or earlier[-1].at < joined_at - DAY
        return False

    def made_member(self, order: Order) -> bool:
        if self.came_first(order):
            return True
        spells = self.spells.get(order.customer_no, ())
        if any(a < order.at <= b for a, b, _ in spells):
            return False
        later = [spell for spell in spells if order.at <= spell[0] < self.end]
        if not later or not later[0][2] or later[0][0] > order.at + DAY:
            return False
        _, after = self.others(order)
        return later[0][0] == order.at or not after or after[0].at > later[0][0]

    def result(self) -> dict[str, object]:
        numbers = list(self.spells)
        start = {no for no in numbers if self.belongs(no, self.start)}
        last = {no for no in numbers if any(a < self.end <= b for a, b, _ in self.spells[no])}
        ever = start | {
            no for no in numbers if any(self.start < a < self.end for a, _, _ in self.spells[no])
        }
        days = {day.isoformat() for day in self.period.days}
        orders = [
            order
            for order in self.orders
            if order.at.astimezone(self.period.zone).date().isoformat() in days
            and order.at < self.end
        ]
        inside_ever = [o for o in orders if o.customer_no in ever or self.was(o)]
        kept = {
            "order_time": [o for o in inside_ever if self.belonged_before(o)],
            "start": [o for o in inside_ever if o.customer_no in start],
            "ever": inside_ever,
        }
        now = set(kept["order_time"])
        parts = {
            "stayers": [o for o in kept["start"] if o in now],
            "leavers": [o for o in kept["start"] if o not in now],
            "joiners": [o for o in now if o.customer_no not in start],
            "outside": [o for o in inside_ever if o not in now and o.customer_no not in start],
            "joining": [o for o in inside_ever if self.made_member(o)],
        }
        return {
            "customers": (len(start), len(last), len(ever)),
            "populations": {
                name: (len({o.customer_no for o in listed}), self.by_day(listed))
                for name, listed in kept.items()
            },
            "parts": {name: add(listed) for name, listed in parts.items()},
        }

    def was(self, order: Order) -> bool:
        return any(a < order.at <= b for a, b, _ in self.spells.get(order.customer_no, ()))

    def by_day(self, orders: list[Order]) -> list[Sums]:
        zone = self.period.zone
        return [
            add(o for o in orders if o.at.astimezone(zone).date() == day)
            for day in self.period.days
        ]


def midnight_before(instant: datetime, zone: ZoneInfo) -> datetime:
    """Walk back by half hours, at which all these zones' days begin, until the day changes."""
    day = instant.astimezone(zone).date()
    half_hours = instant.minute // 30 * 30
    at = instant.replace(minute=half_hours, second=0, microsecond=0)
    while (at - MICROSECOND).astimezone(zone).date() == day:
        at -= 30 * MINUTE
    return at


def united(spells):
    """Return overlapping spells of one customer as one, under the cause of those that began it."""
    found: list[tuple[datetime, datetime, bool]] = []
    for spell in sorted(spells):
        if found and spell[0] <= found[-1][1]:
            start, end, by_order = found[-1]
            by_order |= spell[2] and spell[0] == start
            found[-1] = (start, max(end, spell[1]), by_order)
        else:
            found.append(spell)
    return found


def add(orders) -> Sums:
    listed = list(orders)
    return Sums(len(listed), sum(o.total for o in listed), sum(o.refunded for o in listed))


def seen(figures: Figures) -> dict[str, object]:
    bridge = figures.bridge
    return {
        "customers": (figures.customers_at_start, figures.customers_now, figures.customers_ever),
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


def invent(dice: random.Random) -> History:
    """Return a history: edges of days, the microsecond before, several things in one minute."""
    period = dice.choice(PERIODS)
    edges = [*period.day_bounds(), period.ends_at]
    shifts = [-MICROSECOND, timedelta(0), 30 * SECOND, 45 * SECOND, 90 * SECOND, 5 * HOUR, -2 * DAY]

    def instant() -> datetime:
        return dice.choice(edges) + dice.choice(shifts)

    orders = [
        Order(
            dice.choice([*range(CUSTOMERS), None]),
            instant(),
            dice.choice([0, 1, 999, dice.randrange(10**15)]),
            dice.choice([0, dice.randrange(10**6)]),
            dice.random() < 0.15,
            dice.random() < 0.15,
        )
        for _ in range(dice.randrange(13))
    ]
    causes = ["order", "order", "profile", "day_change"]
    told = sorted(
        ((instant(), dice.randrange(CUSTOMERS)) for _ in range(dice.randrange(14))),
        key=lambda one: one[0],
    )
    log, members = [], set()
    for at, number in told:
        joined = number not in members
        (members.add if joined else members.discard)(number)
        log.append(Entry(number, at, joined, dice.choice(causes)))
    merged = {0: 1} if dice.random() < 0.1 else {}
    # Orders of a merged customer stand under the other's name from then on.
    orders = [replace(o, customer_no=merged.get(o.customer_no, o.customer_no)) for o in orders]
    cancelled_at = instant() if dice.random() < 0.1 else None
    moved_to = dice.choice(PERIODS).zone if dice.random() < 0.2 else None
    return History(period, orders, log, merged, cancelled_at, moved_to)


def fill(warehouse, histories) -> list[Asked]:
    """Write histories side by side into one warehouse; each gets its segment and customers."""
    orders, log, merged = [], [], []
    for number, history in enumerate(histories):
        base = number * CUSTOMERS
        written = len(orders)
        history.orders = [
            replace(one, number=written + place) for place, one in enumerate(history.orders)
        ]
        for order in history.orders:
            whose = None if order.customer_no is None else base + order.customer_no
            at = inside(order.at)
            cancelled_at = at if order.cancelled else None
            orders.append((whose, at, cancelled_at, order.test, order.total, order.refunded))
        log += [
            (number, base + e.customer_no, inside(e.at), e.joined, e.cause) for e in history.log
        ]
        merged += [(base + one, history.merged.get(one)) for one in range(CUSTOMERS)]
        merged[-CUSTOMERS:] = [
            (one, None if heir is None else base + heir) for one, heir in merged[-CUSTOMERS:]
        ]
    log.sort(key=lambda row: row[2])
    with warehouse.transaction() as cursor:
        cursor.execute(
            "INSERT INTO orders (order_id, customer_no, processed_at, cancelled_at, is_test,"
            " total_amount, refunded_amount) SELECT row_number() OVER () - 1, * FROM ("
            " SELECT unnest($1::UINTEGER[]), unnest($2::TIMESTAMP[]), unnest($3::TIMESTAMP[]),"
            " unnest($4::BOOLEAN[]), unnest($5::BIGINT[]), unnest($6::BIGINT[]))",
            columns(orders, 6),
        )
        cursor.execute(
            "INSERT INTO membership_log SELECT unnest($1::BIGINT[]), unnest($2::UINTEGER[]),"
            " unnest($3::TIMESTAMP[]), unnest($4::BOOLEAN[]), unnest($5::VARCHAR[]), 1",
            columns(log, 5),
        )
        cursor.execute(
            "INSERT INTO customers (customer_no, customer_id, merged_into_no)"
            " SELECT no, no::VARCHAR, heir FROM"
            " (SELECT unnest($1::UINTEGER[]) AS no, unnest($2::UINTEGER[]) AS heir)",
            columns(merged, 2),
        )
    return [
        Asked(number, history.period, history.zone, history.cancelled_at)
        for number, history in enumerate(histories)
    ]


def columns(rows, width: int) -> list[list[object]]:
    return [list(column) for column in zip(*rows, strict=True)] if rows else [[]] * width
