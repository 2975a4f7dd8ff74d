"""Where the client gets its access token from."""

from __future__ import annotations

from typing import Protocol

from regulars.errors import TokenRejected, problem


def token_refused() -> TokenRejected:
    """Return what is raised where Shopify does not take the token, and there is no other."""
    return TokenRejected(
        problem(
            "token_refused",
            "Shopify does not accept the app's token for this shop. Connect the shop again.",
        )
    )


class TokenSource(Protocol):
    """Gives the access token of one shop, and a fresh one when the old one is refused."""

    def current(self) -> str:
        """Return the token to use now, renewed beforehand where it is known to end."""

    def refreshed(self, rejected: str) -> str:
        """Return another token than `rejected`; raise TokenRejected when there is none."""


class FixedToken:
    """A token that does not change: of a custom app, of the simulator."""

    def __init__(self, token: str) -> None:
        self._token = token

    def __repr__(self) -> str:
        return "FixedToken(***)"

    def current(self) -> str:
        """Return the token."""
        return self._token

    def refreshed(self, rejected: str) -> str:
        """Raise TokenRejected: there is no other token."""
        del rejected
        raise token_refused()
