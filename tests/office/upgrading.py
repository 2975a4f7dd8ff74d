"""A process that is killed in the middle of an upgrade: `python -m tests.office.upgrading HOME`.

HOME holds an office and a warehouse of the oldest version. For each place a copy of both: a child
begins the upgrade and is killed before its n-th statement; nothing is tidied up. The product knows
nothing of it.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
from sqlalchemy import event

from regulars.office import Office
from regulars.warehouse import opening

OFFICE, WAREHOUSE = "office.db", "1.duckdb"
#: So many places at which a quick look kills, spread over all.
PLACES = 4


class Counting:
    """Counts statements, and kills the process before one of them."""

    def __init__(self, deadly: int | None) -> None:
        self.count = 0
        self._deadly = deadly

    def __call__(self, *_arguments: object) -> None:
        self.count += 1
        if self.count == self._deadly:
            os.kill(os.getpid(), signal.SIGKILL)


class Watched:
    """A connection whose statements are counted."""

    def __init__(self, inner: duckdb.DuckDBPyConnection, counting: Counting) -> None:
        self._inner = inner
        self._counting = counting

    def execute(self, *arguments: Any) -> Any:
        self._counting()
        return self._inner.execute(*arguments)

    def close(self) -> None:
        self._inner.close()


def upgrade_office(home: Path, counting: Counting) -> None:
    """Bring the office's tables up to date; its commit counts as a statement."""
    office = Office(f"sqlite:///{home / OFFICE}")
    event.listen(office.engine, "before_cursor_execute", counting)
    event.listen(office.engine, "commit", counting)
    office.migrate()
    # Death after the commit, with nothing folded in.
    counting()


def upgrade_warehouse(home: Path, counting: Counting) -> None:
    """Bring a warehouse's tables up to date."""
    connect = duckdb.connect

    def watched(*arguments: Any, **named: Any) -> Watched:
        return Watched(connect(*arguments, **named), counting)

    opening.duckdb.connect = watched  # type: ignore[assignment]
    opening.open_file(home / WAREHOUSE, home / "incoming", opening.WarehouseSettings(threads=1))
    counting()


UPGRADES: dict[str, Callable[[Path, Counting], None]] = {
    "office": upgrade_office,
    "warehouse": upgrade_warehouse,
}


def _counted(upgrade: Callable[[Path, Counting], None], home: Path) -> int:
    """Return how many statements an upgrade has."""
    out, into = os.pipe()
    if os.fork() == 0:
        counting = Counting(None)
        upgrade(home, counting)
        os.write(into, str(counting.count).encode())
        os._exit(0)
    os.wait()
    return int(os.read(out, 20))


def main(home: Path, *, everywhere: bool) -> None:
    """Kill an upgrade at places, each in a copy of its own."""
    for name, upgrade in UPGRADES.items():
        trial = home / f"{name}-whole"
        _copy(home, trial)
        count = _counted(upgrade, trial)
        step = 1 if everywhere else max(1, count // PLACES)
        for place in sorted({*range(1, count, step), count - 1, count}):
            copy = home / f"{name}-{place}"
            _copy(home, copy)
            if os.fork() == 0:
                upgrade(copy, Counting(place))
                os._exit(0)
            _pid, status = os.wait()
            if os.WTERMSIG(status) != signal.SIGKILL:
                raise SystemExit(f"{name}: nobody died at {place} of {count}")


def _copy(home: Path, target: Path) -> None:
    target.mkdir()
    for name in (OFFICE, WAREHOUSE):
        shutil.copy(home / name, target / name)


if __name__ == "__main__":
    main(Path(sys.argv[1]), everywhere=sys.argv[2] == "everywhere")
