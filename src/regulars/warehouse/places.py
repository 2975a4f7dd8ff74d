"""Keys under which places and texts are compared."""

from __future__ import annotations

import unicodedata

from regulars.warehouse.facts import AddressFact


def folded(text: str) -> str:
    """Return the key under which texts that differ in letter case alone are equal."""
    return text.casefold()


def email_domain(email: str | None) -> str | None:
    """Return what follows the last @, in lower case.

    >>> email_domain("Ana@Example.COM")
    'example.com'
    """
    if email is None:
        return None
    _, at, domain = email.rpartition("@")
    return domain.strip().lower() or None if at else None


def region_code(country: str | None, region: str | None) -> str | None:
    """Return the region as ISO 3166-2, whether it came as 'NY' or as 'US-NY'.

    >>> region_code("US", "NY"), region_code("JP", "JP-13"), region_code("US", "")
    ('US-NY', 'JP-13', None)
    """
    if not region:
        return None
    if country is None or region.startswith(f"{country}-"):
        return region
    return f"{country}-{region}"


def city_key(address: AddressFact) -> str | None:
    """Return Shopify's form of a city: country, region and city without spaces.

    A country without regions keeps only the country in front.

    >>> city_key(AddressFact("US", "NY", "New York City"))
    'US-NY-NewYorkCity'
    >>> city_key(AddressFact("SG", None, "Singapore"))
    'SG-Singapore'
    """
    city = "".join(unicodedata.normalize("NFC", address.city or "").split())
    if not city:
        return None
    front = region_code(address.country_code, address.region_code) or address.country_code
    return f"{front}-{city}" if front else city
