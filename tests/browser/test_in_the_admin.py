"""The app inside the pretend Shopify admin: installed by its first look, used without a cookie."""

from __future__ import annotations

import socket
from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.sync_api import Browser, FrameLocator, Page, expect
from pydantic import SecretStr

from regulars import bootstrap
from regulars.bootstrap.serving import free_port, serving
from regulars.office import Shop, ShopToken, audit, read_token
from regulars.settings import Settings
from regulars.simulator.serve import PretendShop, open_app, served
from tests.browser.console import listen


@pytest.fixture
def stage(tmp_path: Path):
    with ExitStack() as stack:
        bound = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        shopify = stack.enter_context(served(open_app(PretendShop(60)), bound))
        tokens = shopify.simulator.tokens
        port = free_port("127.0.0.1", 0)
        settings = Settings(
            home=tmp_path / "home",
            port=port,
            public_url=f"http://127.0.0.1:{port}",
            api_key=tokens.client_id,
            api_secret=SecretStr(tokens.client_secret),
            simulator_url=shopify.url,
        )
        clock = shopify.simulator.clock
        runtime = stack.enter_context(bootstrap.open_runtime(settings=settings, clock=clock))
        app = stack.enter_context(serving(runtime, host="127.0.0.1", port=port))
        stack.enter_context(app.in_background())
        shopify.simulator.app_url = app.url
        yield shopify, runtime


def test_from_the_first_look_to_the_end(browser: Browser, stage, picture):
    shopify, runtime = stage
    context = browser.new_context(base_url=shopify.url, locale="en", reduced_motion="reduce")
    page = context.new_page()
    said: list[str] = []
    listen(page, said)
    page.goto("/app")
    app = page.frame_locator("iframe")
    expect(app.get_by_role("heading", level=1, name="Home")).to_be_visible(timeout=30_000)
    assert is_connected(runtime)
    walk(page, app, picture)
    assert context.cookies() == []
    context.close()
    assert said == []


def is_connected(runtime) -> bool:
    """Whether a token that ends, with one to renew it, is kept sealed."""
    with runtime.office.reading() as session:
        (shop,) = session.query(Shop).all()
        token = read_token(session, runtime.sealer, shop.id)
        kept = session.get_one(ShopToken, shop.id)
        acts = [one.act for one in audit.list_entries(session)]
    assert token is not None
    assert token.access_token.encode() not in kept.access_token
    assert "shop_connected" in acts
    return token.expires_at is not None and token.refresh_token is not None


def walk(page: Page, app: FrameLocator, picture) -> None:
    """Follow a link, send a form of htmx and a plain one, and load the frame again."""
    app.get_by_role("link", name="Customer segments").first.click()
    expect(app.get_by_role("heading", level=1)).to_have_text("Customer segments")
    app.get_by_role("link", name="Create segment").first.click()
    app.get_by_label("Segment name").fill("Buyers")
    app.get_by_role("textbox", name="Query text").fill("number_of_orders >= 1")
    expect(app.get_by_text("placed 1 or more orders")).to_be_visible()
    app.get_by_role("button", name="Save segment").click()
    expect(app.get_by_role("heading", level=1)).to_have_text("Buyers", timeout=30_000)
    picture(page, "in-the-admin")
    app.get_by_role("link", name="Settings").first.click()
    app.get_by_label("Your name").fill("Ana")
    app.locator("#me").get_by_role("button", name="Save").click()
    expect(app.get_by_text("Saved.")).to_be_visible()
    frame = next(one for one in page.frames if one.parent_frame is not None)
    assert "id_token" not in frame.url
    frame.evaluate("location.reload()")
    expect(app.get_by_label("Your name")).to_have_value("Ana")
