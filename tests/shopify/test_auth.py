"""Sign-in: session tokens, signed addresses, and access tokens that renew themselves."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from regulars.errors import InputError, PermissionDenied, TokenRejected, Unavailable
from regulars.shopify.auth import (
    Grant,
    RotatingToken,
    TokenDoor,
    authorize_url,
    verify_callback,
    verify_install_query,
    verify_session_token,
)
from regulars.simulator.shop import Shop
from regulars.simulator.simulator import Simulator
from regulars.simulator.tokens import Tokens
from regulars.simulator.transport import SimulatorTransport
from tests.shopify.scripted import DOMAIN, START, Script, Time

CLIENT = "c0ffee0123456789"
SECRET = "shpss_0123456789abcdef0123456789abcdef"
PREVIOUS = "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"
SECONDS = int(START.timestamp())


def claims(**changes: Any) -> dict[str, Any]:
    told = {
        "iss": f"https://{DOMAIN}/admin",
        "dest": f"https://{DOMAIN}",
        "aud": CLIENT,
        "sub": "42",
        "exp": SECONDS + 60,
        "nbf": SECONDS,
        "iat": SECONDS,
        "jti": "f8912129-1af6-4cad-9ca3-76b0f7621087",
        "sid": "aaea182f2732d44c23057c0fea584021a4485b2bd25d3eb7fd349313ad24c685",
    } | changes
    return {name: value for name, value in told.items() if value is not ...}


def signed(secret: str = SECRET, **changes: Any) -> str:
    return jwt.encode(claims(**changes), secret, algorithm="HS256")


def check(token: str, **options: Any):
    return verify_session_token(
        token, **({"client_id": CLIENT, "secrets": [SECRET, PREVIOUS], "now": START} | options)
    )


def test_a_good_session_token_names_shop_and_person():
    told = check(signed())

    assert (told.domain, told.staff_id) == (DOMAIN, "42")
    assert told.expires_at == START + timedelta(minutes=1)


def test_the_previous_secret_is_good_while_it_is_known():
    assert check(signed(PREVIOUS)).domain == DOMAIN
    with pytest.raises(PermissionDenied):
        check(signed(PREVIOUS), secrets=[SECRET])


def test_a_simulated_shop_mints_tokens_that_we_accept():
    tokens = Tokens(lambda: START, DOMAIN, CLIENT, SECRET)

    assert check(tokens.session_token()).staff_id == "42"


@pytest.mark.parametrize("seconds", [-59, 0, 60, 69])
def test_a_token_lives_its_minute_with_ten_seconds_to_spare(seconds: int):
    early = max(seconds, -10)

    assert check(signed(), now=START + timedelta(seconds=early)).domain == DOMAIN


@pytest.mark.parametrize(("seconds", "code"), [(70, "session_expired"), (-11, "session_too_early")])
def test_a_token_out_of_its_time_is_refused(seconds: int, code: str):
    with pytest.raises(PermissionDenied) as raised:
        check(signed(), now=START + timedelta(seconds=seconds))

    assert raised.value.code == code


@pytest.mark.parametrize("name", sorted(claims()))
def test_every_claim_is_demanded(name: str):
    with pytest.raises(PermissionDenied):
        check(signed(**{name: ...}))


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": "another-app"},
        {"aud": [CLIENT]},
        {"aud": [CLIENT, "another-app"]},
        {"iss": "https://other-shop.myshopify.com/admin"},
        {"iss": f"http://{DOMAIN}/admin"},
        {"iss": f"https://{DOMAIN}"},
        {"dest": f"https://{DOMAIN}/admin"},
        {"dest": f"https://{DOMAIN}/"},
        {"dest": f"https://{DOMAIN}:443", "iss": f"https://{DOMAIN}:443/admin"},
        {"dest": "https://evil.example", "iss": "https://evil.example/admin"},
        {"dest": f"https://{DOMAIN}.evil.example", "iss": f"https://{DOMAIN}.evil.example/admin"},
        {"dest": f"https://{DOMAIN}\n", "iss": f"https://{DOMAIN}\n/admin"},
        {"dest": f"https://a@{DOMAIN}", "iss": f"https://a@{DOMAIN}/admin"},
        {"dest": "https://ANA-SHOP.myshopify.com", "iss": "https://ANA-SHOP.myshopify.com/admin"},
        {"dest": f"https://{DOMAIN}?x=1"},
        {"dest": f"https://{DOMAIN}#x"},
        {"dest": 5},
        {"dest": None},
        {"exp": str(SECONDS + 60)},
        {"exp": 10**30},
        {"exp": True},
        {"exp": float(SECONDS + 60)},
        {"iat": SECONDS + 3600},
        {"nbf": SECONDS + 3600},
        {"sub": ""},
        {"sid": ""},
    ],
)
def test_a_claim_that_does_not_fit_is_refused(changes: dict[str, Any]):
    with pytest.raises(PermissionDenied):
        check(signed(**changes))


def part(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


@pytest.mark.parametrize("algorithm", ["none", "None", "NONE", "nOnE", ""])
def test_an_unsigned_token_is_refused(algorithm: str):
    head = part({"alg": algorithm, "typ": "JWT"})

    for signature in ("", "AAAA"):
        with pytest.raises(PermissionDenied):
            check(f"{head}.{part(claims())}.{signature}")


def test_a_token_signed_with_another_algorithm_is_refused():
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)

    with pytest.raises(PermissionDenied):
        check(jwt.encode(claims(), key, algorithm="RS256"))
    with pytest.raises(PermissionDenied):
        check(jwt.encode(claims(), SECRET * 2, algorithm="HS512"))


def test_a_head_that_claims_another_algorithm_is_refused_although_the_signature_fits():
    for algorithm in ("RS256", "HS512", "none"):
        message = f"{part({'alg': algorithm, 'typ': 'JWT'})}.{part(claims())}"
        digest = hmac.new(SECRET.encode(), message.encode(), hashlib.sha256).digest()
        signature = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()

        with pytest.raises(PermissionDenied):
            check(f"{message}.{signature}")


@pytest.mark.parametrize("token", ["", ".", "..", "a.b.c", "Bearer x", "é.é.é", "a" * 10_000])
def test_what_is_no_token_is_refused(token: str):
    with pytest.raises(PermissionDenied):
        check(token)


def test_one_changed_character_is_refused():
    head, body, signature = signed().split(".")
    other = "A" if signature[5] != "A" else "B"

    with pytest.raises(PermissionDenied):
        check(f"{head}.{body}.{signature[:5]}{other}{signature[6:]}")


def test_no_secret_accepts_nothing():
    with pytest.raises(PermissionDenied):
        check(signed(), secrets=[])


def query(secret: str = SECRET, **changes: str) -> list[tuple[str, str]]:
    tokens = Tokens(lambda: START, DOMAIN, CLIENT, secret)
    return parse_qsl(tokens.install_query(**changes), keep_blank_values=True)


def installed(pairs: list[tuple[str, str]], **options: Any) -> str:
    return verify_install_query(pairs, **({"secrets": [SECRET], "now": START} | options))


def test_a_signed_address_names_its_shop():
    assert installed(query(host="abc", locale="ja-JP")) == DOMAIN


@pytest.mark.parametrize("minutes", [-6, 6, 60 * 24])
def test_an_old_address_is_refused(minutes: int):
    with pytest.raises(PermissionDenied) as raised:
        installed(query(), now=START + timedelta(minutes=minutes))

    assert raised.value.code == "install_too_old"


@pytest.mark.parametrize(
    "pairs",
    [
        [],
        query()[:-1],
        [*query(), ("extra", "1")],
        [(name, value if name != "shop" else "evil.myshopify.com") for name, value in query()],
        [*query(), ("shop", DOMAIN)],
        query("another-secret"),
        query(shop="evil.example"),
        query(timestamp="soon"),
        query(timestamp=""),
        query(timestamp="-5"),
        query(timestamp="9" * 11),
        query(timestamp="１７９５２５１６００"),
    ],
)
def test_an_address_that_was_not_signed_so_is_refused(pairs: list[tuple[str, str]]):
    with pytest.raises(PermissionDenied):
        installed(pairs)


def hmac_of(message: str) -> str:
    return hmac.new(SECRET.encode(), message.encode(), hashlib.sha256).hexdigest()


@pytest.mark.parametrize(
    "written",
    [
        "host=a b%26c%25d",  # as one library writes it before signing
        "host=a+b%26c%25d",  # as the other does
    ],
)
def test_special_characters_are_accepted_in_both_ways_they_are_signed(written: str):
    message = f"{written}&shop={DOMAIN}&timestamp={SECONDS}"
    pairs = [
        ("host", "a b&c%d"),
        ("shop", DOMAIN),
        ("timestamp", str(SECONDS)),
        ("hmac", hmac_of(message)),
    ]

    assert installed(pairs) == DOMAIN


def test_parameters_cannot_be_cut_at_another_place():
    """What was signed as two parameters is not accepted as one that holds an `&`."""
    message = f"host=a&locale=b&shop={DOMAIN}&timestamp={SECONDS}"
    pairs = [
        ("host", "a&locale=b"),
        ("shop", DOMAIN),
        ("timestamp", str(SECONDS)),
        ("hmac", hmac_of(message)),
    ]

    with pytest.raises(PermissionDenied):
        installed(pairs)


def test_a_callback_needs_our_own_state():
    pairs = query(state="nonce-1", code="code-1")

    assert verify_callback(pairs, secrets=[SECRET], state="nonce-1", now=START).code == "code-1"
    for state in ("nonce-2", ""):
        with pytest.raises(PermissionDenied) as raised:
            verify_callback(pairs, secrets=[SECRET], state=state, now=START)
        assert raised.value.code == "wrong_state"
    with pytest.raises(PermissionDenied):
        verify_callback(query(code="c"), secrets=[SECRET], state="nonce-1", now=START)
    with pytest.raises(PermissionDenied):
        verify_callback(query(state="n"), secrets=[SECRET], state="n", now=START)


def test_the_consent_page_is_the_shops_own():
    url = urlsplit(
        authorize_url(
            DOMAIN,
            client_id=CLIENT,
            scopes="read_customers,write_customers",
            redirect_uri="https://regulars.example.com/auth/callback",
            state="n",
        )
    )

    assert (url.scheme, url.netloc, url.path) == ("https", DOMAIN, "/admin/oauth/authorize")
    assert parse_qs(url.query)["scope"] == ["read_customers,write_customers"]
    with pytest.raises(InputError):
        authorize_url("evil.example", client_id="", scopes="", redirect_uri="", state="")


class Endpoint(SimulatorTransport):
    """A simulated shop's token endpoint."""

    def __init__(self, time: Time) -> None:
        shop = Shop(clock=time, domain=DOMAIN)
        super().__init__(Simulator(shop, client_id=CLIENT, client_secret=SECRET))
        self.tokens = self.simulator.tokens

    def lose_an_answer(self) -> None:
        self.simulator.faults.switch_on("lost_response", times=1)


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def endpoint(time: Time) -> Iterator[Endpoint]:
    made = Endpoint(time)
    yield made
    made.simulator.close()


def door(endpoint: httpx.BaseTransport, time: Time) -> TokenDoor:
    return TokenDoor(
        DOMAIN,
        client_id=CLIENT,
        client_secret=SECRET,
        http=httpx.Client(transport=endpoint),
        clock=time,
    )


def test_a_session_token_is_exchanged_for_a_grant_that_ends(time: Time, endpoint: Endpoint):

    grant = door(endpoint, time).exchange(endpoint.tokens.session_token())

    assert grant.expires_at == START + timedelta(hours=1)
    assert grant.refresh_token
    assert "read_customers" in grant.scopes
    assert grant.access_token not in repr(grant)
    assert grant.refresh_token not in repr(grant)


def test_a_code_is_redeemed_once(time: Time, endpoint: Endpoint):
    code = endpoint.tokens.authorize()

    assert door(endpoint, time).redeem(code).refresh_token
    with pytest.raises(TokenRejected):
        door(endpoint, time).redeem(code)


def test_an_old_token_is_changed_into_one_that_ends(time: Time, endpoint: Endpoint):
    endpoint.tokens.grant("shpat_old")

    assert door(endpoint, time).migrate("shpat_old").expires_at


def rotating(endpoint: httpx.BaseTransport, time: Time, grant: Grant, saved: list[Grant]):
    return RotatingToken(grant, door=door(endpoint, time), save=saved.append, clock=time)


def test_a_token_is_renewed_before_its_end_and_stored_before_its_use(
    time: Time, endpoint: Endpoint
):
    saved: list[Grant] = []
    grant = door(endpoint, time).exchange(endpoint.tokens.session_token())
    source = rotating(endpoint, time, grant, saved)
    assert source.current() == grant.access_token

    time.sleep(3600 - 119)
    renewed = source.current()

    assert [one.access_token for one in saved] == [renewed]
    assert renewed != grant.access_token
    assert endpoint.tokens.check(renewed)


def test_a_token_that_cannot_be_stored_is_not_used(time: Time, endpoint: Endpoint):
    grant = door(endpoint, time).exchange(endpoint.tokens.session_token())

    def full(_: Grant) -> None:
        raise OSError("disk full")

    source = RotatingToken(grant, door=door(endpoint, time), save=full, clock=time)

    with pytest.raises(OSError, match="disk full"):
        source.refreshed(grant.access_token)
    assert source.current() == grant.access_token


def test_a_lost_renewal_is_repeated_with_the_same_refresh_token(time: Time, endpoint: Endpoint):
    """The old pair works until the new one is used, so an answer that got lost loses nothing."""
    saved: list[Grant] = []
    grant = door(endpoint, time).exchange(endpoint.tokens.session_token())
    source = rotating(endpoint, time, grant, saved)
    endpoint.lose_an_answer()
    time.sleep(3600)

    with pytest.raises(Unavailable):
        source.current()
    token = source.current()

    assert endpoint.tokens.check(token)
    assert len(saved) == 1


def test_a_token_that_still_works_is_used_while_it_cannot_be_renewed(
    time: Time, endpoint: Endpoint
):
    saved: list[Grant] = []
    grant = door(endpoint, time).exchange(endpoint.tokens.session_token())
    source = rotating(endpoint, time, grant, saved)
    endpoint.lose_an_answer()
    time.sleep(3600 - 60)

    assert source.current() == grant.access_token


def test_another_threads_renewal_is_used_and_not_repeated(time: Time, endpoint: Endpoint):
    saved: list[Grant] = []
    grant = door(endpoint, time).exchange(endpoint.tokens.session_token())
    source = rotating(endpoint, time, grant, saved)

    first = source.refreshed(grant.access_token)
    second = source.refreshed(grant.access_token)

    assert first == second
    assert len(saved) == 1


def test_a_grant_without_refresh_token_asks_to_connect_again(time: Time, endpoint: Endpoint):
    source = rotating(endpoint, time, Grant("shpat_x"), [])

    assert source.current() == "shpat_x"
    with pytest.raises(TokenRejected, match="Connect the shop again"):
        source.refreshed("shpat_x")


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (httpx.Response(200, json={"scope": ""}), Unavailable),
        (httpx.Response(200, content=b"<html>"), Unavailable),
        (httpx.Response(200, json={"access_token": 5}), Unavailable),
        (httpx.Response(503), Unavailable),
        (httpx.ConnectError("no"), Unavailable),
        (httpx.Response(400, json={"error": "invalid_grant"}), TokenRejected),
    ],
)
def test_bad_answers_of_the_endpoint_are_told(answer: Any, error: type[Exception]):
    time = Time()

    with pytest.raises(error):
        door(Script([answer]), time).refresh("shprt_x")
