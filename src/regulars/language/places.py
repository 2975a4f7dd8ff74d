"""How Shopify spells places, languages and domains; what they are called and what people write."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping

from regulars.language import country_names, region_names

_NAMES = {
    code: (english, japanese)
    for rows in (country_names.ROWS, region_names.ROWS)
    for code, english, japanese in (row.split("|") for row in rows.split("\n") if row)
}
#: ISO 3166-1 alpha-2, with the codes that Shopify adds.
COUNTRIES = frozenset(code for code in _NAMES if "-" not in code) | {"AC", "AN", "TA", "XK", "ZZ"}
#: What people write for a country, beside the names of the table.
_OTHER_NAMES = {
    "america": "US",
    "britain": "GB",
    "cote d'ivoire": "CI",
    "czech republic": "CZ",
    "england": "GB",
    "great britain": "GB",
    "jpn": "JP",
    "korea": "KR",
    "turkey": "TR",
    "u.k.": "GB",
    "u.s.": "US",
    "uk": "GB",
    "united states of america": "US",
    "usa": "US",
    "アメリカ合衆国": "US",
    "英国": "GB",
    "米国": "US",
}
_REGION = re.compile(r"[A-Za-z]{2}-[A-Za-z0-9]{1,4}")
_CITY = re.compile(r"[A-Za-z]{2}-(?:[A-Za-z0-9]{0,4}-)?\S+")
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})*")
_ARTICLE = re.compile(r"^the (?:(?:state|province) of )?")
_SUFFIX = re.compile(r"(?<=..)[都府県州]$")
_BY_CODE = ("customer_countries", "customer_regions")


def is_country(text: str) -> bool:
    """Whether the text is a country as Shopify spells it, in any letter case."""
    return text.upper() in COUNTRIES


def country_meant(text: str) -> str | None:
    """Return the country code that a name of a country stands for, or None."""
    name = text.strip().lower()
    return _OTHER_NAMES.get(name) or _codes_by_name().get(("", name))


def region_meant(text: str) -> str | None:
    """Return the region's code that a name stands for, or None: "Tokyo", "東京都", "大阪"."""
    return _codes_by_name().get(("-", text.strip().lower()))


@functools.cache
def _codes_by_name() -> Mapping[tuple[str, str], str]:
    """Index the names, in small letters and without article; "-" stands before those of regions."""
    found: dict[tuple[str, str], str] = {}
    for code, (english, japanese) in _NAMES.items():
        kind = "-" if "-" in code else ""
        short = _SUFFIX.sub("", japanese)
        for name in (_bare(english), japanese, short):
            found.setdefault((kind, name.lower()), code)
    return found


def _bare(english: str) -> str:
    return _ARTICLE.sub("", english)


def place_name(attribute: str, text: str, language: str) -> str | None:
    """Name a place as a sentence says it: Japan, Tokyo, 東京都; None where only the code is known.

    `attribute` is the name of the catalogue that the place is compared with. A city is named as it
    is spelled, with its region behind.
    """
    code = text.upper()
    japanese = language == "ja"
    if attribute in _BY_CODE and ("-" in code) is (attribute == "customer_regions"):
        names = _NAMES.get(code)
        return names[japanese] if names else None
    if attribute == "customer_cities":
        return _city_name(text, japanese=japanese)
    return None


def _city_name(text: str, *, japanese: bool) -> str | None:
    country, _, rest = text.partition("-")
    region, dash, city = rest.partition("-")
    if not dash:
        region, city = "", rest
    names = _NAMES.get(f"{country}-{region}".upper()) or _NAMES.get(country.upper())
    if names is None or not city:
        return None
    return f"「{city}」（{names[1]}）" if japanese else f"“{city}” ({_bare(names[0])})"


def place_rows(attribute: str) -> tuple[tuple[str, str, str], ...]:
    """Return (code, English name, Japanese name) of every place that has a name, for lists."""
    if attribute not in _BY_CODE:
        return ()
    regions = attribute == "customer_regions"
    return tuple(
        (code, _bare(english), japanese)
        for code, (english, japanese) in _NAMES.items()
        if ("-" in code) is regions
    )


def is_region(text: str) -> bool:
    """Whether the text has the form of a region: US-CA."""
    return _REGION.fullmatch(text) is not None and is_country(text[:2])


def is_city(text: str) -> bool:
    """Whether the text has the form of a city: US-NY-NewYorkCity."""
    return _CITY.fullmatch(text) is not None and is_country(text[:2])


def is_language(text: str) -> bool:
    """Whether the text has the form of a language: ja, en-US."""
    return _LANGUAGE.fullmatch(text) is not None
