"""Make the table of country names that sentences and completion use, from the Unicode CLDR.

Reads the CLDR data that the package Babel carries (Unicode licence v3, kept beside the table) and
writes one row for each country and territory of ISO 3166-1: code, English name, Japanese name.

    python scripts/country_names.py
"""

from __future__ import annotations

from pathlib import Path

import babel

LANGUAGE = Path(__file__).parents[1] / "src" / "regulars" / "language"
#: Shorter than CLDR's, as an address book says them.
SHORTER = {
    "HK": ("Hong Kong", "香港"),
    "MO": ("Macao", "マカオ"),
    "MM": ("Myanmar", "ミャンマー"),
    "PS": ("Palestine", "パレスチナ"),
    "CD": ("DR Congo", "コンゴ民主共和国"),
    "CG": ("Republic of the Congo", "コンゴ共和国"),
    "US": ("the United States", "アメリカ"),
    "GB": ("the United Kingdom", "イギリス"),
    "FK": ("the Falkland Islands", "フォークランド諸島"),
}
#: English names that a sentence says with an article.
WITH_ARTICLE = "AE AX BQ BS CC CD CF CG CK DO FO GM IM IO KM KY MH MP MV NL PH PN SB TC TF UM VG VI"
# The codes of ISO 3166-1: CLDR's other two-letter codes are regions of its own and old countries.
NOT_ISO = "AC CP CQ DG EA EU EZ IC QO TA UN XA XB XK ZZ"

HEAD = '''"""Names of countries, one row for each code of ISO 3166-1.

Names: Unicode CLDR, copyright Unicode, Inc., under the licence in
COUNTRY_NAMES_LICENSE. Written by scripts/country_names.py.
"""

#: Code, English name, Japanese name.
ROWS = """
'''


def rows() -> list[str]:
    """Return the lines of the table, by code."""
    english, japanese = (babel.Locale(one).territories for one in ("en", "ja"))
    codes = sorted(c for c in english if len(c) == 2 and c.isalpha() and c not in NOT_ISO.split())
    found = []
    for code in codes:
        names = SHORTER.get(code) or (english[code], japanese[code])
        article = "the " if code in WITH_ARTICLE.split() else ""
        found.append("|".join((code, article + names[0].replace("’", "'"), names[1])))
    return found


def main() -> None:
    """Write the table and its licence."""
    text = HEAD + "\n".join(rows()) + '\n"""\n'
    (LANGUAGE / "country_names.py").write_text(text, encoding="utf-8")
    licence = Path(babel.__file__).parent / "locale-data" / "LICENSE.unicode"
    (LANGUAGE / "COUNTRY_NAMES_LICENSE").write_text(licence.read_text("utf-8"), encoding="utf-8")


if __name__ == "__main__":
    main()
