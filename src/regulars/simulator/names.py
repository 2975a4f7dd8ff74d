"""Names of the generated customers, put together from signs and syllables: nobody in particular."""

from __future__ import annotations

#: First and second signs of family names, and given names, as (written, said).
FAMILY_FIRST = (
    ("山", "Yama"),
    ("川", "Kawa"),
    ("森", "Mori"),
    ("石", "Ishi"),
    ("松", "Matsu"),
    ("竹", "Take"),
    ("西", "Nishi"),
    ("北", "Kita"),
    ("大", "Oo"),
    ("小", "Ko"),
    ("古", "Furu"),
    ("黒", "Kuro"),
    ("青", "Ao"),
    ("水", "Mizu"),
    ("浜", "Hama"),
    ("岡", "Oka"),
    ("島", "Shima"),
    ("谷", "Tani"),
    ("杉", "Sugi"),
    ("高", "Taka"),
)
FAMILY_SECOND = (
    ("田", "da"),
    ("村", "mura"),
    ("本", "moto"),
    ("野", "no"),
    ("沢", "zawa"),
    ("井", "i"),
    ("原", "hara"),
    ("崎", "saki"),
    ("口", "guchi"),
    ("木", "ki"),
    ("上", "gami"),
    ("瀬", "se"),
    ("尾", "o"),
    ("川", "gawa"),
    ("見", "mi"),
)
GIVEN = (
    ("陽菜", "Hina"),
    ("葵", "Aoi"),
    ("結衣", "Yui"),
    ("凛", "Rin"),
    ("さくら", "Sakura"),
    ("美咲", "Misaki"),
    ("七海", "Nanami"),
    ("真央", "Mao"),
    ("千尋", "Chihiro"),
    ("杏", "An"),
    ("楓", "Kaede"),
    ("詩織", "Shiori"),
    ("蓮", "Ren"),
    ("陽翔", "Haruto"),
    ("湊", "Minato"),
    ("大和", "Yamato"),
    ("悠真", "Yuma"),
    ("樹", "Itsuki"),
    ("颯太", "Sota"),
    ("健", "Ken"),
    ("涼", "Ryo"),
    ("直樹", "Naoki"),
    ("誠", "Makoto"),
    ("拓海", "Takumi"),
)
#: Syllables of names elsewhere.
STARTS = ("Mar", "Tel", "Bri", "Lor", "Cas", "Dav", "Ne", "Wil", "Jo", "Sel", "An", "Vic", "Hal")
MIDDLES = ("a", "e", "i", "o", "ia", "el", "in", "an", "ar", "or")
ENDS = ("na", "ne", "ro", "la", "ton", "ra", "vin", "s", "lia", "th", "nor", "den")
LAST_ENDS = ("son", "berg", "wood", "ley", "mont", "field", "ford", "well", "stead", "croft")


def family_names() -> list[tuple[str, str]]:
    """Return family names as (written, said)."""
    return [
        (first[0] + second[0], first[1] + second[1])
        for first in FAMILY_FIRST
        for second in FAMILY_SECOND
        if first[0] != second[0]
    ]


def foreign_given_names() -> list[str]:
    """Return given names for elsewhere."""
    return [start + middle + end for start in STARTS for middle in MIDDLES for end in ENDS]


def foreign_last_names() -> list[str]:
    """Return last names for elsewhere."""
    return [start + middle + end for start in STARTS for middle in MIDDLES[:5] for end in LAST_ENDS]
