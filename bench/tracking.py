"""Trackings over many orders: the product beside hand-written SQL on DuckDB and PostgreSQL.

    python -m bench --only tracking --customers 1000000

All count the same: orders, gross and refunds of the three populations. The hand-written SQL reads a
ready table of intervals, the product the append-only log.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from bench.postgres import SETTINGS, Postgres
from bench.report import CONSOLE, Options, Section, Table, milliseconds, number, times
from regulars.tracking import Asked, Counter, Figures, Period
from regulars.warehouse import Warehouse, Warehouses
from regulars.warehouse.columns import inside
from regulars.warehouse.facts import OrderFact

ZONE = ZoneInfo("Asia/Tokyo")
FIRST_DAY = date(2026, 9, 1)
TRACKINGS = 50
#: Ten orders a customer over three years.
ORDERS_PER_CUSTOMER = 10
#: Orders that arrive one after the other while all trackings are watched.
ARRIVALS = 30

ORDERS = """
INSERT INTO orders (order_id, customer_no, processed_at, cancelled_at, is_test, total_amount,
  refunded_amount, source_name)
SELECT (1000000000 + i)::VARCHAR, no, placed,
  CASE WHEN hash(i * 3) % 33 = 0 THEN placed END, hash(i * 5) % 500 = 0, 500 + hash(i * 7) % 20000,
  CASE WHEN hash(i * 11) % 20 = 0 THEN 300 ELSE 0 END, 'web'
FROM (
  SELECT i, (hash(i) % ($orders // 10))::UINTEGER AS no,
    TIMESTAMP '2024-09-01' + INTERVAL (hash(i * 17) % (86400 * 1095)) SECOND AS placed
  FROM range($orders) t(i)
)
ORDER BY no, placed
"""
# Each pair of customer and segment joins once; two of three leave again.
LOG = """
INSERT INTO membership_log
WITH pairs AS (
  SELECT i % 50 AS segment_id, no,
    TIMESTAMP '2024-09-01' + INTERVAL (hash(i * 19) % (86400 * 800)) SECOND AS joined_at,
    1 + hash(i * 29) % (86400 * 400) AS seconds, hash(i * 31) % 3 > 0 AS has_left
  FROM (SELECT i, (hash((i // 50) * 23 + i % 50) % ($orders // 10))::UINTEGER AS no
    FROM range($orders * 8 // 10) t(i))
  QUALIFY row_number() OVER (PARTITION BY segment_id, no ORDER BY i) = 1
)
SELECT segment_id, no, happened_at, joined, 'profile', 1 FROM (
  SELECT segment_id, no, joined_at AS happened_at, TRUE AS joined FROM pairs
  UNION ALL
  SELECT segment_id, no, joined_at + INTERVAL (seconds) SECOND, FALSE FROM pairs WHERE has_left
)
ORDER BY happened_at
"""
BY_HAND = """
WITH m AS (
  SELECT customer_no, joined_at, coalesce(left_at, TIMESTAMP '2999-01-01') AS left_at
  FROM intervals
  WHERE segment_id = {segment} AND joined_at < {ends} AND (left_at IS NULL OR left_at >= {starts})
),
p AS (
  SELECT customer_no, max(CASE WHEN joined_at <= {starts} AND left_at > {starts} THEN 1 ELSE 0 END) AS s
  FROM m GROUP BY customer_no
)
SELECT
  count(*), coalesce(sum(total_amount), 0), coalesce(sum(refunded_amount), 0),
  coalesce(sum(s), 0), coalesce(sum(total_amount * s), 0), coalesce(sum(refunded_amount * s), 0),
  coalesce(sum(a), 0), coalesce(sum(total_amount * a), 0), coalesce(sum(refunded_amount * a), 0)
FROM (
  SELECT o.total_amount, o.refunded_amount, p.s,
    CASE WHEN EXISTS (SELECT 1 FROM {members} AND i.customer_no = o.customer_no
      AND i.joined_at < o.processed_at AND (i.left_at IS NULL OR i.left_at >= o.processed_at))
      THEN 1 ELSE 0 END AS a
  FROM orders o JOIN p ON p.customer_no = o.customer_no
  WHERE NOT o.is_test AND o.cancelled_at IS NULL
    AND o.processed_at >= {starts} AND o.processed_at < {ends}
) q
"""  # noqa: E501


#: Where each peer finds the intervals of one segment quickest: DuckDB in the rows it has chosen,
#: PostgreSQL through its index.
MEMBERS = {"DuckDB": "m i WHERE true", "PostgreSQL": "intervals i WHERE i.segment_id = {segment}"}
#: What PostgreSQL needs to answer at its best.
TABLES = {
    "orders": "customer_no int, processed_at timestamp, cancelled_at timestamp, is_test boolean,"
    " total_amount bigint, refunded_amount bigint",
    "intervals": "segment_id bigint, customer_no int, joined_at timestamp, left_at timestamp",
}
_AMOUNTS = "is_test, cancelled_at, total_amount, refunded_amount"
INDEXES = (
    f"orders (processed_at) INCLUDE (customer_no, {_AMOUNTS})",
    f"orders (customer_no, processed_at) INCLUDE ({_AMOUNTS})",
    "intervals (segment_id, customer_no, joined_at) INCLUDE (left_at)",
    "intervals (segment_id, joined_at) INCLUDE (customer_no, left_at)",
)


def measure(options: Options) -> list[Section]:
    """Measure trackings of a month and of a year."""
    orders = options.customers * ORDERS_PER_CUSTOMER
    section = Section(f"{TRACKINGS} trackings at once")
    with tempfile.TemporaryDirectory(prefix="regulars-bench-") as folder:
        warehouses = Warehouses(Path(folder))
        warehouse = warehouses.of(1)
        _fill(warehouse, orders, options.customers)
        with (
            warehouse.reader() as reader,
            Postgres.started(options.postgres, CONSOLE) as postgres,
        ):
            if postgres is not None:
                postgres.fill(warehouse, TABLES, INDEXES)
            _introduce(section, reader, orders, postgres)
            peers: dict[str, Callable[[str], tuple[Any, ...]]] = {
                "DuckDB": lambda sql: reader.execute(sql).fetchone() or ()
            }
            if postgres is not None:
                peers["PostgreSQL"] = lambda sql: postgres.row(sql, None)
            section.show(_side_by_side(warehouse, peers, options.rounds))
        section.show(_arrivals(warehouse))
        section.say(
            "An order that arrives is written, and then all trackings are asked: only the orders "
            "and memberships of its customer are counted again, before and after."
        )
        warehouses.close()
    return [section]


def _fill(warehouse: Warehouse, orders: int, customers: int) -> None:
    with warehouse.transaction() as cursor:
        cursor.execute(
            "INSERT INTO customers (customer_no, customer_id) SELECT i, (7000000 + i)::VARCHAR"
            " FROM range($customers) t(i)",
            {"customers": customers},
        )
        cursor.execute(ORDERS, {"orders": orders})
        cursor.execute(LOG, {"orders": orders})
        cursor.execute("CREATE TABLE intervals AS SELECT * FROM membership_intervals")
    warehouse.checkpoint()


def _introduce(section: Section, reader: Any, orders: int, postgres: Postgres | None) -> None:
    ((log,),) = reader.execute("SELECT count(*) FROM membership_log").fetchall()
    section.say(
        f"{orders:,} orders in three years, {log:,} entries of the membership log, {TRACKINGS} "
        "segments with one tracking each. Counted: orders, gross and refunds for members at order "
        "time, at the start and at any time; the figures of all are equal, or the bench stops."
    )
    section.say(
        "**Regulars** counts everything its page shows (by day, buyers, bridge, joining orders). "
        "*First* reads the log after a start of the program; *anew* is after a load, when all "
        "orders are read again. **DuckDB** is SQL written by hand over the same file with the "
        "intervals ready in a table"
        + (
            f"; **PostgreSQL** has these tables with {len(INDEXES)} covering indexes, vacuumed, "
            f"and {', '.join(f'{name} {value}' for name, value in SETTINGS.items() if value)}. "
            "Each peer answers one statement per tracking, asked once."
            if postgres is not None
            else ". It answers one statement per tracking, asked once."
        )
    )


def _side_by_side(
    warehouse: Warehouse, peers: dict[str, Callable[[str], tuple[Any, ...]]], rounds: int
) -> Table:
    table = Table(
        (
            "days of each",
            "Regulars first ms",
            "Regulars anew ms",
            *(f"{name} ms" for name in peers),
            *(f"{name} ÷ Regulars anew" for name in peers),
        )
    )
    for days in (30, 365):
        asked = _asked(days)
        counter = Counter(warehouse)
        first = milliseconds(partial(counter.figures, asked))
        anew = _anew(warehouse, counter, asked, rounds)
        mine = [numbers(one) for one in counter.figures(asked)]
        took = [_peer(name, ask, asked, mine) for name, ask in peers.items()]
        cells = (number(one) for one in (first, anew, *took))
        table.add(str(days), *cells, *(times(one / anew) for one in took))
    return table


def _peer(
    name: str, ask: Callable[[str], tuple[Any, ...]], asked: list[Asked], mine: list[list[int]]
) -> float:
    """Return what a peer takes for all trackings, which must come to the same."""
    theirs: list[list[int]] = []
    took = milliseconds(lambda: theirs.extend(by_hand(name, ask, one) for one in asked))
    if theirs != mine:
        raise AssertionError(f"{name} counts otherwise")
    return took


def _asked(days: int) -> list[Asked]:
    return [Asked(place, period(place, days), ZONE) for place in range(TRACKINGS)]


def _anew(warehouse: Warehouse, counter: Counter, asked: list[Asked], rounds: int) -> float:
    """Return the median time of counting after a transaction that may have changed anything."""
    found = []
    for _ in range(rounds):
        with warehouse.transaction():
            pass
        found.append(milliseconds(lambda: counter.figures(asked)))
    return sorted(found)[rounds // 2]


def _arrivals(warehouse: Warehouse) -> Table:
    """Tell what each new order costs while the figures of all trackings are watched."""
    table = Table(
        ("days of each", "writing the order ms", "all figures after it ms", "slowest of them ms")
    )
    for days in (30, 365):
        asked = _asked(days)
        counter = Counter(warehouse)
        counter.figures(asked)
        writes, looks = [], []
        for place in range(ARRIVALS):
            order = _order(days * 1000 + place)
            writes.append(milliseconds(partial(warehouse.apply, [order], at=order.processed_at)))
            looks.append(milliseconds(partial(counter.figures, asked)))
        mended = counter.figures(asked)
        if mended != Counter(warehouse).figures(asked):
            raise AssertionError("counting the difference comes to something else")
        table.add(
            str(days),
            number(sorted(writes)[ARRIVALS // 2]),
            number(sorted(looks)[ARRIVALS // 2]),
            number(max(looks)),
        )
    return table


def _order(place: int) -> OrderFact:
    placed_at = datetime(2026, 9, 10, tzinfo=UTC) + timedelta(minutes=place)
    return OrderFact(
        order_id=f"9{place:09}",
        customer_id=str(7_000_000 + place * 37),
        processed_at=placed_at,
        updated_at=placed_at,
        total_amount=2_500,
    )


def period(place: int, days: int) -> Period:
    first = FIRST_DAY + timedelta(days=place % 7)
    return Period(first, first + timedelta(days=days - 1), ZONE)


def numbers(figures: Figures) -> list[int]:
    found = []
    for one in (figures.populations[name].sums for name in ("ever", "start", "order_time")):
        found += [one.orders, one.gross_amount, one.refunded_amount]
    return found


def by_hand(name: str, ask: Callable[[str], tuple[Any, ...]], asked: Asked) -> list[int]:
    first, last = (f"TIMESTAMP '{inside(bound)}'" for bound in asked.bounds)
    members = MEMBERS[name].format(segment=asked.segment_id)
    text = BY_HAND.format(segment=asked.segment_id, starts=first, ends=last, members=members)
    return [int(value) for value in ask(text)]
