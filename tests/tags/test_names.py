"""What a tag may be called, and when two texts are one tag."""

from __future__ import annotations

import pytest

from regulars.errors import InputError
from regulars.tags import clean_tag, tag_key


@pytest.mark.parametrize(
    ("text", "tag"),
    [
        ("  VIP ", "VIP"),
        ("常連さま", "常連さま"),
        ("ＶＩＰ", "ＶＩＰ"),
        ("🎁 gift", "🎁 gift"),
        ("a" * 40, "a" * 40),
        # Composed and decomposed forms look the same, so they are the same.
        ("cafe\u0301", "caf\u00e9"),
    ],
)
def test_a_usable_tag_is_trimmed_and_composed(text, tag):
    assert clean_tag(text) == tag


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "tag_empty"),
        (" \u3000 ", "tag_empty"),
        ("vip,gold", "tag_with_comma"),
        ("a" * 41, "tag_too_long"),
        ("vip\ngold", "tag_with_control_character"),
        ("vip\x00", "tag_with_control_character"),
        ("\ud800", "tag_with_control_character"),
    ],
)
def test_what_shopify_would_change_is_refused_at_the_field(text, code):
    with pytest.raises(InputError) as refused:
        clean_tag(text)

    assert refused.value.code == code
    assert refused.value.problems[0].field == "tag"


def test_capitals_do_not_make_another_tag_but_width_does():
    assert tag_key("VIP") == tag_key(" vip ")
    assert tag_key("ＶＩＰ") != tag_key("VIP")
