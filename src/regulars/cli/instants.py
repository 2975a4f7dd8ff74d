"""Instants as a person reads them at a terminal: day and minute, in a zone that is named.

What a program reads, with `--json`, stays exactly as the API tells it.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Final
from urllib.parse import quote
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from regulars.bootstrap import ApiClient


class Instants:
    """How instants are written in one zone."""

    def __init__(self, zone: str) -> None:
        self._name = zone
        self._zone = ZoneInfo(zone)

    def head(self, title: str) -> str:
        """Return the heading of a column of instants; it names the zone, once for all."""
        return f"{title} ({self._name})"

    def cell(self, instant: str | None) -> str | None:
        """Write an instant of the API under such a heading; None where there is none."""
        if instant is None:
            return None
        local = datetime.fromisoformat(instant).astimezone(self._zone)
        return f"{local:%Y-%m-%d %H:%M}"

    def said(self, instant: str) -> str:
        """Write an instant of the API with its zone, as in a sentence."""
        return f"{self.cell(instant)} ({self._name})"


#: For what belongs to no shop, or to several.
IN_UTC: Final = Instants("UTC")


def of_shop(api: ApiClient, shop: str) -> Instants:
    """Return how instants of a shop are written: in its zone."""
    return Instants(api.get(f"/shops/{quote(shop, safe='')}")["time_zone"])
