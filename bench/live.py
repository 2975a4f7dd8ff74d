"""Live: webhooks at a rate to the real app, a hundred changed customers, and midnight.

Webhooks go over HTTP to `regulars serve` in a process of its own, with 100 and with 200 segments.
What PostgreSQL and Mautic's algorithm on MariaDB do with the same changes is measured beside ours;
the members of every segment are compared before a time is told.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pyroaring import BitMap
from sqlalchemy import func, select

from bench import mariadb, webhooks
from bench.mariadb import MariaDB
from bench.postgres import TABLES, Postgres
from bench.report import CONSOLE, Options, Section, Table, milliseconds, number, times
from bench.shop import AS_OF, fill
from bench.suite import _STARTS, suite
from regulars import segments
from regulars.bootstrap import find_running, open_runtime
from regulars.clock import Clock, SettableClock, system_clock
from regulars.jobs import live
from regulars.office import Office, Shop, create_shop
from regulars.office.models.inbox import InboxEvent
from regulars.runtime import Runtime
from regulars.segments import proof, refresh_day
from regulars.shopify import facts_from_webhook
from regulars.warehouse import Warehouses

#: Rates per second, and for how many seconds; the second is a burst.
STEADY = (200, 15)
BURST = (1000, 2)
#: The bench stops where webhooks still wait so long after the last answer.
PATIENCE_SECONDS = 60
#: An app that uses less of a core than this has nothing to do.
REST_SHARE = 0.1
CHANGED = 100
MADE_AT_ONCE = 10
#: Mautic's algorithm takes seconds for a segment: so many of the 200 are enough to compare.
SAMPLE = 20
#: The shop's midnight after `AS_OF`, and when the days of that day's queries began.
MIDNIGHT = datetime(2026, 11, 20, 15, tzinfo=UTC)


@dataclass
class Home:
    """A home folder with one shop and its segments."""

    runtime: Runtime
    shop: Shop
    #: SQL by segment id.
    queries: Mapping[int, str]

    def members(self, segment_id: int) -> BitMap:
        return self.runtime.memberships(self.shop).members(segment_id)


@contextmanager
def home(
    folder: Path, clock: Clock, customers: int, filled: Path | None, *, every: int = 1
) -> Iterator[Home]:
    """Open a new home whose shop is filled, or takes over a filled file.

    It has the 200 segments, or every second of them, and so on.
    """
    if filled is not None:
        (folder / "shops").mkdir(parents=True)
        shutil.copy(filled, folder / "shops" / "1.duckdb")
    with open_runtime(folder, clock=clock) as runtime:
        with runtime.office.session() as session:
            shop = create_shop(
                session, name="bench", now=clock(), time_zone="Asia/Tokyo", currency="USD"
            )
            shop.domain = webhooks.DOMAIN
            # As the schedule sets it on a shop's first day.
            shop.day_changed_on = clock().astimezone(shop.zone).date()
        if filled is None:
            fill(runtime.warehouse(shop), customers, is_laid=True)
        with runtime.office.session() as session:
            made = {
                segments.create_segment(
                    session, shop, name=f"S{place}", query=query, author="bench", now=clock()
                ).id: sql
                for place, (query, sql) in enumerate(suite()[0][::every])
            }
        parts = (runtime.office, runtime.warehouse(shop), runtime.memberships(shop), shop)
        # Bit by bit, as people make them: the members of 200 segments fill no single transaction.
        for start in range(0, len(made), MADE_AT_ONCE):
            some = list(made)[start : start + MADE_AT_ONCE]
            segments.refresh(*parts, some, cause="created", now=clock())
        yield Home(runtime, shop, made)


# -- webhooks --------------------------------------------------------------------------------------


def over_http(folder: Path, customers: int, filled: Path, *, every: int) -> Section:
    """Send webhooks to the app; tell how long answers took, and how long members."""
    with home(folder, system_clock, customers, filled, every=every) as ours:
        section = Section(f"Live: webhooks to members of {len(ours.queries)} segments")
    table = Table(
        (
            "webhooks",
            "sent",
            "answered p50 ms",
            "p99 ms",
            "max ms",
            "in the log p50 ms",
            "p99 ms",
            "app's CPU s a 1,000",
        )
    )
    first, rested = 1, 0.0
    with _served(folder) as (port, pid):
        for name, (rate, seconds) in (
            ("a second to warm up", (STEADY[0], 1)),
            (f"{STEADY[0]} a second for {STEADY[1]} s", STEADY),
            (f"a burst of {BURST[0]:,} a second for {BURST[1]} s", BURST),
        ):
            numbers = range(first, first + rate * seconds)
            first = numbers.stop
            before = _cpu_seconds(pid)
            sent = webhooks.send(port, numbers, customers, rate)
            drained = _drain(folder)
            if sent.refused:
                raise SystemExit(f"{sent.refused} webhooks were refused")
            waited = _waited(folder, numbers.start, first)
            rested = _rest(pid) if numbers.start == 1 else rested
            table.add(
                name,
                f"{len(sent.seconds):,}",
                *(number(sent.share(part)) for part in (0.5, 0.99, 1.0)),
                *(number(webhooks.share(waited, part) * 1000) for part in (0.5, 0.99)),
                number((_cpu_seconds(pid) - before) / len(sent.seconds) * 1000),
            )
        after = f"After the burst the rest was in the log within {number(drained)} s."
    section.say(
        f"{customers:,} customers; `regulars serve` in a process of its own, the sender on the same"
        " cores. An answer's time counts from when its webhook was due; a webhook is in the log"
        " when its facts and the memberships of its customer are committed, and its time counts"
        " from when it was kept. After the first second the app was left alone for"
        f" {number(rested)} s, until those who ordered last were in its memory."
    )
    section.show(table)
    _check(folder, first - 1)
    section.say(f"{after} All {first - 1:,} were applied, and every segment's members are right.")
    return section


def _rest(pid: int) -> float:
    """Wait until the app has nothing to do; return how long that took."""
    start = time.perf_counter()
    idle_seconds, before = 0, _cpu_seconds(pid)
    while idle_seconds < 2 and time.perf_counter() - start < PATIENCE_SECONDS:
        time.sleep(1)
        used = _cpu_seconds(pid)
        idle_seconds = idle_seconds + 1 if used - before < REST_SHARE else 0
        before = used
    return time.perf_counter() - start


def _cpu_seconds(pid: int) -> float:
    """Return how much of all cores a process has used, its threads included."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def _served(folder: Path) -> Iterator[tuple[int, int]]:
    """Give the port of the app in a process of its own, and the process's number."""
    given = {"REGULARS_HOME": str(folder), "REGULARS_API_SECRET": webhooks.SECRET}
    server = subprocess.Popen(
        [sys.executable, "-m", "regulars", "serve", "--port", "0"],
        env=os.environ | given,
        stdout=subprocess.DEVNULL,
    )
    try:
        while (running := find_running(folder)) is None:
            if server.poll() is not None:
                raise SystemExit("the app did not start")
            time.sleep(0.1)
        yield int(running.url.rpartition(":")[2]), server.pid
    finally:
        server.terminate()
        server.wait()


def _drain(folder: Path) -> float:
    """Wait until nothing waits; return how long that took."""
    start = time.perf_counter()
    office = open_office(folder)
    open_ = select(func.count(), func.max(InboxEvent.attempt_count))
    while True:
        with office.reading() as session:
            waiting, tries = session.execute(open_.where(InboxEvent.state != "applied")).one()
        if not waiting:
            office.close()
            return time.perf_counter() - start
        if tries:
            raise SystemExit("a webhook could not be applied")
        if time.perf_counter() - start > PATIENCE_SECONDS:
            raise SystemExit(f"{waiting:,} webhooks still wait after {PATIENCE_SECONDS} s")
        time.sleep(0.05)


def open_office(folder: Path):
    """Open the office's database beside the running app, to read only."""

    return Office(f"sqlite:///{folder / 'office.db'}")


def _waited(folder: Path, first: int, stop: int) -> list[float]:
    office = open_office(folder)
    asked = select(InboxEvent.event_id, InboxEvent.received_at, InboxEvent.applied_at)
    with office.reading() as session:
        rows = session.execute(asked).all()
    office.close()
    numbered = ((int(name.rpartition("-")[2]), (applied - got)) for name, got, applied in rows)
    return [waited.total_seconds() for place, waited in numbered if first <= place < stop]


def _check(folder: Path, sent: int) -> None:
    with open_runtime(folder) as runtime:
        with runtime.office.reading() as session:
            shop = session.scalars(select(Shop)).one()
            applied = select(func.count()).where(InboxEvent.state == "applied")
            if session.scalar(applied) != sent:
                raise SystemExit("not every acknowledged webhook was applied")
        parts = (runtime.office, runtime.warehouse(shop), runtime.memberships(shop), shop)
        wrong = [one.name for one in proof.verify(*parts, now=runtime.clock()) if not one.is_right]
    if wrong:
        raise SystemExit(f"members are wrong: {wrong}")


# -- changed customers and midnight ----------------------------------------------------------------


@dataclass
class Peers:
    """The servers beside us, filled with the same rows and members."""

    ours: Home
    postgres: Postgres | None
    maria: MariaDB | None

    @property
    def sample(self) -> Sequence[int]:
        return sorted(self.ours.queries)[:SAMPLE]

    def fill(self, folder: Path) -> None:
        warehouse = self.ours.runtime.warehouse(self.ours.shop)
        if self.postgres is not None:
            self.postgres.fill(warehouse)
            self.postgres.run(
                "CREATE TABLE members (segment_id int, customer_no int,"
                " PRIMARY KEY (segment_id, customer_no))"
            )
            for segment_id, sql in self.ours.queries.items():
                self.postgres.run(
                    f"INSERT INTO members SELECT {segment_id}, q.customer_no FROM ({sql}) q"
                )
            self.postgres.run("VACUUM (ANALYZE) members")
        if self.maria is not None:
            self.maria.fill(warehouse, folder)
            for segment_id in self.sample:
                self.maria.list_members(segment_id, self.ours.queries[segment_id])

    def compare(self) -> None:
        """Stop the bench where a peer has other members than we."""
        for segment_id in self.ours.queries:
            mine = self.ours.members(segment_id)
            asked = f"SELECT customer_no FROM members WHERE segment_id = {segment_id}"
            if self.postgres is not None and BitMap(self.postgres.ids(asked).tolist()) != mine:
                raise SystemExit(f"PostgreSQL differs on segment {segment_id}")
            if self.maria is not None and segment_id in self.sample:
                listed = BitMap(self.maria.listed(segment_id))
                if listed != mine:
                    raise SystemExit(f"MariaDB differs on segment {segment_id}: {listed ^ mine}")


def changes(peers: Peers, customers: int) -> dict[str, float]:
    """Let a hundred customers order once, everywhere; return the milliseconds of each."""
    ours = peers.ours
    # As the app does soon after its start.
    ours.runtime.warehouse(ours.shop).remember()
    facts = []
    for place in range(CHANGED):
        told = webhooks.order(5_000_000 + place, customers, AS_OF + timedelta(seconds=place))
        facts += facts_from_webhook("orders/create", told, AS_OF, "USD")
    found: dict[str, float] = {}
    now = ours.runtime.clock()
    _time(found, "ours", lambda: live.apply_facts(ours.runtime, ours.shop, facts, now=now))
    nos = _tell_peers(peers, sorted({fact.customer_id or "" for fact in facts}))
    if peers.postgres is not None:
        server = peers.postgres
        _time(found, "postgres", lambda: server.follow(ours.queries, nos))
        known = {one: ours.queries[one] for one in peers.sample}
        _time(found, "postgres sample", lambda: server.follow(known, nos))
    if peers.maria is not None:
        _time(found, "maria sample", lambda: _rebuild(peers, lambda sql: sql))
    return found


def _tell_peers(peers: Peers, ids: Sequence[str]) -> list[int]:
    """Bring the peers' tables to what we have of these customers; return their numbers."""
    warehouse = peers.ours.runtime.warehouse(peers.ours.shop)
    nos = sorted(warehouse.customer_nos(ids).values())
    among = f"customer_no IN ({', '.join(map(str, nos))})"
    for table in ("customers", "orders", "lines"):
        columns = ", ".join(one.split()[0] for one in TABLES[table].split(","))
        with warehouse.reader() as cursor:
            rows = cursor.execute(f"SELECT {columns} FROM {table} WHERE {among}").fetchall()
        for server in (peers.postgres, peers.maria):
            if server is not None:
                name = "lines_" if table == "lines" and server is peers.maria else table
                server.run(f"DELETE FROM {name} WHERE {among}")
                server.run(f"INSERT INTO {name} VALUES {mariadb.literals(rows)}")
    return nos


def midnight(peers: Peers, clock: SettableClock) -> dict[str, float]:
    """Let the shop's day change everywhere; return the milliseconds of each."""
    ours = peers.ours
    clock.instant = MIDNIGHT
    runtime, shop = ours.runtime, ours.shop
    parts = (runtime.office, runtime.warehouse(shop), runtime.memberships(shop), shop)
    found: dict[str, float] = {}
    _time(found, "ours", lambda: refresh_day(*parts, now=MIDNIGHT))
    if peers.postgres is not None:
        server = peers.postgres
        tomorrow = {one: next_day(sql) for one, sql in ours.queries.items()}
        _time(found, "postgres", lambda: server.rebuild(tomorrow))
        known = {one: tomorrow[one] for one in peers.sample}
        _time(found, "postgres sample", lambda: server.rebuild(known))
    if peers.maria is not None:
        _time(found, "maria sample", lambda: _rebuild(peers, next_day))
    return found


def next_day(sql: str) -> str:
    """Write a query for the day after."""
    for start in _STARTS.values():
        later = datetime.fromisoformat(start) + timedelta(days=1)
        sql = sql.replace(start, f"{later:%Y-%m-%d %H:%M}")
    return sql


def _time(found: dict[str, float], name: str, work: Callable[[], object]) -> None:
    """Time some work, and say so at once: a peer may take many minutes at a million customers."""
    found[name] = milliseconds(work)
    CONSOLE.print(f"{name}: {number(found[name])} ms")


def _rebuild(peers: Peers, written) -> None:
    if peers.maria is not None:
        for segment_id in peers.sample:
            peers.maria.rebuild(segment_id, written(peers.ours.queries[segment_id]))


def beside_peers(folder: Path, options: Options, ours: Home, clock: SettableClock) -> Section:
    """Measure changed customers and midnight, ours and the peers'."""
    section = Section("Live: a hundred changed customers, and midnight")
    with (
        Postgres.started(options.postgres, CONSOLE) as server,
        mariadb.started(options.mariadb) as maria,
    ):
        peers = Peers(ours, server, maria)
        peers.fill(folder)
        peers.compare()
        CONSOLE.print("The peers are filled, and list the same members.")
        changed = changes(peers, options.customers)
        peers.compare()
        new_day = midnight(peers, clock)
        peers.compare()
    table = Table(("work", "Regulars ms", "PostgreSQL ms", "÷", "MariaDB, Mautic's way ms"))
    for name, found in (
        (f"{CHANGED} customers order once", changed),
        ("midnight of the shop", new_day),
    ):
        _tell(table, f"{name}, 200 segments", found, "postgres", "")
        _tell(table, f"{name}, {SAMPLE} of them", found, "postgres sample", "maria sample")
    section.say(
        "Ours is the whole transaction: facts, 200 segments, log, counts. PostgreSQL's is the"
        " difference to a kept table of members, asked only of the changed customers, and of"
        " everybody at midnight; its facts were written before, without being timed. Mautic looks"
        " at everybody each time, in batches of 300; the pauses between its batches are left out."
    )
    section.show(table)
    if peers.postgres is not None:
        section.say("After each of the three every segment had the same members everywhere.")
    return section


def _tell(table: Table, name: str, found: Mapping[str, float], peer: str, other: str) -> None:
    is_whole = not other
    mine = number(found["ours"]) if is_whole else ""
    theirs = found.get(peer)
    ratio = times(theirs / found["ours"]) if is_whole and theirs is not None else ""
    maria = found.get(other)
    cells = [number(theirs) if theirs is not None else "", ratio]
    table.add(name, mine, *cells, number(maria) if maria is not None else "")


def measure(options: Options) -> list[Section]:
    """Measure all of it, or with `--part midnight` the second half alone."""
    is_whole = not options.parts
    if not is_whole and "midnight" not in options.parts:
        return []
    clock = SettableClock(AS_OF)
    with tempfile.TemporaryDirectory(prefix="regulars-bench-") as named:
        folder = Path(named)
        filled = folder / "filled.duckdb"
        with home(folder / "peers", clock, options.customers, None) as ours:
            if is_whole:
                ours.runtime.warehouse(ours.shop).checkpoint()
                shutil.copy(ours.runtime.warehouse(ours.shop).path, filled)
            beside = beside_peers(folder, options, ours, clock)
        if not is_whole:
            return [beside]
        with _emptied(filled, folder / "empty") as ready:
            served = [
                over_http(folder / f"every{every}", options.customers, ready, every=every)
                for every in (2, 1)
            ]
            return [*served, beside]


@contextmanager
def _emptied(filled: Path, folder: Path) -> Iterator[Path]:
    """Give the filled file without the memberships of the other home."""
    folder.mkdir()
    shutil.move(filled, folder / "1.duckdb")
    warehouses = Warehouses(folder)
    with warehouses.of(1).transaction() as cursor:
        cursor.execute("DELETE FROM membership_log")
    warehouses.close()
    yield folder / "1.duckdb"
