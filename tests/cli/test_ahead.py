"""Asking about other days: near misses, days ahead, and pasts that nobody knows."""

from __future__ import annotations


def test_near_misses_tell_who_needs_how_much(regulars, basic):
    told = regulars("explain", "amount_spent >= 50", "--shop", "basic", "--near", "--json")

    joining, leaving = told.json
    assert (joining["direction"], leaving["direction"]) == ("join", "leave")
    assert joining["customers"] == [
        {
            "id": "bo",
            "own": [3000],
            "unit": "money",
            "change": "more",
            "amount": 2000,
            "own_text": "$30.00",
            "change_text": "$20.00 more would do",
        }
    ]
    assert [one["id"] for one in leaving["customers"]] == ["ana"]


def test_near_misses_are_told_to_a_person(regulars, basic):
    told = regulars("explain", "number_of_orders >= 2", "--shop", "basic", "--near")

    assert told.code == 0
    assert "bo: 1 order; 1 order more would do" in told.out


def test_what_a_named_segment_asks_for_is_told_with_its_name(regulars, basic):
    shop = ("--shop", "basic")
    regulars("segments", "create", *shop, "--name", "Fifty", "--query", "amount_spent >= 50")
    near = regulars("explain", "NOT segment = 'Fifty'", *shop, "--near", "--json").json
    told = regulars("explain", "segment = 'Fifty'", *shop, "--near").out
    why = regulars("explain", "segment = 'Fifty'", *shop, "--customer", "bo").out

    assert [(one["text"], one["within"]) for one in near] == [("segment = 'Fifty'", ["Fifty"])] * 2
    assert 'spent $50 or more (a condition of "Fifty"): 1 could join by it alone' in told
    assert "bo: $30.00; $20.00 more would do" in told
    assert "└─ ✗ spent $50 or more\n" in why
    assert 'spent $50 or more (a condition of "Fifty"): $20.00 more would do' in why


def test_a_customer_or_near_is_asked_for(regulars, basic):
    neither = regulars("explain", "amount_spent > 3", "--shop", "basic")

    assert neither.code == 2
    assert "--customer" in neither.err


def test_days_ahead_tell_who_leaves_by_time_alone(regulars, basic):
    recent = "days_since_last_order >= 1000000"
    told = regulars("forecast", "days_since_last_order >= 0", "--shop", "basic", "--json")
    long = regulars("forecast", recent, "--shop", "basic", "--days", "400")

    assert (told.json["count"], told.json["days"]) == (2, [])
    assert long.code == 2
    assert "366" in long.err


def test_a_past_that_nobody_knows_is_said(regulars, basic):
    query = "customer_tags CONTAINS 'vip' OR number_of_orders >= 1"
    past = regulars("count", query, "--shop", "basic", "--as-of", "2026-01-20", "--json")
    said = regulars("count", query, "--shop", "basic", "--as-of", "2026-01-20")

    assert past.json["unknown_past"] == ["customer_tags"]
    assert "customer_tags" in said.err


def test_members_of_a_past_day_are_told_with_what_is_unknown(regulars, basic):
    regulars("segments", "create", "--shop", "basic", "--name", "Then", "--query",
             "customer_tags NOT CONTAINS 'x' AND number_of_orders >= 1")  # fmt: skip
    past = regulars("segments", "members", "Then", "--shop", "basic", "--as-of", "2020-01-01",
                    "--json")  # fmt: skip

    assert (past.json["count"], past.json["unknown_past"]) == (0, ["customer_tags"])


def test_rfm_tells_thresholds_and_groups_that_add_up(regulars, basic):
    told = regulars("rfm", "--shop", "basic", "--json").json
    said = regulars("rfm", "--shop", "basic")
    everybody = regulars("count", "number_of_orders >= 0", "--shop", "basic", "--json").json

    assert len(told["recency"]) == len(told["frequency"]) == len(told["monetary"]) == 4
    assert sum(one["count"] for one in told["groups"]) == everybody["count"]
    assert "CHAMPIONS" in said.out
