"""Why, at a terminal: the tree with marks, values, proving orders and what would flip it."""

from __future__ import annotations

RULE = "(amount_spent >= 500 OR number_of_orders >= 2) AND NOT last_order_date >= -900d"


def test_a_person_reads_value_proof_and_what_would_flip(regulars, basic):
    told = regulars("explain", RULE, "--shop", "basic", "--customer", "ana",
                    "--as-of", "2026-03-01")  # fmt: skip
    *_, turning = told.out.strip().split("\n\n")

    assert told.code == 0, told.err
    assert told.out.startswith("ana does not match, as of 2026-03-01 23:59 (UTC).")
    assert "├─ ✓ At least one of these holds\n│  ├─ ✗ spent $500 or more\n" in told.out
    assert "this customer: $200.50\n" in told.out
    assert "Jan 5, 2026: $120.50\n" in told.out
    assert "flips on 2028-07-21" in told.out
    assert turning == (
        "What would flip it:\n"
        "  last ordered since 900 days ago: 873 days earlier it would be different"
    )


def test_a_program_reads_each_node_once_and_words_in_its_language(regulars, basic):
    told = regulars("explain", RULE, "--shop", "basic", "--customer", "ana", "--json").json
    root = told["root"]
    spent = root["parts"][0]["parts"][0]
    said = [(one["id"], one["kind"]) for one in (root, *root["parts"])]

    assert said == [(0, "and"), (1, "or"), (4, "not")]
    assert told["turns"] == [5]
    assert RULE[spent["start"] :][: spent["length"]] == "amount_spent >= 500"
    assert spent["own"] == {"unit": "money", "values": [20050], "text": "$200.50"}
    assert spent["change"]["amount"] == 29950
    assert spent["order_count"] == len(spent["orders"]) == 2

    japanese = regulars("explain", "amount_spent >= 500", "--shop", "basic", "--customer", "bo",
                        "--language", "ja")  # fmt: skip

    assert "購入金額が$500以上" in japanese.out
    assert "あと$470.00で変わります" in japanese.out
