"""The access log: who saw single customers, where and when, as entries of the audit log.

The same person at the same place is noted once an hour: a page that renews itself, or a list that
is read page by page, is one look. Files that leave are noted each time, by whoever sends them.
"""

from __future__ import annotations

import re
import threading
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from typing import Final, Protocol

from sqlalchemy.orm import Session
from starlette.requests import Request

from regulars.office import Shop
from regulars.web.team import Act

SAME_LOOK: Final = timedelta(hours=1)
#: Looks that are remembered; whoever is forgotten is noted once more.
REMEMBERED_MAX: Final = 10_000
SEEN: Final = "customers_seen"
#: Places of addresses that say who the customer is: the log outlives the customer's data.
_PERSONS: Final = frozenset({"customer", "customer_id"})


class Looks:
    """Which looks were noted lately. After a start nothing is remembered."""

    def __init__(self) -> None:
        self._noted: dict[tuple[str, int, str], datetime] = {}
        self._lock = threading.Lock()

    def is_new(self, author: str, shop_id: int, place: str, now: datetime) -> bool:
        """Remember a look; return whether it is to be noted."""
        look = (author, shop_id, place)
        with self._lock:
            last = self._noted.get(look)
            if last is not None and last <= now < last + SAME_LOOK:
                return False
            self._noted.pop(look, None)
            self._noted[look] = now
            while len(self._noted) > REMEMBERED_MAX:
                self._noted.pop(next(iter(self._noted)))
        return True


class Asker(Protocol):
    """Who asks: a person on a page, or a program."""

    request: Request
    now: datetime

    def office(self) -> AbstractContextManager[Session]:
        """Open an office transaction."""

    @property
    def author(self) -> str:
        """The name that stands in the log."""


def note(asker: Asker, shop: Shop) -> None:
    """Note that somebody is told who single customers of the shop are."""
    looks: Looks = asker.request.app.state.looks
    place = place_of(asker.request)
    if looks.is_new(asker.author, shop.id, place, asker.now):
        note_act(asker, shop, SEEN, place)


def note_act(asker: Asker, shop: Shop, act: str, about: str, **details: object) -> None:
    """Note in the audit log what somebody was given of a shop."""
    with asker.office() as session:
        Act(asker.author, asker.now).note(session, act, about, shop.id, **details)


def place_of(request: Request) -> str:
    """Return where somebody looks: the address as people see it, without who the customer is."""

    def filled(found: re.Match[str]) -> str:
        name = found[1]
        return "…" if name in _PERSONS else str(request.path_params.get(name, ""))

    return re.sub(r"\{([^}:]+)[^}]*\}", filled, request.scope["route"].path)
