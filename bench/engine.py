"""The engine beside SQL written by hand: 22 rules, an edited condition, set work, one customer.

    python -m bench.engine [--customers 100000] [--rounds 5] [--no-postgres]

Every peer's ids are compared with ours before anything is timed; a peer that differs stops the
bench. Rounds are interleaved; medians are told. The peers get the same file (DuckDB), or the same
rows with indexes and VACUUM (PostgreSQL), and hand over their ids in the quickest way they have.
"""

from __future__ import annotations

import argparse
import gc
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
from pyroaring import BitMap
from rich.console import Console
from rich.table import Table

from bench.postgres import Postgres
from bench.rules import RULES
from bench.shop import AS_OF, fill
from regulars.engine import Context, SetEvaluator, compile_query
from regulars.engine.sets import AnswerCache
from regulars.language import parse
from regulars.language.tree import Node
from regulars.warehouse.warehouse import Warehouse, WarehouseSettings

Ids = np.ndarray
CONSOLE = Console(width=120)
CONTEXT = Context(AS_OF, ZoneInfo("Asia/Tokyo"), "USD")


def milliseconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return (time.perf_counter() - start) * 1000


def medians(rounds: int, works: dict[str, Callable[[], object]]) -> dict[str, float]:
    """Time the works in turn, round after round."""
    times: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(rounds):
        for name, work in works.items():
            times[name].append(milliseconds(work))
    return {name: statistics.median(found) for name, found in times.items()}


class Engines:
    """Our evaluator and the peers over the same data."""

    def __init__(self, warehouse: Warehouse, postgres: Postgres | None) -> None:
        self.warehouse = warehouse
        self.postgres = postgres
        self.cursor = warehouse._connection.cursor()  # noqa: SLF001 - the peer gets the same open file
        self.cache = AnswerCache()
        self.evaluator = SetEvaluator(warehouse, cache=self.cache)

    def ours(self, tree: Node) -> BitMap:
        """Evaluate in a running program that was never asked this: only who there is, is kept."""
        self.cache.forget(lambda key: key[0] != "universe")
        return self.evaluator.members(tree, CONTEXT)

    def duckdb(self, sql: str) -> Ids:
        return self.cursor.execute(sql).fetchnumpy()["customer_no"]

    def works(self, tree: Node, sql: str) -> dict[str, Callable[[], object]]:
        works: dict[str, Callable[[], object]] = {
            "ours": lambda: self.ours(tree),
            "duckdb": lambda: self.duckdb(sql),
        }
        if self.postgres is not None:
            postgres = self.postgres
            works["postgres"] = lambda: postgres.ids(sql)
        return works


def check_equal(engines: Engines, name: str, tree: Node, sql: str) -> int:
    """Compare the ids of all engines; return how many there are."""
    ours = engines.ours(tree)
    peers = {"duckdb": engines.duckdb(sql)}
    if engines.postgres is not None:
        peers["postgres"] = engines.postgres.ids(sql)
    for peer, ids in peers.items():
        if BitMap(ids.tolist()) != ours:
            raise SystemExit(f"{name}: {peer} found {len(set(ids.tolist()))}, we {len(ours)}")
    return len(ours)


def rules(engines: Engines, rounds: int) -> None:
    table = Table("rule", "ids", *engines.works(parse("amount_spent > 0"), ""), "duckdb ÷ ours")
    totals: dict[str, float] = {}
    ratios = []
    for name, (query, sql) in RULES.items():
        tree = parse(query)
        count = check_equal(engines, name, tree, sql)
        found = medians(rounds, engines.works(tree, sql))
        ratios.append(found["duckdb"] / found["ours"])
        for engine, took in found.items():
            totals[engine] = totals.get(engine, 0) + took
        table.add_row(
            name, f"{count:,}", *(f"{x:.2f}" for x in found.values()), f"{ratios[-1]:.2f}"
        )
    table.add_row("total", "", *(f"{x:.1f}" for x in totals.values()))
    CONSOLE.print(table)
    told = {engine: f"{took / totals['ours']:.2f}" for engine, took in totals.items()}
    CONSOLE.print(f"totals against ours {told}; geometric mean of duckdb ÷ ours "
                  f"{statistics.geometric_mean(ratios):.2f}")  # fmt: skip


def edited(engines: Engines, rounds: int) -> None:
    """Change one condition of six; ours keeps the other five."""
    evaluator = SetEvaluator(engines.warehouse)
    rest = (
        " AND NOT customer_tags CONTAINS 't1' AND products_purchased MATCHES (tag = 'tag2')"
        " AND orders_placed MATCHES (count >= 2, date >= -365d) AND number_of_orders >= 2"
        " AND last_order_date >= -400d"
    )
    sql = (
        "SELECT count(*) FROM customers c WHERE spent_amount >= {amount} AND NOT EXISTS (SELECT 1"
        " FROM customer_tags t WHERE t.customer_no = c.customer_no AND tag_key = 't1') AND"
        " customer_no IN (SELECT l.customer_no FROM lines l JOIN orders o ON o.order_id = l.order_id"  # noqa: E501
        " AND NOT o.is_test AND o.cancelled_at IS NULL WHERE l.product_id IN (SELECT product_id FROM"  # noqa: E501
        " product_tags WHERE tag_key = 'tag2')) AND customer_no IN (SELECT customer_no FROM orders o"  # noqa: E501
        " WHERE NOT o.is_test AND o.cancelled_at IS NULL AND processed_at >= '2025-11-19 15:00'"
        " GROUP BY 1 HAVING count(*) >= 2) AND order_count >= 2 AND"
        " last_order_at >= '2025-10-15 15:00'"
    )
    amounts = iter(range(101, 10_000))

    def ours() -> int:
        return evaluator.counts(parse(f"amount_spent >= {next(amounts)}" + rest), CONTEXT).total

    def theirs(amount: int) -> int:
        return int(engines.cursor.execute(sql.format(amount=amount * 100)).fetchone()[0])

    start = evaluator.counts(parse("amount_spent >= 100" + rest), CONTEXT).total
    if start != theirs(100):
        raise SystemExit(f"edited rule: duckdb counts {theirs(100)}, we {start}")
    works: dict[str, Callable[[], object]] = {"ours": ours, "duckdb": lambda: theirs(next(amounts))}
    if engines.postgres is not None:
        postgres = engines.postgres
        works["postgres"] = lambda: postgres.value(sql.format(amount=next(amounts) * 100))
    say("one condition of six edited, all counts", medians(rounds * 3, works))


def set_operations(engines: Engines, rounds: int) -> None:
    left = engines.ours(parse("number_of_orders >= 2"))
    right = engines.ours(parse("amount_spent >= 300"))
    engines.cursor.execute("CREATE OR REPLACE TEMP TABLE a AS SELECT customer_no FROM customers"
                           " WHERE order_count >= 2")  # fmt: skip
    engines.cursor.execute("CREATE OR REPLACE TEMP TABLE b AS SELECT customer_no FROM customers"
                           " WHERE spent_amount >= 30000")  # fmt: skip
    for name, ours, word in (
        ("AND", lambda: left & right, "INTERSECT"),
        ("OR", lambda: left | right, "UNION"),
        ("EXCEPT", lambda: left - right, "EXCEPT"),
    ):
        sql = f"SELECT customer_no FROM a {word} SELECT customer_no FROM b"
        if BitMap(engines.duckdb(sql).tolist()) != ours():
            raise SystemExit(f"{name} differs")
        works = {"ours": ours, "duckdb": lambda sql=sql: engines.duckdb(sql)}
        say(f"{name} of {len(left):,} and {len(right):,}", medians(rounds * 3, works))


def one_customer(engines: Engines, rounds: int) -> None:
    """A hundred rules about one customer, as when an order arrives."""
    queries = [query for query, _ in RULES.values()]
    trees = [parse(queries[index % len(queries)]) for index in range(100)]
    asked = [compile_query(tree, CONTEXT) for tree in trees]
    numbers = list(range(0, 2000, 10))
    records = engines.warehouse.records(numbers)
    sets = [engines.ours(tree) for tree in trees[: len(queries)]]
    for record in records:
        for members, matches in zip(sets, asked, strict=False):
            if matches(record) is not (record.customer_no in members):
                raise SystemExit(f"customer {record.customer_no}: the evaluators differ")
    times = [milliseconds(lambda r=r: [matches(r) for matches in asked]) for r in records * rounds]
    found = sorted(times)
    CONSOLE.print(f"one customer × 100 rules: median {statistics.median(found):.3f} ms, "
                  f"p99 {found[int(len(found) * 0.99)]:.3f} ms over {len(records)} customers")  # fmt: skip  # noqa: E501
    if engines.postgres is not None:
        parts = [sql for _, sql in RULES.values()]
        booleans = ", ".join(
            f"%(no)s IN (SELECT customer_no FROM ({parts[i % len(parts)]}) q{i} WHERE customer_no ="
            f" %(no)s)"
            for i in range(100)
        )
        one = f"SELECT {booleans}"
        times = [
            milliseconds(lambda n=n: engines.postgres.row(one, {"no": n})) for n in numbers[:20]
        ]
        CONSOLE.print(
            f"  postgres, one query of 100 rules: median {statistics.median(times):.1f} ms"
        )


def say(name: str, found: dict[str, float]) -> None:
    told = ", ".join(f"{engine} {took:.3f} ms" for engine, took in found.items())
    ratios = ", ".join(
        f"{engine} ÷ ours {took / found['ours']:.1f}"
        for engine, took in found.items()
        if engine != "ours"
    )
    CONSOLE.print(f"{name}: {told} ({ratios})")


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--customers", type=int, default=100_000)
    arguments.add_argument("--rounds", type=int, default=5)
    arguments.add_argument("--postgres", action=argparse.BooleanOptionalAction, default=True)
    given = arguments.parse_args()
    gc.freeze()
    with tempfile.TemporaryDirectory(prefix="bench-engine-") as folder:
        warehouse = Warehouse(Path(folder) / "bench.duckdb", WarehouseSettings())
        fill(warehouse, given.customers)
        sizes = warehouse._connection.execute(  # noqa: SLF001
            "SELECT (SELECT count(*) FROM customers), (SELECT count(*) FROM orders),"
            " (SELECT count(*) FROM lines)"
        ).fetchone()
        CONSOLE.print("customers {:,}, orders {:,}, lines {:,}".format(*sizes))
        with Postgres.started(given.postgres, CONSOLE) as postgres:
            if postgres is not None:
                postgres.fill(warehouse)
            engines = Engines(warehouse, postgres)
            rules(engines, given.rounds)
            edited(engines, given.rounds)
            set_operations(engines, given.rounds)
            one_customer(engines, given.rounds)
        warehouse.close()


if __name__ == "__main__":
    main()
