"""Trackings over 10M orders: the product beside hand-written SQL on DuckDB.

    python -m bench.tracking --orders 10000000 --trackings 50 --days 30

Both count the same: orders, gross, refunds of the three populations. The hand-written SQL reads a
ready table of intervals, the product the append-only log.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import typer
from rich.console import Console

from regulars.tracking import POPULATIONS, Asked, Counter, Figures, Period
from regulars.warehouse import Warehouses
from regulars.warehouse.columns import inside

ZONE = ZoneInfo("Asia/Tokyo")
FIRST_DAY = date(2026, 9, 1)
SEGMENTS = 50

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
    CASE WHEN EXISTS (SELECT 1 FROM m WHERE m.customer_no = o.customer_no
      AND m.joined_at < o.processed_at AND m.left_at >= o.processed_at) THEN 1 ELSE 0 END AS a
  FROM orders o JOIN p ON p.customer_no = o.customer_no
  WHERE NOT o.is_test AND o.cancelled_at IS NULL
    AND o.processed_at >= {starts} AND o.processed_at < {ends}
) q
"""  # noqa: E501


def main(orders: int = 10_000_000, trackings: int = 50, days: int = 30) -> None:
    """Measure, and say whether all agree."""
    told = Console()
    with tempfile.TemporaryDirectory() as folder:
        warehouse = Warehouses(Path(folder)).of(1)
        with warehouse.transaction() as cursor:
            cursor.execute(ORDERS, {"orders": orders})
            cursor.execute(LOG, {"orders": orders})
        warehouse.checkpoint()
        asked = [Asked(n % SEGMENTS, period(n, days), ZONE) for n in range(trackings)]
        counter = Counter(warehouse)
        _, cold = timed(lambda: counter.figures(asked))
        figures, again = timed(lambda: counter.figures(asked))
        after = []
        for _ in range(3):
            with warehouse.transaction():
                pass
            figures, seconds = timed(lambda: counter.figures(asked))
            after.append(seconds)
        _, parts = timed(lambda: counter.breakdown(asked[0], "ever"))
        told.print(f"product, first time (reads the log)   {cold:8.3f} s for {trackings}")
        told.print(f"product, after new facts              {sorted(after)[1]:8.3f} s")
        told.print(f"product, nothing new                  {again:8.5f} s")
        told.print(f"product, breakdown of one             {parts:8.3f} s")
        mine = [numbers(one) for one in figures]
        with warehouse.transaction() as cursor:
            cursor.execute("CREATE TABLE intervals AS SELECT * FROM membership_intervals")
        with warehouse.reader() as cursor:
            theirs, seconds = timed(lambda: [by_hand(cursor, one) for one in asked])
        told.print(f"DuckDB by hand, intervals kept        {seconds:8.3f} s")
        told.print(f"all equal: {theirs == mine}")


def period(number: int, days: int) -> Period:
    first = FIRST_DAY + timedelta(days=number % 7)
    return Period(first, first + timedelta(days=days - 1), ZONE)


def numbers(figures: Figures) -> list[int]:
    found = []
    for name in ("ever", "start", "order_time"):
        sums = figures.populations[POPULATIONS[POPULATIONS.index(name)]].sums
        found += [sums.orders, sums.gross_amount, sums.refunded_amount]
    return found


def by_hand(cursor: Any, asked: Asked) -> list[int]:
    first, last = (f"TIMESTAMP '{inside(bound)}'" for bound in asked.bounds)
    text = BY_HAND.format(segment=asked.segment_id, starts=first, ends=last)
    (row,) = cursor.execute(text).fetchall()
    return [int(value) for value in row]


def timed(function: Callable[[], Any]) -> tuple[Any, float]:
    start = time.perf_counter()
    return function(), time.perf_counter() - start


if __name__ == "__main__":
    typer.run(main)
