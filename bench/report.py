"""What a bench tells: tables with their sentences, printed while it runs and kept as a page."""

from __future__ import annotations

import gc
import os
import platform
import statistics
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console
from rich.table import Table as Printed

CONSOLE = Console(width=132)


@dataclass(frozen=True)
class Options:
    """What was asked of every bench."""

    customers: int = 100_000
    rounds: int = 5
    postgres: bool = True
    mariadb: bool = True
    #: Names of the parts of the engine's bench to run; none: all of them.
    parts: tuple[str, ...] = ()
    #: How many segments the first build makes.
    segments: int = 200


@dataclass
class Table:
    """One table; cells are texts already, the first column says what was measured."""

    columns: Sequence[str]
    rows: list[Sequence[str]] = field(default_factory=list)

    def add(self, *cells: str) -> None:
        self.rows.append(cells)

    def markdown(self) -> str:
        rule = ["---", *("---:" for _ in self.columns[1:])]
        return "\n".join(f"| {' | '.join(row)} |" for row in (self.columns, rule, *self.rows))

    def print(self) -> None:
        printed = Printed(*self.columns)
        for row in self.rows:
            printed.add_row(*row)
        CONSOLE.print(printed)


@dataclass
class Section:
    """One part of the page: a title, then sentences and tables as they came."""

    title: str
    parts: list[str | Table] = field(default_factory=list)

    def say(self, sentence: str) -> None:
        CONSOLE.print(sentence)
        self.parts.append(sentence)

    def show(self, table: Table) -> None:
        table.print()
        self.parts.append(table)

    def markdown(self) -> str:
        told = [one if isinstance(one, str) else one.markdown() for one in self.parts]
        return "\n\n".join((f"## {self.title}", *told))


def milliseconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return (time.perf_counter() - start) * 1000


def medians(rounds: int, works: Mapping[str, Callable[[], object]]) -> dict[str, float]:
    """Time the works in turn, round after round."""
    times: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(rounds):
        for name, work in works.items():
            times[name].append(milliseconds(work))
    return {name: statistics.median(found) for name, found in times.items()}


def number(value: float) -> str:
    """Write three figures that mean something: 0.041, 4.10, 41.0, 4,100."""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}" if value >= 1 else f"{value:.3f}"


def times(ratio: float) -> str:
    """Write how many times as long a peer took; below 1 the peer was quicker."""
    return f"{number(ratio)}×"


def machine() -> str:
    """Say what the figures were measured on."""
    model = next(
        (
            line.partition(":")[2].strip()
            for line in _lines(Path("/proc/cpuinfo"))
            if line.startswith("model name")
        ),
        platform.processor() or platform.machine(),
    )
    load = os.getloadavg()[0]
    return (
        f"{os.cpu_count()} cores ({model}), {platform.system()}, Python"
        f" {platform.python_version()}; load average {load:.1f} when the bench began"
    )


def _lines(path: Path) -> Iterable[str]:
    return path.read_text().splitlines() if path.exists() else ()


def quiet() -> None:
    """Keep the collector of Python out of the figures, as the program does."""
    gc.collect()
    gc.freeze()
