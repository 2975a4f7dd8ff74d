"""What every answer carries, whatever it is."""

from __future__ import annotations

import gzip
import hashlib
import re
from pathlib import Path

import pytest
from fastapi import FastAPI

from regulars.web.assets import STATIC_FOLDER, Assets
from tests.web.visitor import Visitor
from tests.web.world import World

VENDORED = [
    STATIC_FOLDER / "vendor",
    STATIC_FOLDER.parent / "known",
    Path(__file__).parents[1] / "browser" / "vendor",
]


@pytest.mark.parametrize("address", ["/sign-in", "/", "/nowhere", "/api/v1/shops", "/static/x.css"])
def test_every_answer_forbids_what_we_never_use(world: World, address: str):
    headers = Visitor(world.app).ask("GET", address).headers

    policy = headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; script-src 'nonce-")
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cross-origin-resource-policy"] == "same-origin"


def test_each_answer_has_its_own_nonce_and_uses_it(world: World):
    visitor = Visitor(world.app)
    pages = [visitor.get("/sign-in") for _ in range(2)]
    nonces = []
    for page in pages:
        policy = page.headers["content-security-policy"]
        nonces += re.findall(r"'nonce-([^']+)'", policy)
        scripts = list(page.root.all("script"))
        assert {one.get("nonce") for one in scripts} == {nonces[-1]}

    assert nonces[0] != nonces[1]


def test_pages_are_not_kept_and_static_files_are_kept_for_ever(world: World):
    visitor = Visitor(world.app)
    page = visitor.get("/sign-in")
    sheet = next(one.get("href") for one in page.root.all("link") if one.get("rel") == "stylesheet")

    assert "no-store" in page.headers["cache-control"]
    assert "immutable" in visitor.get(sheet).headers["cache-control"]


def test_no_other_site_may_read_an_answer(world: World):
    asked = {"origin": "https://evil.example", "access_control_request_method": "POST"}
    for method in ("GET", "OPTIONS"):
        answer = Visitor(world.app).ask(method, "/api/v1/shops/demo/segments", **asked)

        assert [name for name in answer.headers if name.startswith("access-control")] == []


def test_a_static_address_holds_the_hash_of_its_content():
    assets = Assets()
    asset = assets.get(assets.address("app.css"))
    assert asset is not None

    assert hashlib.sha256(asset.body).hexdigest()[:12] in asset.address
    assert gzip.decompress(asset.packed) == asset.body


def test_the_first_load_is_small(world: World):
    """HTML, style, htmx and our script, packed: 30 KB is what a slow telephone takes well."""
    page = Visitor(world.app).get("/sign-in")
    assets = Assets()
    names = ("app.css", "app.js", "vendor/htmx.js", "icon.svg")
    found = [assets.get(assets.address(name)) for name in names]
    packed = sum(len(one.packed) for one in found if one) + len(gzip.compress(page.body.encode()))

    assert packed < 30_000


def test_a_bug_shows_a_reference_and_nothing_else(world: World, caplog: pytest.LogCaptureFixture):
    app: FastAPI = world.app

    @app.get("/broken")
    def broken() -> None:
        raise RuntimeError("the inner secret")

    page = Visitor(app).ask("GET", "/broken")

    reference = re.search(r"reference ([2-9A-Z]{6})", page.body)
    assert page.status == 500
    assert reference
    assert "secret" not in page.body
    assert reference[1] in caplog.text
    assert "content-security-policy" in page.headers


def test_errors_of_the_api_have_one_shape(world: World):
    visitor = Visitor(world.app)
    answers = {
        401: visitor.ask("GET", "/api/v1/shops"),
        404: visitor.ask("GET", "/api/v1/nowhere"),
        405: visitor.ask("DELETE", "/api/v1/shops"),
    }

    import orjson

    for status, answer in answers.items():
        told = orjson.loads(answer.body)
        assert answer.status == status
        assert answer.headers["content-type"] == "application/problem+json"
        assert {"type", "title", "status", "code", "detail", "errors", "request_id"} == set(told)
        assert told["status"] == status


@pytest.mark.parametrize("folder", VENDORED, ids=lambda path: path.parent.name)
def test_vendored_files_are_the_listed_ones(folder: Path):
    listed = dict(
        re.findall(
            r"^\| (\S+\.(?:js|gz)) \|.*\| ([0-9a-f]{64}) \|$",
            (folder / "VENDOR.md").read_text(),
            re.M,
        )
    )
    found = {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.iterdir()
        if path.name != "VENDOR.md"
    }

    assert found
    assert listed == found
