"""Access tokens of the app in the pretend shop: exchange, code grant, refresh with rotation.

Also mints the session tokens that Shopify's admin would give to an embedded page.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import jwt

from regulars.clock import Clock

ALL_SCOPES = frozenset(
    [
        "read_customers",
        "write_customers",
        "read_orders",
        "read_all_orders",
        "read_products",
        "read_customer_merge",
        "read_store_credit_accounts",
    ]
)
#: An expiring offline token lives one hour.
TOKEN_SECONDS = 3600
REFRESH_SECONDS = 90 * 86_400
EXCHANGE_GRANT = "urn:ietf:params:oauth:grant-type:token-exchange"
ID_TOKEN_TYPE = "urn:ietf:params:oauth:token-type:id_token"  # noqa: S105 - a name, not a secret
OFFLINE_TYPE = "urn:shopify:params:oauth:token-type:offline-access-token"


@dataclass(slots=True)
class Token:
    """One access token; `expires` None never ends."""

    text: str
    scopes: frozenset[str]
    expires: float | None = None


@dataclass(slots=True)
class Refresh:
    """One refresh token; it still works after use until what replaced it was used."""

    text: str
    expires: float
    successor: str | None = None
    spent: bool = False


class RejectedError(Exception):
    """The token endpoint says no; the text is OAuth's error code."""


@dataclass
class Tokens:
    """The app's credentials and the tokens given to it."""

    clock: Clock
    shop_domain: str
    client_id: str = "regulars-client-id"
    client_secret: str = "regulars-client-secret-of-a-pretend-app"  # noqa: S105 - of a pretend app
    scopes: frozenset[str] = ALL_SCOPES
    access: dict[str, Token] = field(default_factory=dict)
    refreshes: dict[str, Refresh] = field(default_factory=dict)
    codes: set[str] = field(default_factory=set)

    def now(self) -> float:
        """Return the present second."""
        return self.clock().timestamp()

    def grant(self, text: str, scopes: frozenset[str] | None = None) -> Token:
        """Accept a token that never expires, as a custom app has one."""
        token = self.access[text] = Token(text, self.scopes if scopes is None else scopes)
        return token

    def check(self, text: str | None) -> Token | None:
        """Return the token when it is good now."""
        token = self.access.get(text or "")
        if token is None or (token.expires is not None and token.expires <= self.now()):
            return None
        return token

    def revoke(self) -> None:
        """Forget every token, as an uninstall does."""
        self.access.clear()
        self.refreshes.clear()

    def session_token(self, staff_id: str = "42", **changes: object) -> str:
        """Mint a session token; `changes` replace or, with None, leave out claims."""
        now = int(self.now())
        claims: dict[str, object] = {
            "iss": f"https://{self.shop_domain}/admin",
            "dest": f"https://{self.shop_domain}",
            "aud": self.client_id,
            "sub": staff_id,
            "exp": now + 60,
            "nbf": now,
            "iat": now,
            "jti": secrets.token_hex(16),
            "sid": secrets.token_hex(32),
        }
        claims |= changes
        told = {name: value for name, value in claims.items() if value is not None}
        return jwt.encode(told, self.client_secret, algorithm="HS256")

    def install_query(self, **parameters: str) -> str:
        """Return the signed query of an install or callback request."""
        known = {"shop": self.shop_domain, "timestamp": str(int(self.now())), **parameters}
        message = "&".join(f"{name}={known[name]}" for name in sorted(known))
        digest = hmac.new(self.client_secret.encode(), message.encode(), hashlib.sha256)
        return urlencode({**known, "hmac": digest.hexdigest()})

    def authorize(self) -> str:
        """Return a code as the consent page hands to the callback."""
        code = secrets.token_hex(16)
        self.codes.add(code)
        return code

    def answer(self, body: dict[str, Any]) -> dict[str, Any]:
        """Answer one request of the token endpoint; raises RejectedError."""
        given = (str(body.get("client_id")), str(body.get("client_secret")))
        if not (
            hmac.compare_digest(given[0].encode(), self.client_id.encode())
            and hmac.compare_digest(given[1].encode(), self.client_secret.encode())
        ):
            raise RejectedError("invalid_client")
        if body.get("grant_type") == EXCHANGE_GRANT:
            self.check_subject(body)
            return self.issue(body)
        if body.get("grant_type") == "refresh_token":
            return self.refresh(str(body.get("refresh_token")))
        if body.get("grant_type") == "client_credentials":
            return self.issue({"expiring": "1"})
        if body.get("code") in self.codes:
            self.codes.discard(body["code"])
            return self.issue(body)
        raise RejectedError("invalid_request")

    def check_subject(self, body: dict[str, Any]) -> None:
        """Accept a good session token, or an old offline token to be replaced."""
        subject = str(body.get("subject_token"))
        if body.get("subject_token_type") == OFFLINE_TYPE:
            if self.check(subject) is None:
                raise RejectedError("invalid_subject_token")
            return
        if body.get("subject_token_type") != ID_TOKEN_TYPE:
            raise RejectedError("invalid_request")
        try:
            claims = jwt.decode(
                subject,
                self.client_secret,
                algorithms=["HS256"],
                audience=self.client_id,
                options={"verify_exp": False, "verify_nbf": False, "verify_iat": False},
            )
        except jwt.InvalidTokenError:
            raise RejectedError("invalid_subject_token") from None
        if (
            claims.get("exp", 0) <= self.now()
            or claims.get("dest") != f"https://{self.shop_domain}"
        ):
            raise RejectedError("invalid_subject_token")

    def issue(self, body: dict[str, Any]) -> dict[str, Any]:
        """Give a new access token, expiring with a refresh token when asked for."""
        now, text = self.now(), "shpat_" + secrets.token_hex(16)
        online = "online-access-token" in str(body.get("requested_token_type"))
        expiring = str(body.get("expiring", "0")) in {"1", "true", "True"}
        token = self.access[text] = Token(text, self.scopes)
        told: dict[str, Any] = {"access_token": text, "scope": ",".join(sorted(self.scopes))}
        if online:
            token.expires = now + 86_400
            user = {"id": 42, "email": "staff@example.test", "locale": "ja", "account_owner": True}
            return {**told, "expires_in": 86_399, "associated_user": user}
        if not expiring:
            return told
        token.expires = now + TOKEN_SECONDS
        refresh = Refresh("shprt_" + secrets.token_hex(16), now + REFRESH_SECONDS)
        self.refreshes[refresh.text] = refresh
        return told | {
            "expires_in": TOKEN_SECONDS,
            "refresh_token": refresh.text,
            "refresh_token_expires_in": REFRESH_SECONDS,
        }

    def refresh(self, text: str) -> dict[str, Any]:
        """Exchange a refresh token; the previous one works until the new one is used."""
        known = self.refreshes.get(text)
        if known is None or known.spent or known.expires <= self.now():
            raise RejectedError("invalid_grant")
        for other in self.refreshes.values():
            if other.successor == text:
                other.spent = True
        told = self.issue({"expiring": "1"})
        known.successor = told["refresh_token"]
        return told
