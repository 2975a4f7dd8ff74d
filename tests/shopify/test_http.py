"""The door to the network: which names, addresses and files are reached, and which never."""

from __future__ import annotations

import httpx
import pytest

from regulars.errors import InputError, Refused
from regulars.shopify.http import (
    BULK_HOSTS,
    PublicOnly,
    checked_url,
    is_public,
    is_shop_domain,
    loopback_url,
    open_http,
    shop_domain,
)
from tests.shopify.scripted import Script


@pytest.mark.parametrize(
    "text", ["ana-shop.myshopify.com", " Ana-Shop.MyShopify.com ", "1.myshopify.com"]
)
def test_a_shops_domain_is_taken_in_lower_case(text: str):
    assert shop_domain(text) == text.strip().lower()


@pytest.mark.parametrize(
    "text",
    [
        "-ana.myshopify.com",
        "ana.myshopify.com.",
        "ana.myshopify.com\n.evil.example",
        "ana.myshopify.com/admin",
        "ana.myshopify.com:443",
        "ana@x.myshopify.com",
        "a.b.myshopify.com",
        "anamyshopify.com",
        "myshopify.com",
        ".myshopify.com",
        "ána.myshopify.com",
        "a" * 300 + ".myshopify.com",
        "https://ana.myshopify.com",
    ],
)
def test_anything_else_is_no_shop(text: str):
    with pytest.raises(InputError) as raised:
        shop_domain(text)

    assert raised.value.code == "not_a_shop_domain"


def test_a_line_break_at_the_end_is_no_part_of_a_domain():
    assert not is_shop_domain("ana.myshopify.com\n")


PRIVATE_TEXT = """
0.0.0.0 10.0.0.1 100.64.0.1 127.0.0.1 127.1.2.3 169.254.169.254 172.16.0.1 172.31.255.255
192.0.0.1 192.0.2.1 192.168.1.1 198.18.0.1 198.51.100.1 203.0.113.1 224.0.0.1 240.0.0.1
255.255.255.255 :: ::1 ::ffff:127.0.0.1 ::ffff:8.8.8.8 ::ffff:10.0.0.1 64:ff9b::7f00:1
64:ff9b::808:808 100::1 2001:db8::1 2002:7f00:1:: 2001:0:4136:e378:8000:63bf:3fff:fdd2 fc00::1
fd12:3456::1 fe80::1 ff02::1 fec0::1
"""
PRIVATE = PRIVATE_TEXT.split()


@pytest.mark.parametrize("address", PRIVATE)
def test_addresses_of_this_or_another_network_are_not_public(address: str):
    assert not is_public(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "142.250.1.128", "2001:4860:4860::8888"])
def test_addresses_of_the_internet_are_public(address: str):
    assert is_public(address)


@pytest.mark.parametrize("text", ["", "0x7f.1", "2130706433", "0177.0.0.1", "x", "127.1"])
def test_what_is_not_an_address_is_not_public(text: str):
    assert not is_public(text)


def test_the_address_that_was_checked_is_the_one_that_is_reached():
    """A name that is resolved a second time could lead elsewhere; it is not resolved again."""
    script = Script([httpx.Response(200)])
    asked = []

    def resolve(host: str) -> list[str]:
        asked.append(host)
        return ["8.8.8.8"] if len(asked) == 1 else ["127.0.0.1"]

    with httpx.Client(transport=PublicOnly(script, resolve=resolve)) as client:
        client.get("https://ana-shop.myshopify.com/x")

    (request,) = script.requests
    assert asked == ["ana-shop.myshopify.com"]
    assert request.url.host == "8.8.8.8"
    assert request.headers["Host"] == "ana-shop.myshopify.com"
    assert request.extensions["sni_hostname"] == "ana-shop.myshopify.com"


@pytest.mark.parametrize("addresses", [["127.0.0.1"], ["8.8.8.8", "10.0.0.1"], []])
def test_a_name_that_leads_inside_is_refused(addresses: list[str]):
    script = Script([httpx.Response(200)])
    transport = PublicOnly(script, resolve=lambda _: addresses)

    with httpx.Client(transport=transport) as client, pytest.raises(Refused, match="not public"):
        client.get("https://ana-shop.myshopify.com/x")
    assert script.requests == []


def test_this_machine_is_reached_only_when_told_so():
    script = Script([httpx.Response(200)])

    def resolve(_: str) -> list[str]:
        return ["127.0.0.1"]

    with httpx.Client(
        transport=PublicOnly(script, resolve=resolve, loopback_allowed=True)
    ) as client:
        assert client.get("http://127.0.0.1:8402/x").status_code == 200
    with (
        httpx.Client(transport=PublicOnly(script, resolve=resolve)) as client,
        pytest.raises(Refused),
    ):
        client.get("http://127.0.0.1:8402/x")


def test_a_name_that_is_not_found_is_a_connection_that_was_not_made():
    def resolve(host: str) -> list[str]:
        raise OSError(host)

    with (
        httpx.Client(
            transport=PublicOnly(Script([httpx.Response(200)]), resolve=resolve)
        ) as client,
        pytest.raises(httpx.ConnectError),
    ):
        client.get("https://ana-shop.myshopify.com/x")


def test_the_applications_client_follows_nothing_and_reads_no_environment():
    with open_http() as client:
        assert not client.follow_redirects
        assert not client.trust_env
        assert client.timeout.connect == 5.0


HOSTILE = [
    "http://storage.googleapis.com/x",
    "https://storage.googleapis.com:8443/x",
    "https://storage.googleapis.com@evil.example/x",
    "https://ana@storage.googleapis.com/x",
    "https://storage.googleapis.com.evil.example/x",
    "https://evil.example/storage.googleapis.com",
    "https://127.0.0.1/x",
    "https://[::1]/x",
    "https://[::ffff:127.0.0.1]/x",
    "https://0x7f.1/x",
    "https://2130706433/x",
    "file:///etc/passwd",
    "ftp://storage.googleapis.com/x",
    "gopher://storage.googleapis.com/x",
    "//storage.googleapis.com/x",
    "storage.googleapis.com/x",
    "https://storage.googleapis.com%00.evil.example/x",
    "https://storage.googleapis.com\\@evil.example/x",
    "https:///x",
    "",
    "javascript:alert(1)",
]


@pytest.mark.parametrize("url", HOSTILE)
def test_files_are_fetched_from_no_other_place(url: str):
    with pytest.raises(Refused):
        checked_url(url, BULK_HOSTS)


def test_files_are_fetched_from_shopifys_hosts_and_from_our_simulator():
    google = "https://storage.googleapis.com/shopify/result.jsonl?Expires=1"
    local = "http://127.0.0.1:8402/bulk/1.jsonl"

    assert checked_url(google, BULK_HOSTS) == google
    assert checked_url(local, BULK_HOSTS, "http://127.0.0.1:8402") == local
    with pytest.raises(Refused):
        checked_url("http://127.0.0.1:9999/bulk/1.jsonl", BULK_HOSTS, "http://127.0.0.1:8402")


@pytest.mark.parametrize(
    "url", ["http://10.0.0.1:1", "http://evil.example", "file://127.0.0.1/x", "http://a@127.0.0.1"]
)
def test_a_simulator_elsewhere_is_refused(url: str):
    with pytest.raises(InputError):
        loopback_url(url)
