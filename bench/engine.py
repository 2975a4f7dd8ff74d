"""The engine beside SQL written by hand: rules, 200 segments, an edit, sets, one customer.

Every peer's ids are compared with ours before anything is timed; a peer that differs stops the
bench. Rounds are interleaved; medians are told. The peers get the same file (DuckDB), or the same
rows with indexes and VACUUM (PostgreSQL), and hand over their ids in the quickest way they have.
"""

from __future__ import annotations

import os
import statistics
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
from pyroaring import BitMap

from bench import frames, tables
from bench.frames import Frames
from bench.postgres import SETTINGS, Postgres
from bench.report import CONSOLE, Options, Section, Table, medians, milliseconds, number, times
from bench.rules import RULES
from bench.shop import AS_OF, fill
from bench.suite import SEGMENTS, suite
from bench.tables import Tables
from regulars.engine import Context, SetEvaluator, compile_query
from regulars.engine.columns import Columns
from regulars.engine.kept import AnswerCache
from regulars.engine.plans import forget_plans
from regulars.language import parse
from regulars.language.tree import Node
from regulars.warehouse.warehouse import Warehouse, WarehouseSettings

Ids = np.ndarray
#: As many as Regulars gives to DuckDB: one core is left to answer requests.
THREADS = max(1, (os.cpu_count() or 2) - 1)
CONTEXT = Context(AS_OF, ZoneInfo("Asia/Tokyo"), "USD")


class Engines:
    """Our evaluator and the peers over the same data."""

    def __init__(
        self, warehouse: Warehouse, postgres: Postgres | None, segments: int = SEGMENTS
    ) -> None:
        self.warehouse = warehouse
        self.segments = segments
        self.postgres = postgres
        #: Peers that hold the rows in this process: name → the peer.
        self.in_memory: dict[str, Frames | Tables] = {}
        if frames.is_there():
            self.in_memory["Polars"] = Frames(warehouse, THREADS)
        if tables.is_there():
            self.in_memory["pandas"] = Tables(warehouse)
        self.cursor = warehouse._connection.cursor()  # noqa: SLF001 - the peer gets the same open file
        self.cache = AnswerCache()
        self.columns = Columns()
        self.evaluator = SetEvaluator(warehouse, cache=self.cache, columns=self.columns)

    def ours(self, tree: Node) -> BitMap:
        """Evaluate in a running program that was never asked this.

        Who there is, is kept, and the columns that other questions looked at.
        """
        self.cache.forget(lambda key: key[0] != "universe")
        forget_plans()
        return self.evaluator.members(tree, CONTEXT)

    def ours_without_columns(self, tree: Node) -> BitMap:
        """Evaluate where no other question has looked at the columns yet."""
        self.columns.forget()
        return self.ours(tree)

    def duckdb(self, sql: str) -> Ids:
        return self.cursor.execute(sql).fetchnumpy()["customer_no"]

    def works(self, tree: Node, sql: str, rule: str) -> dict[str, Callable[[], object]]:
        works: dict[str, Callable[[], object]] = {
            "ours": lambda: self.ours(tree),
            "duckdb": lambda: self.duckdb(sql),
        }
        if self.postgres is not None:
            postgres = self.postgres
            works["postgres"] = lambda: postgres.ids(sql)
        for name, peer in self.in_memory.items():
            works[name.lower()] = lambda peer=peer: peer.ids(rule)
        return works


def check_equal(engines: Engines, name: str, tree: Node, sql: str) -> int:
    """Compare the ids of all engines; return how many there are."""
    ours = engines.ours(tree)
    peers = {"duckdb": engines.duckdb(sql)}
    if engines.postgres is not None:
        peers["postgres"] = engines.postgres.ids(sql)
    for peer, held in engines.in_memory.items():
        peers[peer.lower()] = held.ids(name.partition(" ")[0])
    for peer, ids in peers.items():
        if BitMap(ids.tolist()) != ours:
            raise SystemExit(f"{name}: {peer} found {len(set(ids.tolist()))}, we {len(ours)}")
    return len(ours)


def told(table: Table, name: str, found: Mapping[str, float]) -> None:
    """Add one measured line: the medians, then how many times as long each peer took."""
    peers = [times(took / found["ours"]) for engine, took in found.items() if engine != "ours"]
    table.add(name, *(number(took) for took in found.values()), *peers)


def table_of(engines: Engines, first: str, *, in_memory: bool = False) -> Table:
    peers = ["DuckDB"] if engines.postgres is None else ["DuckDB", "PostgreSQL"]
    if in_memory:
        peers += engines.in_memory
    timed = [f"{name} ms" for name in ("Regulars", *peers)]
    return Table([first, *timed, *(f"{peer} ÷ Regulars" for peer in peers)])


def rules(engines: Engines, rounds: int) -> Section:
    section = Section("22 rules, each asked for the first time")
    table = table_of(engines, "rule (customers found)", in_memory=True)
    totals: dict[str, float] = {}
    ratios: dict[str, list[float]] = {}
    bare_ratios: dict[str, list[float]] = {}
    lost = []
    for name, (query, sql) in RULES.items():
        tree = parse(query)
        count = check_equal(engines, name, tree, sql)
        works = engines.works(tree, sql, name.partition(" ")[0])
        # The reading of the columns comes first, so that ours then finds them in memory.
        bare = {"bare": lambda tree=tree: engines.ours_without_columns(tree)}
        found = medians(rounds, bare | works)
        took_bare = found.pop("bare")
        for engine, took in found.items():
            bare_ratios.setdefault(engine, []).append(took / took_bare)
        told(table, f"{name} ({count:,})", found)
        for engine, took in found.items():
            totals[engine] = totals.get(engine, 0) + took
            ratios.setdefault(engine, []).append(took / found["ours"])
        if min(found, key=lambda engine: found[engine]) != "ours":
            lost.append(name.partition(" ")[0])
    told(table, "all 22 one after another", totals)
    section.show(table)
    section.say(f"Geometric mean of the ratios: {_means(ratios)}.")
    section.say(
        "Columns of customers that a question has looked at stay in memory, as they do in the"
        " running program, where whoever changes is read anew; conditions on one value, tag or"
        " place are compared there. Where no question has looked at its columns before, and each"
        f" is read first, the geometric mean is {_means(bare_ratios)}."
    )
    if lost:
        section.say(
            f"A peer is quicker on {len(lost)} of the 22: {', '.join(lost)}. A condition on orders"
            " costs us opening a reader, writing the statement and making a bitmap of the rows,"
            " which the peers' plain statement does not pay."
        )
    return section


def _means(ratios: Mapping[str, Sequence[float]]) -> str:
    peers = [name for name in ratios if name != "ours"]
    told_means = [f"{times(statistics.geometric_mean(ratios[name]))} for {name}" for name in peers]
    return " and ".join(told_means)


def first_build(engines: Engines, rounds: int) -> Section:
    """Two hundred segments from nothing, as on the day that a shop is connected."""
    segments, conditions = suite(engines.segments)
    trees = [parse(query) for query, _ in segments]
    section = Section(f"First build of {len(segments)} segments")
    section.say(
        f"{len(segments)} different segments of one to four conditions each, made of {conditions}"
        " different conditions. The peers answer one statement per segment; Regulars answers each"
        " condition once and joins the sets."
    )

    def ours() -> list[BitMap]:
        engines.cache.forget()
        engines.columns.forget()
        forget_plans()
        return engines.evaluator.members_of_many(trees, CONTEXT)

    def theirs(ids: Callable[[str], Ids]) -> list[Ids]:
        return [ids(sql) for _, sql in segments]

    works: dict[str, Callable[[], object]] = {
        "ours": ours,
        "duckdb": lambda: theirs(engines.duckdb),
    }
    peers = {"duckdb": engines.duckdb}
    if engines.postgres is not None:
        postgres = engines.postgres
        peers["postgres"] = postgres.ids
        works["postgres"] = lambda: theirs(postgres.ids)
    found = ours()
    for peer, ids in peers.items():
        for members, (query, _), theirs_found in zip(found, segments, theirs(ids), strict=True):
            if BitMap(theirs_found.tolist()) != members:
                raise SystemExit(f"{peer} finds others for {query}")
    table = table_of(engines, "work")
    told(table, f"{len(segments)} segments", medians(max(1, rounds // 2), works))
    section.show(table)
    section.say(f"{sum(map(len, found)):,} memberships in all, the same for everybody.")
    return section


def edited(engines: Engines, rounds: int) -> Section:
    """Change one condition of six; ours keeps the other five."""
    section = Section("Preview count, one condition of six edited")
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
    table = table_of(engines, "work")
    told(table, "count after the edit", medians(rounds * 3, works))
    section.show(table)
    section.say(
        "Regulars counts each condition, the running funnel and the total; the peers count the"
        " total alone."
    )
    return section


def set_operations(engines: Engines, rounds: int) -> Section:
    section = Section("AND, OR, EXCEPT of two segments")
    table = Table(["work", "Regulars ms", "DuckDB ms", "DuckDB ÷ Regulars"])
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
        told(
            table,
            f"{name} of {len(left):,} and {len(right):,}",
            medians(rounds * 3, works),
        )
    section.show(table)
    return section


def one_customer(engines: Engines, rounds: int) -> Section:
    """A hundred rules about one customer, as when an order arrives."""
    section = Section("100 rules about one customer")
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
    found = sorted(
        milliseconds(lambda r=r: [matches(r) for matches in asked]) for r in records * rounds
    )
    table = Table(["work", "median ms", "99th percentile ms", "median ÷ Regulars"])
    ours = statistics.median(found)
    last = found[int(len(found) * 0.99)]
    table.add("Regulars, compiled rules on one record", number(ours), number(last), times(1))
    if engines.postgres is not None:
        took = sorted(_postgres_customer(engines.postgres, numbers[:40]))
        middle = statistics.median(took)
        table.add(
            "PostgreSQL, one statement of 100 rules",
            number(middle),
            number(took[-1]),
            times(middle / ours),
        )
    section.show(table)
    section.say(f"Over {len(records)} customers; the customer's facts are already read.")
    return section


def _postgres_customer(postgres: Postgres, numbers: Sequence[int]) -> list[float]:
    parts = [sql for _, sql in RULES.values()]
    booleans = ", ".join(
        f"%(no)s IN (SELECT customer_no FROM ({parts[i % len(parts)]}) q{i} WHERE customer_no ="
        " %(no)s)"
        for i in range(100)
    )
    return [
        milliseconds(lambda n=n: postgres.row(f"SELECT {booleans}", {"no": n})) for n in numbers
    ]


def measure(options: Options) -> list[Section]:
    """Fill a shop of the size asked for, and measure everything over it."""
    with tempfile.TemporaryDirectory(prefix="bench-engine-") as folder:
        warehouse = Warehouse(Path(folder) / "bench.duckdb", WarehouseSettings())
        fill(warehouse, options.customers)
        with Postgres.started(options.postgres, CONSOLE) as postgres:
            if postgres is not None:
                postgres.fill(warehouse)
            engines = Engines(warehouse, postgres, options.segments)
            sections = [
                about(engines),
                *(
                    part(engines, options.rounds)
                    for part in (rules, first_build, edited, set_operations, one_customer)
                    if not options.parts or part.__name__ in options.parts
                ),
            ]
        warehouse.close()
    return sections


def about(engines: Engines) -> Section:
    """Say what is compared with what."""
    with engines.warehouse.reader() as reader:
        ((customers, orders, lines),) = reader.execute(
            "SELECT (SELECT count(*) FROM customers), (SELECT count(*) FROM orders),"
            " (SELECT count(*) FROM lines)"
        ).fetchall()
    section = Section("The engine: what is compared")
    section.say(
        f"{customers:,} customers, {orders:,} orders, {lines:,} order lines, made from hashes."
    )
    section.say(
        "**DuckDB** is SQL written by hand over the very file that Regulars reads, through a kept"
        f" cursor, with the same {THREADS} thread(s): Regulars leaves one core to answer requests."
    )
    if engines.postgres is None:
        section.say("**PostgreSQL** was left out of this run.")
    else:
        version = engines.postgres.value("SHOW server_version")
        tuned = ", ".join(f"{name} {value}" for name, value in SETTINGS.items())
        section.say(
            f"**PostgreSQL {version}** has the same rows, 18 indexes, VACUUM (FREEZE, ANALYZE), and"
            f" {tuned}. Its ids come back as one value, which is its quickest way."
        )
    for name, module in (("Polars", frames), ("pandas", tables)):
        if name not in engines.in_memory:
            section.say(f"**{name}** was not installed, and so was left out of this run.")
            continue
        version = engines.in_memory[name].version
        threads = f"{THREADS} thread(s)" if module is frames else "one thread"
        section.say(
            f"**{name} {version}** has the same rows in memory, and {threads}; it answers the 22"
            " rules."
        )
    section.say(
        "A figure is the median of interleaved rounds, in milliseconds, ids handed to Python"
        " included. A ratio above 1 means that Regulars is quicker."
    )
    return section
