"""Money and instants as Shopify writes them. Inside the simulator both are whole numbers."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

#: Currencies of Shopify shops whose smallest unit is not a hundredth (ISO 4217).
EXPONENTS = {"JPY": 0, "KRW": 0, "VND": 0, "CLP": 0, "ISK": 0, "BHD": 3, "KWD": 3, "TND": 3}


def exponent(currency: str) -> int:
    """Return how many decimals the currency has."""
    return EXPONENTS.get(currency, 2)


def api_amount(minor: int, currency: str) -> str:
    """Write an amount as GraphQL does: at least one decimal, no trailing zeros ("16.48", "0.0")."""
    text = fixed_amount(minor, currency)
    if "." not in text:
        return text + ".0"
    text = text.rstrip("0")
    return text + "0" if text.endswith(".") else text


def fixed_amount(minor: int, currency: str) -> str:
    """Write an amount as webhooks do: all decimals of the currency ("89.90", "1200")."""
    decimals = exponent(currency)
    if decimals == 0:
        return str(minor)
    sign = "-" if minor < 0 else ""
    whole, part = divmod(abs(minor), 10**decimals)
    return f"{sign}{whole}.{part:0{decimals}d}"


def api_instant(seconds: int) -> str:
    """Write an instant as GraphQL does, in UTC."""
    # Sliced, not formatted: bulk results hold millions of instants.
    return datetime.fromtimestamp(seconds, UTC).isoformat()[:19] + "Z"


def shop_instant(seconds: int, zone: ZoneInfo) -> str:
    """Write an instant as webhooks of the older family do, with the shop's offset."""
    return datetime.fromtimestamp(seconds, zone).isoformat()


def milli_instant(seconds: int) -> str:
    """Write an instant as webhooks of the newer family do."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
