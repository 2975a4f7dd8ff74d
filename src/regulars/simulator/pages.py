"""The pages of the pretend shop: look around, place orders, move the clock, switch faults on."""

from __future__ import annotations

from starlette.routing import BaseRoute


def page_routes() -> list[BaseRoute]:
    """Return the routes of the pages."""
    return []
