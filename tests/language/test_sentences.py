"""Cases of `sentences.txt`: a query, what it says in English (US dollars), in Japanese (yen).

`UPDATE=1` rewrites the sentences; a person reads the difference.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from regulars.language import describe, parse

_FILE = Path(__file__).parent / "sentences.txt"
_HEAD, *_CASES = _FILE.read_text(encoding="utf-8").strip().split("\n\n")


def _said(case: str) -> str:
    query = case.split("\n", maxsplit=1)[0]
    tree = parse(query, evaluable=False)
    return "\n".join([query, describe(tree, "en", "USD"), describe(tree, "ja", "JPY")])


if os.environ.get("UPDATE") == "1":
    _CASES = [_said(case) for case in _CASES]
    _FILE.write_text("\n\n".join([_HEAD, *_CASES]) + "\n", encoding="utf-8")


@pytest.mark.parametrize("case", _CASES, ids=lambda case: case.split("\n", maxsplit=1)[0])
def test_a_query_reads_as_a_sentence(case: str):
    assert case == _said(case)


@pytest.mark.parametrize(
    ("currency", "language", "said"),
    [
        ("JPY", "en", "spent ¥30,000 or more"),
        ("JPY", "ja", "購入金額が30,000円以上"),
        ("EUR", "en", "spent €30,000 or more"),
        ("CHF", "ja", "購入金額がCHF 30,000以上"),
    ],
)
def test_money_is_written_as_the_shop_writes_it(currency: str, language: str, said: str):
    assert describe(parse("amount_spent >= 30000"), language, currency) == said


def test_decimals_are_shown_where_there_are_some():
    assert describe(parse("amount_spent > 1234.5"), "en", "USD") == "spent more than $1,234.50"
    assert describe(parse("amount_spent > -5"), "en", "USD") == "spent more than -$5"


def test_the_same_parts_in_other_brackets_are_other_sentences():
    parts = ("amount_spent > 1", "number_of_orders > 2", "customer_tags CONTAINS 'a'")
    texts = ["{0} AND ({1} OR {2})", "{0} AND {1} OR {2}", "NOT ({0} AND {1}) OR {2}"]

    for language in ("en", "ja"):
        said = {describe(parse(text.format(*parts)), language) for text in texts}
        assert len(said) == len(texts)
