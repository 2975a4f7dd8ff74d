"""Bad queries: the language, the API and the command line refuse each with the same words."""

from __future__ import annotations

import pytest

from regulars.bootstrap import connect
from regulars.errors import InputError, QueryError
from regulars.language import parse

#: Query, code, and a part of the message: what is meant instead, what is allowed, or the place.
BAD = [
    ("amount_spnt > 3", "unknown_attribute", "Did you mean `amount_spent`?"),
    ("product_purchased MATCHES (id = 1)", "unknown_attribute", "`products_purchased`?"),
    ("orders_placed MATCHES (cuont >= 2)", "unknown_parameter", "no parameter `cuont`"),
    ("products_purchased(idd: 3) = true", "unknown_parameter", "no parameter `idd`"),
    ("amount_spent CONTAINS 3", "operator_not_allowed", "Use =, !=, >, >=, <, <= or BETWEEN."),
    ("amount_spent ~ 3", "unexpected", "`~` is unexpected here."),
    ("(" * 33 + "number_of_orders >= 1" + ")" * 33, "too_deep", "at most 32 deep"),
    ("customer_tags CONTAINS '" + "x" * 100_000 + "'", "text_too_long", "this one has 100,025"),
    ("number_of_orders >= 99999999999999999999", "number_out_of_range", "lies between"),
    ("last_order_date >= 2023-02-30", "no_such_day", "no day 2023-02-30"),
    ("last_order_date >= -99999999y", "offset_too_far", "at most 1000 years"),
    ("customer_tags CONTAINS ‘vip’", "quote_character", "Write 'vip'."),
    ("number_of_orders >= ３", "full_width", "Write `3`."),
    ("customer_tags CONTAINS 'a\x00b'", "character_not_allowed", "U+0000"),
    (" ", "empty_query", "Write a condition"),
]
#: What only a shop knows.
UNKNOWN = [
    ("segment = 'Big spendrs'", "unknown_segment", 'Did you mean "Big spenders"?'),
    ("csv_list = 'Nothing'", "unknown_list", 'no CSV list "Nothing"'),
]
#: No character of these means anything but itself, and a thing that nobody has is nobody's.
LITERAL = {
    "customer_tags CONTAINS '100%_off'": 1,
    "customer_tags CONTAINS '100%'": 0,
    "customer_tags CONTAINS '100_xoff'": 0,
    "customer_tags CONTAINS 'O\\'Brien'": 1,
    "customer_tags CONTAINS '\\'; DROP TABLE customers; --'": 0,
    "products_purchased MATCHES (id = 424242)": 0,
    "products_purchased(id: 424242) = true": 0,
    "products_purchased MATCHES (tag = 'no such tag')": 0,
}


@pytest.mark.parametrize(("text", "code", "said"), BAD, ids=[one[0][:40] for one in BAD])
def test_the_language_refuses_with_the_way_out(text, code, said):
    with pytest.raises(QueryError) as refusal:
        parse(text)

    assert code in {one.code for one in refusal.value.problems}
    assert said in " ".join(one.message for one in refusal.value.problems)


@pytest.fixture
def shop(regulars, tmp_path):
    orders, customers = tmp_path / "orders.csv", tmp_path / "customers.csv"
    orders.write_text("customer_id,date,amount\nana,2026-01-05,120.50\nbo,2026-01-20,3\n")
    customers.write_text('Customer ID,Tags\nana,"100%_off,O\'Brien"\nbo,100xoff\n')
    told = regulars("import", "--shop", "basic", "--currency", "USD", "--orders", orders,
                    "--customers", customers)  # fmt: skip
    assert told.code == 0, told.err
    rules = {"Big spenders": "amount_spent >= 9", "Both": "segment = 'Big spenders'"}
    for name, query in rules.items():
        made = regulars("segments", "create", "--shop", "basic", "--name", name, "--query", query)
        assert made.code == 0, made.err
    return "basic"


def test_the_api_refuses_with_the_same_words_and_takes_texts_literally(shop):
    with connect() as api:
        for text, code, said in [*BAD, *UNKNOWN]:
            with pytest.raises(InputError) as refusal:
                api.post(f"/shops/{shop}/count", {"query": text})
            assert code in {one.code for one in refusal.value.problems}, text
            assert said in " ".join(one.message for one in refusal.value.problems)
        found = {
            text: api.post(f"/shops/{shop}/count", {"query": text})["count"] for text in LITERAL
        }

    assert found == LITERAL


def test_the_command_line_refuses_with_the_same_words(regulars, shop):
    for text, _code, said in [*BAD[:6], *UNKNOWN]:
        told = regulars("count", text, "--shop", shop)
        assert told.code == 2, text
        assert said in told.err
    odd = regulars("count", "customer_tags CONTAINS '\udcff'", "--shop", shop)
    circle = regulars("segments", "edit", "Big spenders", "--shop", shop, "--query",
                      "segment = 'Both'")  # fmt: skip

    assert (odd.code, circle.code) == (2, 2)
    assert "U+DCFF" in odd.err
    assert "Big spenders → Both → Big spenders" in circle.err
