"""Inside the Shopify admin: a strict token instead of cookies, framed by one shop alone."""

from __future__ import annotations

import secrets
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
from pydantic import SecretStr

from regulars.office import Shop, Token, create_shop, save_token
from tests.web.test_team import api
from tests.web.visitor import Visitor

KEY, SECRET = "client-id", "client-secret-" + "0123456789abcdef" * 4
DOMAIN = "demo.myshopify.com"


@pytest.fixture(scope="module")
def app(world):
    runtime = world.runtime
    runtime.settings.api_key = KEY
    runtime.settings.api_secret = SecretStr(SECRET)
    with runtime.office.session() as session:
        shop = session.get_one(Shop, world.shop.id)
        shop.domain = DOMAIN
        save_token(session, runtime.sealer, shop, Token("shpat_x"), world.now)
        create_shop(session, name="other", title="Other shop", now=world.now)
    world.segment("Everybody", "number_of_orders >= 0")
    return world


def token(world, *, key: str = SECRET, algorithm: str = "HS256", **changes: object) -> str:
    now = int(world.now.timestamp())
    claims = {
        "iss": f"https://{DOMAIN}/admin",
        "dest": f"https://{DOMAIN}",
        "aud": KEY,
        "sub": "42",
        "exp": now + 60,
        "nbf": now,
        "iat": now,
        "jti": secrets.token_hex(8),
        "sid": "s",
    }
    told = {name: value for name, value in (claims | changes).items() if value is not None}
    return jwt.encode(told, key, algorithm=algorithm)


def test_pages_open_by_token_alone_and_only_this_shops_admin_may_frame_them(app):
    visitor = Visitor(app.app)
    page = visitor.ask("GET", f"/segments?id_token={token(app)}")

    assert page.status == 200
    assert "Everybody" in page.text
    assert "set-cookie" not in page.headers
    policy = page.headers["content-security-policy"]
    assert f"frame-ancestors https://{DOMAIN} https://admin.shopify.com;" in f"{policy};"
    assert "script-src 'nonce-" in policy
    assert "https://cdn.shopify.com" in policy
    scripts = [one.get("src") for one in page.root.all("script")]
    assert scripts[0] == "https://cdn.shopify.com/shopifycloud/app-bridge.js"
    outside = [one for one in scripts[1:] if not one.startswith("/static/")]
    assert outside == []


def test_outside_the_admin_nothing_of_it_is_loaded(app):
    page = Visitor(app.app).get("/sign-in")

    assert "shopify" not in page.body.lower()
    assert "frame-ancestors 'none'" in page.headers["content-security-policy"]


FORGED = {
    "another key": {"key": "x" * 64},
    "another app": {"aud": "other"},
    "two apps": {"aud": [KEY, "other"]},
    "ended": {"exp": 1},
    "no end": {"exp": None},
    "not begun": {"nbf": 4_000_000_000},
    "no begin": {"nbf": None},
    "another shop's issuer": {"iss": "https://evil.myshopify.com/admin"},
    "no issuer": {"iss": None},
    "another host": {"dest": "https://evil.example", "iss": "https://evil.example/admin"},
    "a host that looks like it": {
        "dest": f"https://{DOMAIN}.evil.example",
        "iss": f"https://{DOMAIN}.evil.example/admin",
    },
    "nobody": {"sub": None},
    "a shop that is not here": {
        "dest": "gone.myshopify.com",
        "iss": "https://gone.myshopify.com/admin",
    },
}


def test_a_token_that_is_not_shopifys_for_us_opens_nothing(app):
    for why, changes in FORGED.items():
        forged = token(app, **changes)
        page = Visitor(app.app).ask("GET", f"/segments?id_token={forged}")
        assert (page.status, "Everybody" in page.body) == (303, False), why
        told = api(app, forged, "GET", "/shops")
        assert told.status_code == 401, why
    for algorithm in ("HS384", "HS512"):
        assert api(app, token(app, algorithm=algorithm), "GET", "/shops").status_code == 401
    bare = jwt.encode({"dest": f"https://{DOMAIN}"}, "", algorithm="none")
    assert api(app, bare, "GET", "/shops").status_code == 401


def test_a_page_without_a_token_is_sent_to_the_bounce_page_of_its_shop(app):
    visitor = Visitor(app.app)
    ended = token(app, exp=int(app.now.timestamp()) - 3600, nbf=1, iat=1)
    page = visitor.ask("GET", f"/segments?q=x&id_token={ended}", sec_fetch_dest="iframe")
    assert page.status == 303
    address = page.headers["location"]
    asked = parse_qs(urlsplit(address).query)
    assert asked["shop"] == [DOMAIN]
    assert asked["shopify-reload"] == ["http://127.0.0.1:8401/segments?q=x"]

    bounce = visitor.ask("GET", address)
    assert bounce.status == 200
    assert f"frame-ancestors https://{DOMAIN} " in bounce.headers["content-security-policy"]
    assert "Demo shop" not in bounce.body


def test_the_bounce_page_leads_nowhere_else_and_is_framed_by_no_stranger(app):
    visitor = Visitor(app.app)
    elsewhere = f"/embedded/bounce?shop={DOMAIN}&shopify-reload=https://evil.example/"
    stranger = "/embedded/bounce?shop=evil.myshopify.com&shopify-reload=http://127.0.0.1:8401/"
    for address in (elsewhere, stranger):
        page = visitor.ask("GET", address)
        assert page.status == 422
        assert "frame-ancestors 'none'" in page.headers["content-security-policy"]


def test_a_form_is_proved_by_its_token_and_the_word_comes_without_a_cookie(app):
    visitor = Visitor(app.app)
    fields = {"language": "en", "name": "Ana of the admin", "id_token": token(app)}
    page = visitor.ask(
        "POST",
        "/settings/me",
        content="&".join(f"{name}={value}" for name, value in fields.items()).encode(),
        content_type="application/x-www-form-urlencoded",
    )
    assert page.status == 303
    assert "set-cookie" not in page.headers
    assert "Saved." in visitor.ask("GET", page.headers["location"]).text
    without = visitor.ask(
        "POST",
        "/settings/me",
        content=b"name=Eve",
        content_type="application/x-www-form-urlencoded",
    )
    assert without.status == 303
    assert "/sign-in" in without.headers["location"]


def test_people_of_the_admin_see_their_shop_and_not_the_installation(app):
    visitor = Visitor(app.app)
    for address in ("/settings/team", "/settings/keys", "/operator/inbox", "/settings/health"):
        assert visitor.ask("GET", f"{address}?id_token={token(app)}").status == 403
    told = api(app, token(app), "GET", "/shops").json()
    assert [one["name"] for one in told["shops"]] == ["demo"]
    assert api(app, token(app), "GET", "/shops/other").status_code == 404


def test_a_shop_that_is_not_wanted_here_is_turned_away(app):
    app.runtime.settings.shops_allowed = "tea.myshopify.com"
    page = Visitor(app.app).ask("GET", f"/embedded?id_token={token(app)}")
    app.runtime.settings.shops_allowed = ""

    assert page.status == 403
    assert "is not for demo.myshopify.com" in page.text
