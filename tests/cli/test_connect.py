"""regulars shops connect: a custom app's token out of a file, the shop loaded, clear refusals."""

from __future__ import annotations

import pytest

from regulars.bootstrap.serving import bind
from regulars.simulator.serve import PretendShop, open_app, served


@pytest.fixture
def pretended(monkeypatch):
    """A pretend Shopify on a port of this machine."""
    from regulars.simulator.simulator import DEMO_TOKEN

    with served(open_app(PretendShop(30)), bind("127.0.0.1", 0)) as shopify:
        monkeypatch.setenv("REGULARS_SIMULATOR_URL", shopify.url)
        yield shopify.simulator.shop.domain, DEMO_TOKEN


def connect(regulars, path, domain, *more):
    words = ("--shop", "demo", "--domain", domain, "--token-file", path)
    return regulars("shops", "connect", *words, *more)


def test_a_shop_is_connected_and_loaded(regulars, pretended, tmp_path):
    domain, token = pretended
    path = tmp_path / "token"
    path.write_text(f"{token}\n")

    told = connect(regulars, path, domain, "--json")

    assert told.code == 0, told.err
    assert told.json["shop"]["domain"] == domain
    assert told.json["job"]["result"]["customers"] == 30
    assert token not in told.out
    counted = regulars("count", "number_of_orders >= 0", "--shop", "demo", "--json")
    assert counted.json["count"] == 30
    again = regulars(
        "shops", "connect", "--shop", "other", "--domain", domain, "--token-file", path
    )
    assert (again.code, 'connected already, as "demo"' in again.err) == (2, True)


def test_a_token_that_shopify_refuses_is_told_as_that(regulars, pretended, tmp_path):
    path = tmp_path / "token"
    path.write_text("shpat_wrong")

    told = connect(regulars, path, pretended[0])

    assert told.code == 2
    assert "does not accept this token" in told.err
    assert "shpat_wrong" not in told.err
    assert regulars("shops", "list", "--json").json == {"shops": []}


@pytest.mark.parametrize(
    ("content", "says"),
    [(None, "cannot be read"), ("", "nothing else"), ("two words", "nothing else")],
)
def test_a_file_without_a_token_is_refused(regulars, tmp_path, content, says):
    path = tmp_path / "token"
    if content is not None:
        path.write_text(content)

    told = connect(regulars, path, "x.myshopify.com")

    assert (told.code, says in told.err) == (2, True)


def test_what_is_no_shop_address_is_refused(regulars, tmp_path):
    path = tmp_path / "token"
    path.write_text("shpat_x")

    told = connect(regulars, path, "www.example.com")

    assert (told.code, "myshopify.com" in told.err) == (2, True)
