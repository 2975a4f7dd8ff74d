"""docs/errors.md tells every code that the sources raise, once."""

from __future__ import annotations

import re
from collections import Counter

from scripts.error_codes import PAGE, codes, page


def test_the_page_is_made_from_the_sources():
    # Made anew with: python scripts/error_codes.py
    assert PAGE.read_text("utf-8") == page()


def test_each_code_stands_there_once_and_says_something():
    told = Counter(re.findall(r"^\| `(\w+)`", page(), re.MULTILINE))

    assert dict(told) == dict.fromkeys(codes(), 1)
    assert [one.name for one in codes().values() if not one.texts] == []


def test_codes_are_found_wherever_a_code_is_written():
    # One from each way of raising: at once, through a name, in a table, as a note, in another room.
    assert {"empty_query", "unknown_segment", "offset_sign", "redundant", "not_at_shopify"} <= set(
        codes()
    )
