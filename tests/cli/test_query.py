"""`regulars query` over the collected queries: each is answered as its line says."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

_FILE = Path(__file__).parents[1] / "language" / "shopify_queries.tsv"
_LINES = _FILE.read_text(encoding="utf-8").splitlines()
_CASES = [line.split("\t") for line in _LINES if not line.startswith("#")]
_KEYS = ["code", "column", "length", "line", "message", "suggestion"]


def test_each_collected_query_is_answered_as_marked(regulars):
    for verdict, form, query in _CASES:
        told = regulars("query", "check", json.loads(query), "--dialect", form, "--json")

        assert sorted(told.json) == ["errors", "notes"]
        assert all(sorted(one) == _KEYS for one in told.json["errors"] + told.json["notes"])
        if verdict == "reads":
            assert (told.code, told.json["errors"]) == (0, []), query
        else:
            assert told.code == 2, query
            assert told.json["errors"], query


def test_each_query_that_is_read_is_said_in_words(regulars):
    for verdict, _, query in _CASES:
        if verdict == "reads":
            told = regulars("query", "describe", json.loads(query), "--json")
            assert told.code == 0, query
            assert told.json["description"], query


def test_a_name_that_shopify_keeps_to_itself_is_noted_and_not_refused(regulars):
    told = regulars("query", "check", "created_by_app_id = 580111", "--json")

    (note,) = told.json["notes"]
    assert (told.code, told.json["errors"]) == (0, [])
    assert (note["code"], note["line"], note["column"], note["length"]) == (
        "not_available",
        1,
        0,
        17,
    )


def test_a_doubtful_day_is_noted_with_its_other_reading(regulars):
    told = regulars("query", "check", "orders_placed(date: -30d) = true", "--json")

    (note,) = told.json["notes"]
    assert (note["code"], note["suggestion"]) == ("relative_day_reading", "date = -30d")


def test_notes_are_marked_for_a_person_beside_the_answer(regulars):
    told = regulars("query", "check", "created_by_app_id = 580111")

    assert (told.code, told.out) == (0, "The query is right.\n")
    assert told.err.splitlines()[:2] == ["created_by_app_id = 580111", "^" * 17]


@pytest.mark.parametrize("text", ["created_by_app_id = 580111"])
def test_what_cannot_be_answered_cannot_be_counted(regulars, basic, text):
    told = regulars("count", text, "--shop", "basic", "--json")

    assert told.code == 2
    assert "created_by_app_id" in told.err


def test_notes_on_a_query_count_whom_they_concern_in_a_shop(regulars, basic):
    query = "number_of_orders >= 1 AND number_of_orders >= 2"
    told = regulars("query", "lint", query, "--shop", "basic", "--json")

    assert (told.code, told.json) == (
        0,
        {
            "notes": [
                {
                    "code": "redundant",
                    "message": "`number_of_orders >= 1` changes nothing beside"
                    " `number_of_orders >= 2`.",
                    "line": 1,
                    "column": 0,
                    "length": 21,
                    "suggestion": None,
                    "customer_count": 0,
                    "meant": "number_of_orders >= 2",
                }
            ]
        },
    )


def test_the_other_reading_of_a_doubtful_day_is_counted_too(regulars, basic):
    query = "orders_placed(date: -10000d) = true"
    told = regulars("query", "lint", query, "--shop", "basic")

    assert told.code == 0
    assert "concerns 2 customers" in told.out
    assert "perhaps meant: orders_placed MATCHES (date = -10000d)" in told.out


def test_a_value_that_the_shop_has_never_had_is_noted_and_the_query_is_right(regulars, basic):
    query = "number_of_orders > 0 AND customer_tags CONTAINS 'vip'"
    told = regulars("query", "check", query, "--shop", "basic")

    text = "No customer of this shop has 'vip' as `customer_tags`."
    assert (told.code, told.out) == (0, "The query is right.\n")
    assert told.err.splitlines() == [query, " " * query.index("'vip'") + "^" * 5, text]

    told = regulars("query", "check", query, "--shop", "basic", "--json")
    assert [one["code"] for one in told.json["notes"]] == ["never_seen"]
    assert regulars("query", "check", query, "--json").json["notes"] == []

    told = regulars("query", "lint", query, "--shop", "basic")
    assert (told.code, told.out) == (0, text + "\n")


def test_a_clear_query_has_no_notes(regulars, basic):
    told = regulars("query", "lint", "number_of_orders >= 2", "--shop", "basic")

    assert (told.code, told.out) == (0, "Nothing stands out.\n")


def test_a_shop_made_of_files_has_no_segments_at_shopify(regulars, basic):
    for words in (("pull",), ("pull", "--dry-run"), ("push", "1")):
        told = regulars("segments", *words, "--shop", "basic", "--json")

        assert (told.code, told.out) == (2, "")
        assert "was made of files, so it has no segments at Shopify" in told.err
