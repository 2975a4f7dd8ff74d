"""Power cuts and full disks while webhooks come in: `python -m tests.jobs.power_cuts FOLDER CUTS`.

The real inbox, four clients, appliers at work, and a disk that remembers. For each cut the files as
they may lie there then are opened by a fresh SQLite: it must be whole and hold every webhook that
was acknowledged. Played three times: synced as the app does; as many guides advise, which loses
some; and with writes refused now and then, as on a full disk or a broken one.
"""

from __future__ import annotations

import json
import random
import sqlite3
import sys
import threading
from collections.abc import Callable
from pathlib import Path

from sqlalchemy.exc import OperationalError

from regulars.errors import LimitError
from regulars.office import database
from tests.jobs.at_work import AtWork, open_shop
from tests.jobs.disk import FULL, UNWRITABLE, Disk, Event, cuts
from tests.jobs.dying import opened
from tests.jobs.test_inbox import event, order_body

CLIENTS = 4
#: Webhooks that each client brings at least; more where more cuts are asked for.
EACH_MIN = 16
#: A webhook is at least so many writes and syncs, hence places for a cut.
PLACES = 4
#: So many writes are refused in a row, after so many that were not.
REFUSED, TAKEN = 12, 60


def take_in(at_work: AtWork, disk: Disk, client: int, each: int) -> None:
    """Bring webhooks one after another, noting those that were acknowledged."""
    for number in range(each):
        name = f"e{client}-{number}"
        body = order_body(1 + client * each + number, 11 + number % 5, 100 + number, at_work)
        try:
            at_work.jobs.inbox.put(event(at_work, name, body + b" " * 6000))
        except (LimitError, OperationalError):
            # Not acknowledged: Shopify would send it again.
            continue
        disk.note(name)
        if number % 4 == 3:
            apply(at_work)


def apply(at_work: AtWork) -> None:
    """Apply what waits; on a disk that refuses that is tried again later."""
    try:
        at_work.jobs.inbox.apply_all()
    except (LimitError, OperationalError):
        return


def refusing(chance: random.Random) -> Callable[[], int]:
    """Refuse a row of writes now and then, each row for one reason."""
    left, reason = TAKEN, 0

    def refuses() -> int:
        nonlocal left, reason
        left -= 1
        if left <= 0:
            reason = 0 if reason else chance.choice((FULL, UNWRITABLE))
            left = REFUSED if reason else TAKEN
        return reason

    return refuses


def kept(path: Path) -> tuple[str, set[str]]:
    """Open an office as after a start: what SQLite's own check says, and the webhooks in it."""
    connection = sqlite3.connect(path)
    try:
        ((verdict,),) = connection.execute("PRAGMA integrity_check(1)")
        return verdict, {one for (one,) in connection.execute("SELECT event_id FROM inbox_events")}
    finally:
        connection.close()


def play(folder: Path, disk: Disk, count: int, *, is_refusing: bool = False) -> dict[str, int]:
    """Take webhooks in, then cut the power at `count` places; return what was found."""
    home, each = folder / "home", max(EACH_MIN, count // (PLACES * CLIENTS))
    open_shop(home).runtime.close()
    before = {str(home / "office.db"): (home / "office.db").read_bytes()}
    disk.events.clear()
    at_work = opened(home)
    if is_refusing:
        disk.refuses = refusing(random.Random(1))
    clients = [
        threading.Thread(target=take_in, args=(at_work, disk, number, each))
        for number in range(CLIENTS)
    ]
    for one in clients:
        one.start()
    for one in clients:
        one.join()
    disk.refuses = lambda: 0
    events = [one for one in disk.events if one[0] == "note" or "office.db" in one[1]]
    at_work.runtime.close()
    acknowledged = sum(one[0] == "note" for one in events)
    told = {"brought": CLIENTS * each, "acknowledged": acknowledged}
    return told | looked_at(folder / "image", events, before, count)


def looked_at(
    folder: Path, events: list[Event], before: dict[str, bytes], count: int
) -> dict[str, int]:
    """Cut the power at `count` places of these events, and open what is there then."""
    folder.mkdir()
    places = set(random.Random(2).sample(range(len(events)), min(count, len(events))))
    told = {"cuts": 0, "lost": 0, "cuts_with_loss": 0, "broken": 0}
    for files, acknowledged in cuts(events, before, places):
        for path, content in files.items():
            (folder / Path(path).name).write_bytes(content)
        verdict, found = kept(folder / "office.db")
        lost = acknowledged - found
        told["cuts"] += 1
        told["broken"] += verdict != "ok"
        told["lost"] += len(lost)
        told["cuts_with_loss"] += bool(lost)
        for path in folder.iterdir():
            path.unlink()
    return told


def main(folder: Path, count: int) -> None:
    """Play three times and print what was found, as JSON."""
    disk = Disk()
    disk.put_under_sqlite()
    told = {}
    for name, durability in (("ours", database.DURABILITY), ("normal", "synchronous=NORMAL")):
        database.DURABILITY = durability
        told[name] = play(folder / name, disk, count)
    database.DURABILITY = "synchronous=FULL"
    told["refusing"] = play(folder / "refusing", disk, count, is_refusing=True)
    sys.stdout.write(json.dumps(told))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
