"""Who speaks to us and for whom we may speak: session tokens, install requests, access tokens.

Pure of storage: grants are handed to a `save` callback, which makes them durable before they are
used. Sealing them is the office's work.
"""

from __future__ import annotations

import hashlib
import hmac
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import quote_plus, urlencode

import httpx
import jwt

from regulars.clock import Clock
from regulars.errors import (
    PermissionDenied,
    TokenRejected,
    Unavailable,
    problem,
)
from regulars.shopify import http as network
from regulars.shopify.answers import Json, NotReached, check_status, read_answer
from regulars.shopify.tokens import token_refused

# Shopify's own libraries allow this much difference between two clocks.
LEEWAY = timedelta(seconds=10)
# How old a signed install request may be: long enough for a slow page, too short to keep.
INSTALL_AGE_MAX = timedelta(minutes=5)
# A token is renewed this long before its end, so that no request carries one that ends on the way.
RENEW_BEFORE = timedelta(minutes=2)

TOKEN_ANSWER_BYTES_MAX = 64 * 1024
TOKEN_ANSWER_SECONDS_MAX = 30.0

_CLAIMS = ["iss", "dest", "aud", "sub", "exp", "nbf", "iat", "jti", "sid"]
_EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
_ID_TOKEN = "urn:ietf:params:oauth:token-type:id_token"  # noqa: S105 - a name, not a secret
_OFFLINE = "urn:shopify:params:oauth:token-type:offline-access-token"


@dataclass(frozen=True, slots=True)
class SessionClaims:
    """What a verified session token says: one person, in one shop, for a minute."""

    domain: str
    #: Shopify's number of the staff member.
    staff_id: str
    session_id: str
    #: Different for each token; a token may be used several times within its minute.
    token_id: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Grant:
    """An access token and what belongs to it; the fields are those of the office's Token."""

    access_token: str
    refresh_token: str | None = None
    #: None: does not end.
    expires_at: datetime | None = None
    refresh_expires_at: datetime | None = None
    #: Scopes as granted, with commas.
    scopes: str = ""

    def __repr__(self) -> str:
        return f"Grant(***, expires_at={self.expires_at}, scopes={self.scopes!r})"


@dataclass(frozen=True, slots=True)
class Callback:
    """A verified return from the consent page."""

    domain: str
    code: str


def verify_session_token(
    token: str, *, client_id: str, secrets: Sequence[str], now: datetime
) -> SessionClaims:
    """Return the claims of a session token of App Bridge; raise PermissionDenied for any other.

    Demands HS256, one of our secrets (the present or the previous), every claim, and the same shop
    in `iss` and `dest`.
    """
    claims = _signed_claims(token, client_id, secrets)
    expires_at = _claimed_instant(claims, "exp")
    if expires_at + LEEWAY <= now:
        raise _denied("session_expired", "The session has ended. Open the app again.")
    if max(_claimed_instant(claims, "nbf"), _claimed_instant(claims, "iat")) - LEEWAY > now:
        raise _denied("session_too_early", "The session begins later. Check this server's clock.")
    domain = _claimed_shop(claims)
    return SessionClaims(
        domain=domain,
        staff_id=_claimed_text(claims, "sub"),
        session_id=_claimed_text(claims, "sid"),
        token_id=_claimed_text(claims, "jti"),
        expires_at=expires_at,
    )


def _signed_claims(token: str, client_id: str, secrets: Sequence[str]) -> Json:
    for secret in secrets:
        try:
            claims: Json = jwt.decode(
                token,
                secret,
                algorithms=["HS256"],
                audience=client_id,
                # Instants are compared with our own clock, which may stand still in tests.
                options={
                    "require": _CLAIMS,
                    "strict_aud": True,
                    "verify_exp": False,
                    "verify_nbf": False,
                    "verify_iat": False,
                },
            )
        except jwt.InvalidSignatureError:
            continue
        except jwt.InvalidTokenError as error:
            raise _not_a_session() from error
        return claims
    raise _not_a_session()


def _claimed_instant(claims: Json, name: str) -> datetime:
    seconds = claims[name]
    if not isinstance(seconds, int) or isinstance(seconds, bool):
        raise _not_a_session()
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, OSError, ValueError) as error:
        raise _not_a_session() from error


def _claimed_text(claims: Json, name: str) -> str:
    text = claims[name]
    if not isinstance(text, str) or not text:
        raise _not_a_session()
    return text


def _claimed_shop(claims: Json) -> str:
    # Compared as whole texts: a URL reader would forgive line breaks, ports and names.
    domain = str(claims["dest"]).removeprefix("https://")
    is_shop = network.is_shop_domain(domain) and claims["dest"] == f"https://{domain}"
    if not is_shop or claims["iss"] != f"https://{domain}/admin":
        raise _not_a_session()
    return domain


def _not_a_session() -> PermissionDenied:
    return _denied("not_a_session", "You are not signed in through Shopify. Open the app again.")


def _denied(code: str, template: str) -> PermissionDenied:
    return PermissionDenied(problem(code, template))


def verify_install_query(
    pairs: Iterable[tuple[str, str]], *, secrets: Sequence[str], now: datetime
) -> str:
    """Return the shop of a signed install or callback query; raise PermissionDenied for any other.

    `pairs` are the query's parameters as decoded. Shopify's libraries write special characters in
    two ways before signing; both are tried, and neither can be cut in another place.
    """
    listed = list(pairs)
    given = dict(listed)
    is_unique = len(given) == len(listed)
    told = given.pop("hmac", "")
    # `signature` is the older family's and was never part of what is signed.
    given.pop("signature", None)
    domain, timestamp = given.get("shop", ""), given.get("timestamp", "")
    is_dated = timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 11
    is_whole = is_unique and is_dated and network.is_shop_domain(domain)
    if not is_whole or not _is_signed(given, told, secrets):
        raise _denied("install_not_signed", "This address was not signed by Shopify.")
    if abs(datetime.fromtimestamp(int(timestamp), UTC) - now) > INSTALL_AGE_MAX:
        raise _denied(
            "install_too_old", "This address is too old. Open the app from Shopify again."
        )
    return domain


def verify_callback(
    pairs: Sequence[tuple[str, str]], *, secrets: Sequence[str], state: str, now: datetime
) -> Callback:
    """Return shop and code of the consent page's answer; `state` is the nonce we sent there."""
    domain = verify_install_query(pairs, secrets=secrets, now=now)
    given = dict(pairs)
    if not state or not hmac.compare_digest(given.get("state", "").encode(), state.encode()):
        raise _denied("wrong_state", "This sign-in was not started here. Open the app again.")
    if not given.get("code"):
        raise _denied("no_code", "Shopify's answer has no code. Open the app again.")
    return Callback(domain, given["code"])


def _is_signed(given: dict[str, str], told: str, secrets: Sequence[str]) -> bool:
    ordered = sorted(given.items())
    messages = {
        "&".join(f"{_escaped(name, '%&=')}={_escaped(value, '%&')}" for name, value in ordered),
        "&".join(f"{quote_plus(name)}={quote_plus(value)}" for name, value in ordered),
    }
    fits = [
        hmac.compare_digest(
            hmac.new(secret.encode(), message.encode(), hashlib.sha256).hexdigest().encode(),
            told.encode(),
        )
        for secret in secrets
        if secret
        for message in sorted(messages)
    ]
    return any(fits)


def _escaped(text: str, special: str) -> str:
    for character in special:
        text = text.replace(character, f"%{ord(character):02X}")
    return text


def authorize_url(
    domain: str, *, client_id: str, scopes: str, redirect_uri: str, state: str
) -> str:
    """Return where the browser is sent to agree; `state` comes back and is compared."""
    query = urlencode(
        {
            "client_id": client_id,
            "scope": scopes,
            "redirect_uri": redirect_uri,
            "state": state,
        }
    )
    return f"https://{network.shop_domain(domain)}/admin/oauth/authorize?{query}"


class TokenDoor:
    """The token endpoint of one shop: changes proofs into grants."""

    def __init__(
        self,
        domain: str,
        *,
        client_id: str,
        client_secret: str,
        http: httpx.Client,
        clock: Clock,
        base_url: str | None = None,
    ) -> None:
        root = (
            network.loopback_url(base_url) if base_url else f"https://{network.shop_domain(domain)}"
        )
        self._url = f"{root}/admin/oauth/access_token"
        self._app = {"client_id": client_id, "client_secret": client_secret}
        self._http = http
        self._clock = clock

    def exchange(self, session_token: str, *, expiring: bool = True) -> Grant:
        """Return an offline token for the shop of a session token (managed installation)."""
        return self._ask(
            grant_type=_EXCHANGE,
            subject_token=session_token,
            subject_token_type=_ID_TOKEN,
            requested_token_type=_OFFLINE,
            expiring="1" if expiring else "0",
        )

    def migrate(self, offline_token: str) -> Grant:
        """Return an expiring token in place of an older one that does not expire."""
        return self._ask(
            grant_type=_EXCHANGE,
            subject_token=offline_token,
            subject_token_type=_OFFLINE,
            requested_token_type=_OFFLINE,
            expiring="1",
        )

    def redeem(self, code: str, *, expiring: bool = True) -> Grant:
        """Return an offline token for the code of a verified callback."""
        return self._ask(code=code, expiring="1" if expiring else "0")

    def refresh(self, refresh_token: str) -> Grant:
        """Return the next token pair. The old refresh token works until the new one is used."""
        return self._ask(grant_type="refresh_token", refresh_token=refresh_token)

    def _ask(self, **fields: str) -> Grant:
        asked_at = self._clock()
        try:
            with self._http.stream(
                "POST", self._url, json={**self._app, **fields}, follow_redirects=False
            ) as response:
                if response.status_code in {400, 401, 403}:
                    raise TokenRejected(
                        problem(
                            "access_not_renewed",
                            "Shopify does not renew the app's access to this shop. "
                            "Open the app from Shopify again.",
                        )
                    )
                check_status(response)
                pieces = network.capped(
                    response,
                    self._clock,
                    bytes_max=TOKEN_ANSWER_BYTES_MAX,
                    seconds_max=TOKEN_ANSWER_SECONDS_MAX,
                )
                return _grant(read_answer(b"".join(pieces)), asked_at)
        except httpx.RequestError as error:
            raise NotReached("Shopify's sign-in could not be reached.") from error


def _grant(answer: Json, asked_at: datetime) -> Grant:
    token = answer.get("access_token")
    if not isinstance(token, str) or not token:
        raise Unavailable("Shopify's sign-in gave no access token.")
    return Grant(
        access_token=token,
        refresh_token=answer.get("refresh_token"),
        expires_at=_end(asked_at, answer.get("expires_in")),
        refresh_expires_at=_end(asked_at, answer.get("refresh_token_expires_in")),
        scopes=str(answer.get("scope", "")),
    )


def _end(asked_at: datetime, seconds: object) -> datetime | None:
    return asked_at + timedelta(seconds=seconds) if isinstance(seconds, int | float) else None


class RotatingToken:
    """A token source that renews an expiring grant; shared by all threads of a shop.

    `save` makes a new pair durable and is called before its first use: Shopify takes the old one
    back once the new one is seen.
    """

    def __init__(
        self, grant: Grant, *, door: TokenDoor, save: Callable[[Grant], None], clock: Clock
    ) -> None:
        self._grant = grant
        self._door = door
        self._save = save
        self._clock = clock
        self._lock = threading.Lock()

    def current(self) -> str:
        """Return the token to use now, renewed shortly before its end."""
        with self._lock:
            ends_at = self._grant.expires_at
            now = self._clock()
            if ends_at is not None and now >= ends_at - RENEW_BEFORE:
                try:
                    self._renew()
                except Unavailable:
                    if now >= ends_at:
                        raise
            return self._grant.access_token

    def refreshed(self, rejected: str) -> str:
        """Return another token than the refused one; raise TokenRejected when there is none."""
        with self._lock:
            # Another thread may have renewed it already.
            if self._grant.access_token == rejected:
                self._renew()
            return self._grant.access_token

    def _renew(self) -> None:
        if self._grant.refresh_token is None:
            raise token_refused()
        grant = self._door.refresh(self._grant.refresh_token)
        self._save(grant)
        self._grant = grant
