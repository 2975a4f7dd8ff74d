"""Trackings on the command line: started, refused, narrowed, compared; sums only."""

from __future__ import annotations

import re

import pytest

DAYS = ("--from", "2099-01-01", "--to", "2099-01-30")


@pytest.fixture
def vip(regulars, basic):
    told = regulars(
        "segments", "create", "--shop", "basic", "--name", "VIP", "--query", "number_of_orders >= 1"
    )
    assert told.code == 0, told.err


@pytest.mark.parametrize(
    ("days", "told"),
    [
        (
            ("--from", "2020-01-01", "--to", "2020-01-31"),
            r"Today is \d+ \w+ \d{4} in your shop's time zone \([\w/]+\)\.",
        ),
        (("--from", "2099-02-01", "--to", "2099-01-31"), "is before the first day"),
        (("--from", "2099-01-01", "--to", "2100-01-02"), "This one would last 367 days"),
        (("--from", "soon", "--to", "2099-01-31"), '"soon" is not a day'),
    ],
)
def test_periods_that_cannot_be_are_refused(regulars, vip, days, told):
    refused = regulars("tracking", "create", "--shop", "basic", "--segment", "VIP", *days)

    assert refused.code == 2
    assert re.search(told, " ".join(refused.err.split()))


def test_trackings_are_narrowed_and_compared_without_a_customer(regulars, vip):
    made = [
        regulars("tracking", "create", "--shop", "basic", "--segment", "VIP", *days, "--json").json
        for days in (DAYS, ("--from", "2099-03-01", "--to", "2099-03-31"))
    ]
    chosen = regulars(
        "tracking", "list", "--shop", "basic", "--from", "2099-03-05", "--segment", "VIP", "--json"
    ).json["trackings"]
    within = regulars(
        "tracking", "list", "--shop", "basic", *DAYS, "--within", "--status", "scheduled", "--json"
    ).json["trackings"]
    ids = [one["id"] for one in made]
    side = regulars("tracking", "compare", "--shop", "basic", *ids, "--view", "cumulative")
    alone = regulars("tracking", "compare", "--shop", "basic", ids[0])
    seen = regulars("tracking", "outlook", "--shop", "basic", "--segment", "VIP", *DAYS)
    shown = regulars("tracking", "show", ids[0], "--shop", "basic")

    assert [one["id"] for one in chosen] == [ids[1]]
    assert [one["id"] for one in within] == [ids[0]]
    assert "They differ in: lengths, days." in side.out
    assert "Choose 2 to 12 trackings" in alone.err
    assert "on average" in seen.out
    assert "joined by this order" in shown.out
    for told in (side, seen, shown):
        assert told.code == 0, told.err
        assert not re.search(r"\b(ana|bo)\b", told.out)
