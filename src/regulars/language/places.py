"""How Shopify spells places, languages and domains, and what people write instead."""

from __future__ import annotations

import re

# ISO 3166-1 alpha-2, with the codes that Shopify adds.
_CODES = """
AC AD AE AF AG AI AL AM AN AO AR AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ
BR BS BT BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM
DO DZ EC EE EG EH ER ES ET FI FJ FK FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT
GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP
KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR
MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN
PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX
SY SZ TA TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI
VN VU WF WS XK YE YT ZA ZM ZW ZZ
"""
COUNTRIES = frozenset(_CODES.split())
_COUNTRY_NAMES = {
    "america": "US",
    "argentina": "AR",
    "australia": "AU",
    "austria": "AT",
    "belgium": "BE",
    "brazil": "BR",
    "britain": "GB",
    "canada": "CA",
    "chile": "CL",
    "china": "CN",
    "denmark": "DK",
    "england": "GB",
    "finland": "FI",
    "france": "FR",
    "germany": "DE",
    "great britain": "GB",
    "hong kong": "HK",
    "india": "IN",
    "indonesia": "ID",
    "ireland": "IE",
    "israel": "IL",
    "italy": "IT",
    "japan": "JP",
    "jpn": "JP",
    "korea": "KR",
    "malaysia": "MY",
    "mexico": "MX",
    "netherlands": "NL",
    "new zealand": "NZ",
    "norway": "NO",
    "philippines": "PH",
    "poland": "PL",
    "portugal": "PT",
    "singapore": "SG",
    "south africa": "ZA",
    "south korea": "KR",
    "spain": "ES",
    "sweden": "SE",
    "switzerland": "CH",
    "taiwan": "TW",
    "thailand": "TH",
    "turkey": "TR",
    "uk": "GB",
    "united kingdom": "GB",
    "united states": "US",
    "united states of america": "US",
    "usa": "US",
    "vietnam": "VN",
    "アメリカ": "US",
    "イギリス": "GB",
    "カナダ": "CA",
    "シンガポール": "SG",
    "タイ": "TH",
    "フランス": "FR",
    "ドイツ": "DE",
    "中国": "CN",
    "台湾": "TW",
    "日本": "JP",
    "韓国": "KR",
    "香港": "HK",
}
_REGION = re.compile(r"[A-Za-z]{2}-[A-Za-z0-9]{1,4}")
_CITY = re.compile(r"[A-Za-z]{2}-(?:[A-Za-z0-9]{0,4}-)?\S+")
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})*")


def is_country(text: str) -> bool:
    """Whether the text is a country as Shopify spells it, in any letter case."""
    return text.upper() in COUNTRIES


def country_meant(text: str) -> str | None:
    """Return the country code that a name of a country stands for, or None."""
    return _COUNTRY_NAMES.get(text.strip().lower())


def is_region(text: str) -> bool:
    """Whether the text has the form of a region: US-CA."""
    return _REGION.fullmatch(text) is not None and is_country(text[:2])


def is_city(text: str) -> bool:
    """Whether the text has the form of a city: US-NY-NewYorkCity."""
    return _CITY.fullmatch(text) is not None and is_country(text[:2])


def is_language(text: str) -> bool:
    """Whether the text has the form of a language: ja, en-US."""
    return _LANGUAGE.fullmatch(text) is not None
