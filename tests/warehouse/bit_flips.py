"""Single bits of a shop's files turned over: `python -m tests.warehouse.bit_flips FOLDER COUNT`.

Each time a copy of the file and its log with one bit turned is opened by a process of its own. Told
is how often that was refused, how often the same was found as before, and how often the shop was as
an earlier commit left it: DuckDB takes a broken end of its log for one that was never written.
Anything else is a wrong answer.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import sys
from collections import Counter
from pathlib import Path

import duckdb

from regulars.errors import RegularsError
from regulars.warehouse import Warehouses, WarehouseSettings
from regulars.warehouse.dump import dump_facts
from tests.warehouse.test_any_order import history, moment

REFUSED, SAME, BEHIND, WRONG = 10, 11, 12, 13
NAMES = {REFUSED: "refused", SAME: "same", BEHIND: "behind", WRONG: "wrong"}


def everything(folder: Path) -> str:
    """Return all that a shop's files say."""
    warehouses = Warehouses(folder, WarehouseSettings(threads=1, memory_limit="300MB"))
    with warehouses.of(1).reader() as cursor:
        return "".join(dump_facts(cursor))


def make(folder: Path, writing: int) -> None:
    """Make a shop with its newest facts in the log only, tell what each commit left, and die."""
    warehouses = Warehouses(folder, WarehouseSettings(threads=1, memory_limit="300MB"))
    warehouse = warehouses.of(1)
    facts = history(7, 400)
    texts = []
    for number, part in enumerate((facts[:300], facts[300:350], facts[350:])):
        warehouse.apply(part, at=moment(1_000 + number))
        with warehouse.reader() as cursor:
            texts.append("".join(dump_facts(cursor)))
        if number == 0:
            warehouse.checkpoint()
    with os.fdopen(writing, "w") as told:
        json.dump(texts, told)
    # Nothing is closed, which would take the log over.
    os._exit(0)


def look(folder: Path, states: list[str]) -> int:
    """Open a changed copy; return what came of it."""
    try:
        found = everything(folder)
    except (RegularsError, duckdb.Error):
        return REFUSED
    if found == states[-1]:
        return SAME
    return BEHIND if found in states else WRONG


def main(folder: Path, count: int) -> None:
    """Turn bits one after another, and print what came of it as JSON."""
    whole = folder / "whole"
    reading, writing = os.pipe()
    if os.fork() == 0:
        make(whole, writing)
    os.close(writing)
    with os.fdopen(reading) as told:
        states = json.load(told)
    os.wait()
    files = [path for path in sorted(whole.rglob("*.duckdb*")) if path.is_file()]
    found: Counter[str] = Counter(files=len(files))
    for number in range(count):
        chance = random.Random(number)
        # As often in the log as in the file, which is many times as large.
        path = files[number % len(files)]
        changed = folder / "changed"
        shutil.copytree(whole, changed)
        target = changed / path.relative_to(whole)
        content = bytearray(target.read_bytes())
        content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
        target.write_bytes(content)
        if os.fork() == 0:
            os._exit(look(changed, states))
        _pid, status = os.wait()
        code = os.waitstatus_to_exitcode(status)
        # A process that dies over it gave no wrong answer either.
        found[NAMES.get(code, "died")] += 1
        shutil.rmtree(changed)
    sys.stdout.write(json.dumps(found))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
