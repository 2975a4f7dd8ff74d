"""A real Chromium before a real server with a small shop.

Which Chromium: REGULARS_CHROMIUM, else `chromium` on the PATH, else Playwright's own. Set
REGULARS_SCREENSHOTS to a folder to keep pictures of what was seen.
"""

from __future__ import annotations

import os
import shutil
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import uvicorn
from playwright.sync_api import (
    Browser,
    BrowserContext,
    Page,
    expect,
    sync_playwright,
)
from sqlalchemy import select

from regulars.clock import system_clock
from regulars.office.models.staff import Staff, StaffShop
from regulars.web import sessions
from tests.browser.console import listen
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


@contextmanager
def served(folder: Path) -> Iterator[Live]:
    """Serve an installation of its own."""
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


@pytest.fixture(scope="session")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    with served(tmp_path_factory.mktemp("browser")) as opened:
        yield opened


#: Long enough for a busy machine; what is waited for comes as soon as it is there. Milliseconds.
DEADLINE = 30_000
expect.set_options(timeout=DEADLINE)

Opened = Callable[..., Page]


@pytest.fixture
def open_page(browser: Browser, live: Live) -> Iterator[Opened]:
    """Open a signed-in page, of the owner or of whoever has the token; at the end the console must
    have been silent."""
    contexts: list[BrowserContext] = []
    said: list[str] = []

    def opened(
        language: str = "en", width: int = 1280, *, token: str = "", at: Live = live
    ) -> Page:
        context = browser.new_context(
            viewport={"width": width, "height": 860},
            locale=language,
            timezone_id="Asia/Tokyo",
            reduced_motion="reduce",
            base_url=at.url,
        )
        context.set_default_timeout(DEADLINE)
        contexts.append(context)
        page = context.new_page()
        listen(page, said)
        page.goto(f"/sign-in/{token or at.world.sign_in_token()}")
        page.wait_for_url("**/")
        return page

    yield opened
    for context in contexts:
        context.close()
    assert said == []


@pytest.fixture(scope="session")
def member_token(live: Live) -> Callable[[], str]:
    """Give sign-in tokens of Bo, who is of the shop and does not run the installation."""
    with live.world.runtime.office.session() as session:
        bo = Staff(login="bo@shop.example", name="Bo", role="member", created_at=live.world.now)
        session.add(bo)
        session.flush()
        session.add(StaffShop(staff_id=bo.id, shop_id=live.world.shop.id))

    def token() -> str:
        with live.world.runtime.office.session() as session:
            staff = session.scalars(select(Staff).where(Staff.login == "bo@shop.example")).one()
            return sessions.create_sign_in_link(session, staff, live.world.now)

    return token


@pytest.fixture
def picture(request: pytest.FixtureRequest) -> Callable[[Page, str], None]:
    """Keep a picture of a page where a folder for them is named."""
    folder = os.environ.get("REGULARS_SCREENSHOTS")

    def keep(page: Page, name: str) -> None:
        if folder:
            Path(folder).mkdir(parents=True, exist_ok=True)
            page.screenshot(path=Path(folder) / f"{name}.png", full_page=True, caret="initial")

    return keep
