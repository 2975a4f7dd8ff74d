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


TITLES = {"product": {"11": "Sencha", "12": "Kettle"}, "collection": {"501": "Summer"}}


@pytest.mark.parametrize(
    ("query", "en", "ja"),
    [
        (
            "products_purchased MATCHES (id = 11)",
            "bought a product named “Sencha” (ID 11)",
            "「Sencha」(ID 11)の商品を購入した",
        ),
        (
            "products_purchased MATCHES (id IN (11, 99))",
            "bought a product named “Sencha” (ID 11) or ID 99",
            "「Sencha」(ID 11)またはID 99の商品を購入した",
        ),
        (
            "products_purchased MATCHES (id != 12, collection_id = 501)",
            "bought a product not named “Kettle” (ID 12) in collection “Summer” (ID 501)",
            "「Kettle」(ID 12)以外のコレクション「Summer」(ID 501)の商品を購入した",
        ),
        (
            "products_purchased_in_order MATCHES (first_id = 11, then_collection_id = 501)",
            (
                "bought in order: first a product named “Sencha” (ID 11) "
                "and then a product in collection “Summer” (ID 501)"
            ),
            (
                "最初に「Sencha」(ID 11)の商品を、"
                "次にコレクション「Summer」(ID 501)の商品を順に購入した"
            ),
        ),
        (
            "products_purchased MATCHES (id = 13)",
            "bought a product with product ID 13",
            "商品IDが13の商品を購入した",
        ),
    ],
)
def test_ids_are_called_by_the_titles_that_are_known(query, en, ja):
    def titles(of, ids):
        return {one: TITLES[of][one] for one in ids if one in TITLES[of]}

    assert en == describe(parse(query), "en", "USD", titles)
    assert ja == describe(parse(query), "ja", "JPY", titles)
