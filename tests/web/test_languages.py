"""Both languages are complete, and figures are written as their readers expect."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from markupsafe import Markup

from regulars.errors import Names, problem
from regulars.web.i18n import Localizer, preferred_language
from regulars.web.templating import coded
from tests.web.messages import LOCALE, shown_texts, translated, translations_of

TOKYO = ZoneInfo("Asia/Tokyo")
ENGLISH = Localizer("en", TOKYO, "JPY")
JAPANESE = Localizer("ja", TOKYO, "JPY")
PLACES = re.compile(r"\{(\w+)\}")


def test_every_text_for_people_is_there_in_japanese():
    known = translated("ja")
    missing = sorted({f"{where}: {text}" for text, where in shown_texts() if text not in known})

    assert missing == []


def test_a_text_is_translated_in_one_file_only():
    """Which of two would be shown is chance."""
    places: dict[str, set[str]] = {}
    for path in sorted((LOCALE / "ja").glob("*.po")):
        for text in translations_of(path, "ja"):
            places.setdefault(text, set()).add(path.name)

    assert {text: names for text, names in places.items() if len(names) > 1} == {}


def test_translations_fill_only_places_that_are_given():
    wrong = [
        text
        for text, japanese in translated("ja").items()
        if not set(PLACES.findall(japanese)) <= {*PLACES.findall(text), "count"}
    ]

    assert wrong == []


def test_japanese_is_set_as_japanese_and_says_one_thing_by_one_word():
    """Brackets, colons and question marks after Japanese are full-width; code keeps its own."""
    half_width = re.compile(r"[ぁ-んァ-ヶ一-龥ー」](?:[(?]|: |:$)")
    other_words = re.compile("サインイン|ショップ")
    wrong = [
        japanese
        for japanese in translated("ja").values()
        if half_width.search(re.sub("`[^`]*`", "``", japanese)) or other_words.search(japanese)
    ]

    assert wrong == []


def test_names_stand_in_the_quotation_marks_of_their_readers():
    """A terminal and a program read English with straight ones."""
    template = '"{name}" is used by segments. Change or delete them first: {segments}.'
    one = problem("segment_in_use", template, name="VIP", segments=Names(["A, B", "C"]))
    straight = '"VIP" is used by segments. Change or delete them first: "A, B", "C".'

    assert one.message == straight
    assert one.told(ENGLISH.template) == straight.replace('"VIP"', "“VIP”").replace(
        '"A, B", "C"', "“A, B”, “C”"
    )
    assert "」はセグメントで使われています。" in one.told(JAPANESE.template)
    assert one.told(JAPANESE.template).endswith("：「A, B」、「C」")


def test_japanese_quotes_nothing_straight():
    assert [one for one in translated("ja").values() if re.search(r'"\{\w+\}"', one)] == []


def test_texts_in_a_row_are_told_apart():
    assert ENGLISH.listed(["last order", "tags"]) == "last order, tags"
    assert JAPANESE.listed(["最終 購入日", "タグ"]) == "最終 購入日、タグ"


def test_money_has_the_digits_of_its_currency():
    assert ENGLISH.money(12000) == "¥12,000"
    assert ENGLISH.money(1648, "USD") == "$16.48"
    assert JAPANESE.money(12000).endswith("12,000")


def test_times_are_those_of_the_shop():
    instant = datetime(2026, 11, 20, 16, 30, tzinfo=UTC)

    assert ENGLISH.day(instant) == "Nov 21, 2026"
    assert ENGLISH.instant(instant).replace("\u202f", " ") == "Nov 21, 2026, 1:30 AM"
    assert JAPANESE.instant(instant) == "2026/11/21 1:30"


def test_english_has_a_plural_and_japanese_needs_none():
    told = [ENGLISH.ngettext("{count} customer", "{count} customers", n) for n in (1, 1200)]

    assert told == ["1 customer", "1,200 customers"]
    assert JAPANESE.ngettext("{count} customer", "{count} customers", 1200) == "1,200人"


def test_a_value_in_a_text_is_escaped_unless_it_is_markup():
    told = ENGLISH("Renamed to {name}, {other}", name=Markup("<b>A</b>"), other="<script>")

    assert told == "Renamed to <b>A</b>, &lt;script&gt;"


def test_a_share_of_somebody_never_looks_like_nobody():
    told = [ENGLISH.percent(share) for share in (0, 0.0005, 0.001, 0.5)]
    assert told == ["0.0%", "<0.1%", "0.1%", "50.0%"]


def test_what_a_message_has_between_backticks_is_set_as_code():
    assert coded("Did you mean `a < b`?") == "Did you mean <code>a &lt; b</code>?"


@pytest.mark.parametrize(
    ("asked", "language"),
    [
        ("ja", "ja"),
        ("ja-JP,en;q=0.5", "ja"),
        ("en;q=0.4,ja;q=0.9", "ja"),
        ("de,en;q=0.7", "en"),
        ("", "en"),
    ],
)
def test_the_browser_chooses_the_language(asked: str, language: str):
    assert language == preferred_language(asked)
