"""A browser without a screen: the app in this process, with cookies, as a signed-in owner."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx

from tests.web.world import World


class Browser:
    """Asks the app's pages one after the other."""

    def __init__(self, world: World) -> None:
        self._loop = asyncio.new_event_loop()
        self._client = httpx.AsyncClient(
            transport=httpx.ASGITransport(app=world.app),
            base_url="http://127.0.0.1",
            headers={"Sec-Fetch-Site": "same-origin"},
        )
        self.cookies = self._client.cookies

    def get(self, address: str, **options: Any) -> httpx.Response:
        return self._loop.run_until_complete(self._client.get(address, **options))

    def post(self, address: str, **fields: str) -> httpx.Response:
        """Send a form as htmx would."""
        return self._loop.run_until_complete(
            self._client.post(address, data=fields, headers={"HX-Request": "true"})
        )

    def send_file(self, address: str, content: str, **fields: str) -> httpx.Response:
        """Send a form with a CSV file as htmx would."""
        files = {"file": ("guests.csv", content.encode(), "text/csv")}
        return self._loop.run_until_complete(
            self._client.post(address, data=fields, files=files, headers={"HX-Request": "true"})
        )

    def close(self) -> None:
        self._loop.run_until_complete(self._client.aclose())
        self._loop.close()


@contextmanager
def open_browser(world: World) -> Iterator[Browser]:
    """Open a browser whose owner is signed in."""
    browser = Browser(world)
    try:
        browser.post(f"/sign-in/{world.sign_in_token()}")
        yield browser
    finally:
        browser.close()
