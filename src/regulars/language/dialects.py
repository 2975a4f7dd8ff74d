"""The two written forms of the language, by name."""

from __future__ import annotations

from enum import StrEnum

from regulars.errors import QueryError, problem


class Dialect(StrEnum):
    """The form of functions: Shopify's newer one, the one before 2026-10, or whichever is met."""

    MATCHES = "matches"
    PREVIOUS = "previous"
    ANY = "any"


def dialect_named(name: str) -> Dialect:
    """Return the form of this name; raise QueryError for another word."""
    try:
        return Dialect(name)
    except ValueError:
        unknown = problem(
            "unknown_dialect",
            'There is no form "{name}". Use any, matches or previous.',
            field="dialect",
            name=name[:60],
        )
        raise QueryError(unknown) from None
