"""A real Chromium before a real server with a small shop.

Which Chromium: REGULARS_CHROMIUM, else `chromium` on the PATH, else Playwright's own. Set
REGULARS_SCREENSHOTS to a folder to keep pictures of what was seen.
"""

from __future__ import annotations

import os
import re
import shutil
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import uvicorn
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, sync_playwright

from regulars.clock import system_clock
from tests.web.world import World, open_world

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    # Playwright's event loop runs in this thread from the first page on: nothing else comes after.
    items.sort(key=lambda item: HERE in item.path.parents)
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.slow)
            item.add_marker(pytest.mark.enable_socket)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    executable = os.environ.get("REGULARS_CHROMIUM") or shutil.which("chromium")
    # Chromium's sandbox cannot be had by root.
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=executable, args=arguments)
        yield opened
        opened.close()


class Live:
    """A served installation."""

    def __init__(self, world: World, url: str) -> None:
        self.world = world
        self.url = url


@pytest.fixture(scope="session")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    folder = tmp_path_factory.mktemp("browser")
    with open_world(folder, system_clock) as world, socket.create_server(("127.0.0.1", 0)) as bound:
        url = f"http://127.0.0.1:{bound.getsockname()[1]}"
        config = uvicorn.Config(world.app, log_level="warning", access_log=False)
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, args=([bound],), daemon=True)
        thread.start()
        world.jobs.start()
        yield Live(world, url)
        world.jobs.stop()
        server.should_exit = True
        thread.join()


#: What a console may say: an answer of ours that is not 2xx is the test's own doing.
EXPECTED = re.compile(r"Failed to load resource: the server responded with a status of 4(04|09|22)")

Opened = Callable[..., Page]


@pytest.fixture
def open_page(browser: Browser, live: Live) -> Iterator[Opened]:
    """Open a signed-in page; at the end the console must have been silent."""
    contexts: list[BrowserContext] = []
    said: list[str] = []

    def listen(message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"} and not EXPECTED.match(message.text):
            said.append(f"{message.type}: {message.text}")

    def opened(language: str = "en", width: int = 1280, *, bypass_csp: bool = False) -> Page:
        context = browser.new_context(
            viewport={"width": width, "height": 860},
            locale=language,
            timezone_id="Asia/Tokyo",
            reduced_motion="reduce",
            base_url=live.url,
            bypass_csp=bypass_csp,
        )
        contexts.append(context)
        page = context.new_page()
        page.on("console", listen)
        page.on("pageerror", lambda error: said.append(str(error)))
        page.goto(f"/sign-in/{live.world.sign_in_token()}")
        page.wait_for_url("**/")
        return page

    yield opened
    for context in contexts:
        context.close()
    assert said == []


@pytest.fixture
def picture(request: pytest.FixtureRequest) -> Callable[[Page, str], None]:
    """Keep a picture of a page where a folder for them is named."""
    folder = os.environ.get("REGULARS_SCREENSHOTS")

    def keep(page: Page, name: str) -> None:
        if folder:
            Path(folder).mkdir(parents=True, exist_ok=True)
            page.screenshot(path=Path(folder) / f"{name}.png", full_page=True, caret="initial")

    return keep
