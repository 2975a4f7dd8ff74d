"""Run every bench of this folder and write docs/benchmarks.md.

    python -m bench [--customers 100000] [--rounds 5] [--no-postgres] [--no-mariadb] [--only engine]
                    [--part rules] [--page FILE]

A bench is a module here with `measure(options) -> list[Section]`. The page is written only when all
of them came to an end, so that it never mixes two runs; one bench alone, or some parts of it, is
printed, and written where `--page` says.
"""

from __future__ import annotations

import argparse
import importlib
import pkgutil
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType

import bench
from bench.report import CONSOLE, Options, Section, machine, quiet

PAGE = Path(__file__).parent.parent / "docs" / "benchmarks.md"


def modules(only: str | None) -> list[ModuleType]:
    """Return the benches, the engine's first; other modules of the folder are their parts."""
    names = sorted((one.name for one in pkgutil.iter_modules(bench.__path__)), key=_engine_first)
    found = [
        importlib.import_module(f"bench.{name}")
        for name in names
        if name != "__main__" and only in {None, name}
    ]
    return [one for one in found if hasattr(one, "measure")]


def _engine_first(name: str) -> tuple[bool, str]:
    return name != "engine", name


def page(options: Options, only: str | None, where: str, sections: list[Section]) -> str:
    """Return the page of one run."""
    command = f"python -m bench --customers {options.customers} --rounds {options.rounds}"
    command += "" if only is None else f" --only {only}"
    command += "" if options.postgres else " --no-postgres"
    command += "".join(f" --part {part}" for part in options.parts)
    head = (
        "# Benchmarks\n\n"
        f"Written by `{command}` on\n"
        f"{datetime.now(UTC):%d %B %Y}.\n\n"
        f"Machine: {where}.\n\n"
        "Ratios hold across machines far better than milliseconds do; every ratio here comes from"
        " one run, peer beside peer. Run it on your own machine before you believe a figure."
    )
    return "\n\n".join((head, *(one.markdown() for one in sections))) + "\n"


def main() -> None:
    arguments = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    arguments.add_argument("--customers", type=int, default=Options.customers)
    arguments.add_argument("--rounds", type=int, default=Options.rounds)
    arguments.add_argument("--postgres", action=argparse.BooleanOptionalAction, default=True)
    arguments.add_argument("--mariadb", action=argparse.BooleanOptionalAction, default=True)
    arguments.add_argument("--only", help="one bench, printed alone; the page stays")
    arguments.add_argument(
        "--part", action="append", default=[], help="one part: of the engine's, or midnight of live"
    )
    arguments.add_argument("--page", type=Path, help="where the page is written")
    given = arguments.parse_args()
    options = Options(
        given.customers, given.rounds, given.postgres, given.mariadb, tuple(given.part)
    )
    where = machine()
    quiet()
    sections: list[Section] = []
    for module in modules(given.only):
        sections += module.measure(options)
    whole = given.only is None and not given.part
    target = given.page or (PAGE if whole else None)
    if target is not None:
        target.write_text(page(options, given.only, where, sections), encoding="utf-8")
        CONSOLE.print(f"written: {target}")


if __name__ == "__main__":
    main()
