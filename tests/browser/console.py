"""What the browser's console says while a test walks, without what a good page may say too."""

from __future__ import annotations

import re

from playwright.sync_api import ConsoleMessage, Page

#: An answer of ours that is not 2xx is the test's own doing. A page that is left breaks off what
#: it was asking for, its stream too. A frame never takes the focus by itself.
EXPECTED = re.compile(
    r"Failed to load resource: (the server responded with a status of (4(03|04|09|22)|500)|"
    r"net::ERR_INTERNET_DISCONNECTED)|"
    r"htmx: htmx:error: Failed to fetch|"
    r"Blocked autofocusing"
)


def listen(page: Page, said: list[str]) -> None:
    """Add to `said` each error, warning and uncaught exception of the page."""

    def hear(message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"} and not EXPECTED.match(message.text):
            said.append(f"{message.type}: {message.text}")

    page.on("console", hear)
    page.on("pageerror", lambda error: said.append(str(error)))
