"""The states a page can be in besides full: empty, loading, offline, not allowed, gone, failed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect

from regulars.clock import system_clock
from regulars.office import Shop, second_factor
from regulars.office.models.jobs import Job
from regulars.web import sessions
from tests.browser.conftest import Live, served
from tests.browser.test_every_page import AXE, about_itself, faults, widths_beyond


def look(page: Page, picture, name: str, language: str) -> None:
    """A state is a page like any other: no fault of access, no sideways scroll, one language."""
    picture(page, f"state-{language}-1280-{name}")
    assert about_itself(page, language) == [], name
    assert faults(page) == [], name
    page.set_viewport_size({"width": 320, "height": 640})
    picture(page, f"state-{language}-320-{name}")
    assert widths_beyond(page) == [], name
    page.set_viewport_size({"width": 1280, "height": 860})


@pytest.fixture(scope="module")
def empty(tmp_path_factory) -> Iterator[Live]:
    """A shop in which nobody has made anything yet, and one address that fails."""
    with served(tmp_path_factory.mktemp("empty")) as opened:

        def fail() -> None:
            raise RuntimeError("a fault of ours")

        opened.world.app.add_api_route("/a-fault", fail, include_in_schema=False)
        yield opened


@pytest.mark.parametrize("language", ["en", "ja"])
def test_what_cannot_be_shown_is_told_and_leads_on(
    open_page, member_token, live, empty, picture, language: str
):
    page = open_page(language, token=member_token())
    page.add_init_script(AXE)
    for address, code in (
        ("/settings/team", "403"),
        ("/segments/99999", "404"),
        ("/segments/9999999999999999999999", "404"),
        ("/tracking/compare", "422"),
    ):
        page.goto(address)
        if code != "422":
            expect(page.locator(".error-code")).to_have_text(code)
            expect(page.locator("main a.button").first).to_be_visible()
        look(page, picture, f"{code}{address.replace('/', '-')[:20]}", language)
    page.context.clear_cookies()
    page.goto("/tracking")
    expect(page.locator("#login")).to_be_visible()
    assert "next=" in page.url
    look(page, picture, "signed-out", language)

    ours = open_page(language, at=empty)
    ours.add_init_script(AXE)
    ours.goto("/a-fault")
    expect(ours.locator(".error-code")).to_have_text("500")
    look(ours, picture, "500", language)


@pytest.mark.parametrize("language", ["en", "ja"])
def test_where_nothing_is_yet_a_page_says_what_to_do(open_page, empty, picture, language: str):
    page = open_page(language, at=empty)
    page.add_init_script(AXE)
    for address in ("/", "/segments", "/insights", "/tags", "/tracking", "/operator/inbox"):
        page.goto(address)
        look(page, picture, f"empty{address.replace('/', '-')}", language)
    page.goto("/segments")
    expect(page.locator(".empty a.button, .templates a").first).to_be_visible()

    with loading(empty):
        page.goto("/")
        expect(page.locator("#running progress")).to_be_visible()
        assert abs(float(page.locator("#running progress").get_attribute("value")) - 0.62) < 0.01
        look(page, picture, "loading", language)


class loading:  # noqa: N801 - reads as a word where it is used
    """While a shop's first load is on its way."""

    def __init__(self, live: Live) -> None:
        self.live = live

    def __enter__(self) -> None:
        now = self.live.world.now
        with self.live.world.runtime.office.session() as session:
            session.get_one(Shop, self.live.world.shop.id).loaded_at = None
            job = Job(
                shop_id=self.live.world.shop.id,
                kind="backfill",
                state="running",
                progress=0.62,
                created_at=now,
                due_at=now,
                leased_until=now + timedelta(hours=1),
            )
            session.add(job)
            session.flush()
            self.job_id = job.id

    def __exit__(self, *_error: object) -> None:
        with self.live.world.runtime.office.session() as session:
            session.get_one(Shop, self.live.world.shop.id).loaded_at = self.live.world.now
            session.delete(session.get_one(Job, self.job_id))


def test_a_lost_connection_is_said_and_forgotten_again(open_page, empty):
    page = open_page(at=empty)
    page.goto("/")
    page.context.set_offline(True)
    expect(page.locator("#notices .offline")).to_be_visible()
    page.context.set_offline(False)

    expect(page.locator("#notices .offline")).to_have_count(0)


@pytest.mark.parametrize("language", ["en", "ja"])
def test_a_code_is_asked_for_after_the_password(open_page, empty, picture, language: str):
    password = "tea leaves in the rain"
    with empty.world.runtime.office.session() as session:
        owner = sessions.ensure_owner(session, system_clock())
        second_factor.turn_off(session, owner)
        sessions.set_password(owner, password)
    page = open_page(language, at=empty)
    page.add_init_script(AXE)
    page.goto("/settings/second-step")
    look(page, picture, "second-step", language)
    key = page.locator(".card .secret").inner_text().replace(" ", "")

    def confirm(code: str) -> None:
        page.locator("#code").fill(code)
        page.locator("#current_password").fill(password)
        page.keyboard.press("Enter")

    confirm("000000")
    expect(page.locator("#code-problem")).to_be_visible()
    look(page, picture, "second-step-wrong", language)
    confirm(second_factor._totp(key).generate(int(system_clock().timestamp())).decode())
    recovery = page.locator(".banner .secret").inner_text().split()
    look(page, picture, "recovery-codes", language)
    assert len(recovery) == second_factor.RECOVERY_CODES

    page.context.clear_cookies()
    page.goto("/sign-in")
    page.locator("#login").fill("owner")
    page.locator("#password").fill(password)
    page.keyboard.press("Enter")
    expect(page.locator("#code")).to_be_focused()
    look(page, picture, "code", language)
    page.locator("#code").fill(recovery[0])
    page.keyboard.press("Enter")
    page.wait_for_url("**/")
