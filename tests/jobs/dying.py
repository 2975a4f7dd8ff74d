"""A process that dies at named points of taking in webhooks: `python -m tests.jobs.dying HOME`.

For each point a home of its own: a child opens it, takes webhooks in, says which are acknowledged,
applies them, and is killed where the point says; nothing is tidied up. The points are put on from
outside, the product knows nothing of them.
"""

from __future__ import annotations

import os
import resource
import shutil
import signal
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from regulars.bootstrap import open_runtime
from regulars.clock import SettableClock
from regulars.jobs import Jobs, inbox, live
from regulars.office.models.inbox import InboxEvent
from regulars.office.shops import find_shop
from regulars.segments.memberships import Changing
from regulars.warehouse.membership import MembershipLog
from tests.jobs.at_work import START, AtWork
from tests.jobs.test_inbox import event, order_body

#: What is told, in order: number, customer, amount. An order told again is told newer.
ORDERS = ((1, 11, 300), (2, 12, 90), (3, 11, 50), (2, 12, 260), (4, 13, 500), (5, 12, 10))
QUERIES = {"VIP": "amount_spent >= 250", "Others": "segment != 'VIP'"}

Point = tuple[object, str, bool]
#: Where: an attribute, and whether death comes after it did its work.
POINTS: dict[str, Point] = {
    "before the inbox commits": (inbox, "_insert", True),
    "after the facts": (Changing, "follow", False),
    "after the log, before the commit": (MembershipLog, "log", True),
    "after the commit": (live, "record_changes", False),
    "before the inbox is told": (inbox.Inbox, "_mark_applied", False),
    "after the inbox is told": (inbox.Inbox, "_mark_applied", True),
}
DISK_FULL = "the disk is full"
#: Bytes that may be written to a file then: a note, and no transaction.
FULL_AT = 100


def take_in(at_work: AtWork, told: Callable[[str], object]) -> None:
    """Put the webhooks one by one, telling of each that is on disk."""
    for place, (number, customer, amount) in enumerate(ORDERS):
        # Shopify's clock goes its own way.
        shopify = SimpleNamespace(clock=SettableClock(START + timedelta(minutes=place)))
        body = order_body(number, customer, amount, shopify)
        at_work.jobs.inbox.put(event(at_work, f"e{place}", body))
        told(f"e{place}")


def _die(*_arguments: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _deadly(function: Callable[..., Any], *, after: bool) -> Callable[..., Any]:
    calls = 0

    def called(*arguments: Any, **named: Any) -> Any:
        nonlocal calls
        calls += 1
        # The second time, so that there is something before it.
        if calls == 2 and not after:
            _die()
        result = function(*arguments, **named)
        if calls == 2:
            _die()
        return result

    return called


def _child(home: Path, point: str) -> None:
    at_work = opened(home)
    if point in POINTS:
        where, name, after = POINTS[point]
        setattr(where, name, _deadly(getattr(where, name), after=after))
    inbox.BATCH_MAX = 2
    with (home / "acknowledged").open("w", buffering=1) as acknowledged:
        take_in(at_work, lambda name: acknowledged.write(f"{name}\n"))
    if point == DISK_FULL:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (FULL_AT, resource.RLIM_INFINITY))
    try:
        at_work.jobs.inbox.apply_all()
    finally:
        with at_work.runtime.office.reading() as session:
            left = session.query(InboxEvent).filter(InboxEvent.state == "waiting").count()
        (home / "left").write_text(str(left))
        _die()


def opened(home: Path) -> AtWork:
    """Open a home that is there already, hours later."""
    clock = SettableClock(START + timedelta(hours=2))
    runtime = open_runtime(home, clock=clock)
    with runtime.office.reading() as session:
        shop = find_shop(session, "basic")
    return AtWork(runtime, Jobs(runtime), shop, clock)


def main(base: Path, points: list[str]) -> None:
    """Let a child die at each point, in copies of a home named by the points' places."""
    for place, point in enumerate(points):
        shutil.copytree(base / "home", base / str(place))
        child = os.fork()
        if child == 0:
            _child(base / str(place), point)
        os.waitpid(child, 0)


if __name__ == "__main__":
    # Forked before anything is opened, so that the children share the imports and nothing else.
    main(Path(sys.argv[1]), sys.argv[2:])
