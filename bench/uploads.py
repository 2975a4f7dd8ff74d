"""How long a large CSV file takes on its way into a list, and how much memory.

Ten rows a customer: half of them are found, one in ten is written twice, the others wait. The same
file a tenth as long stands beside it: what grows with the file shows between the two.
"""

from __future__ import annotations

import gc
import os
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.report import Options, Section, Table, number
from bench.shop import AS_OF, STATEMENTS
from regulars.bootstrap import open_runtime
from regulars.clock import SettableClock
from regulars.jobs import Jobs
from regulars.office import Shop, create_shop
from regulars.segments import uploads
from regulars.settings import Settings

ROWS_PER_CUSTOMER = 10
PAGE = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096


@dataclass
class Taken:
    """What one step took."""

    seconds: float = 0.0
    #: The most memory above that before the step, in megabytes.
    megabytes: float = 0.0


def measure(options: Options) -> list[Section]:
    section = Section("Uploads: from a CSV file to a segment")
    whole = options.customers * ROWS_PER_CUSTOMER
    table = Table(("step", "rows", "seconds", "rows/s", "memory at the most, MB"))
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(home=Path(folder) / "home")
        with open_runtime(settings=settings, clock=SettableClock(AS_OF)) as runtime:
            with runtime.office.session() as session:
                shop = create_shop(session, name="bench", now=AS_OF, currency="JPY")
            with runtime.warehouse(shop).transaction() as cursor:
                # Customers are all that a list looks at.
                for statement in (STATEMENTS[0], STATEMENTS[3]):
                    given = {"n": options.customers * 6} if "$n" in statement else None
                    cursor.execute(statement, given)
            jobs = Jobs(runtime)
            for rows in (whole // 10, whole):
                file = _file(Path(folder) / f"{rows}.csv", rows)
                for step, taken in _upload(jobs, shop, file, f"{rows}").items():
                    speed = number(rows / taken.seconds) if taken.seconds else "–"
                    megabytes = f"{taken.megabytes:,.0f}"
                    table.add(step, f"{rows:,}", number(taken.seconds), speed, megabytes)
    section.say(
        f"A shop with {options.customers * 6:,} customers; a file of e-mail addresses. Memory is"
        " what the process had more than before the step, seen every 5 ms."
    )
    section.show(table)
    return [section]


def _file(path: Path, rows: int) -> Path:
    with path.open("w", encoding="utf-8") as out:
        out.write("email,note\n")
        for row in range(rows):
            # Every second one is a customer's, every tenth one stands there twice.
            number_of = row - 1 if row % 10 == 9 else row
            name = f"c{number_of // 2}" if number_of % 2 == 0 else f"nobody{number_of}"
            out.write(f"{name}@example.com,row {row}\n")
    return path


def _upload(jobs: Jobs, shop: Shop, file: Path, name: str) -> dict[str, Taken]:
    parts = jobs.uploads(shop)
    taken: dict[str, Taken] = {}
    with file.open("rb") as source, _watched(taken, "received"):
        upload = uploads.receive(parts, source, file_name=file.name, author="bench", now=AS_OF)
    with parts.office.session() as session:
        uploads.begin_check(session, shop, upload.id, upload.columns)
    with _watched(taken, "checked"):
        uploads.run_check(parts, upload.id)
    with _watched(taken, "made into a segment"):
        uploads.apply_upload(
            parts,
            upload.id,
            author="bench",
            now=AS_OF,
            name=name,
            later=lambda session, one: jobs.refresh_segment_later(session, shop, one.id, "created"),
        )
        jobs.run_until_idle()
    return taken


@contextmanager
def _watched(taken: dict[str, Taken], step: str) -> Iterator[None]:
    gc.collect()
    before, most = _resident(), [0]
    ended = threading.Event()
    watching = threading.Thread(target=_watch, args=(ended, most, _resident))
    watching.start()
    start = time.perf_counter()
    try:
        yield
    finally:
        seconds = time.perf_counter() - start
        ended.set()
        watching.join()
        taken[step] = Taken(seconds, max(0, most[0] - before) / 1024**2)


def _watch(ended: threading.Event, most: list[int], look: Callable[[], int]) -> None:
    while not ended.wait(0.005):
        most[0] = max(most[0], look())


def _resident() -> int:
    """Return the bytes that this process holds in memory; 0 where the system does not tell."""
    try:
        return int(Path("/proc/self/statm").read_text("ascii").split()[1]) * PAGE
    except OSError:
        return 0
