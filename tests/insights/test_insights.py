"""Insights: each figure against a count made by hand or by the other evaluator."""

from __future__ import annotations

import csv
import io
from datetime import timedelta

import pytest
from pyroaring import BitMap

from regulars import insights
from regulars.web.figures import universe_of

A, B, C = BitMap([1, 2, 3, 4]), BitMap([3, 4, 5]), BitMap([9])


def test_overlap_counts_pairs_and_who_is_nowhere_else():
    found = insights.overlap({1: A, 2: B, 3: C})

    assert found.counts == {1: {1: 4, 2: 2, 3: 0}, 2: {1: 2, 2: 3, 3: 0}, 3: {1: 0, 2: 0, 3: 1}}
    assert found.only == {1: 2, 2: 1, 3: 1}
    assert found.together == 6


def test_a_journey_leaves_out_who_was_there_already():
    # 3 was in both from the start, so it did not move to B; 4 went over.
    start = {1: BitMap([1, 2, 3, 4]), 2: BitMap([3])}
    end = {1: BitMap([1, 3, 7]), 2: BitMap([3, 4])}
    moves = insights.journey(start, end)

    assert moves.moved == {1: {1: 2, 2: 1}, 2: {1: 0, 2: 1}}
    assert moves.gone == {1: 1, 2: 0}
    assert moves.new == {1: 1, 2: 0}


@pytest.fixture(scope="module")
def buyers(world) -> BitMap:
    segment_id = world.segment("Buyers", "number_of_orders >= 1")
    return world.runtime.memberships(world.shop).members(segment_id)


@pytest.mark.parametrize("kind", insights.KINDS)
def test_shares_never_pass_everybody(world, buyers, kind):
    everybody = universe_of(world.runtime, world.shop)
    rows = insights.features_of(
        world.runtime.warehouse(world.shop), buyers, everybody, kind=kind, zone=world.shop.zone
    )

    for one in rows:
        assert 0 <= one.member_count <= one.everybody_count <= len(everybody)
        assert 0 <= one.member_share <= 1


def test_a_tag_of_one_buyer_is_counted_once(world, buyers):
    everybody = universe_of(world.runtime, world.shop)
    (tag,) = insights.features_of(
        world.runtime.warehouse(world.shop), buyers, everybody, kind="tags", zone=world.shop.zone
    )

    assert (tag.value, tag.member_count, tag.everybody_count) == ("vip", 1, 1)


def test_every_buyer_is_in_exactly_one_cohort(world, buyers):
    now = world.now.astimezone(world.shop.zone)
    warehouse = world.runtime.warehouse(world.shop)
    found = insights.cohorts(
        warehouse, buyers, zone=world.shop.zone, this_month=(now.year, now.month)
    )

    assert sum(one.customer_count for one in found) == len(buyers)
    assert all(one.buyers[0] == one.customer_count for one in found)
    for one in found:
        told = [sum_ for sum_ in one.revenue if sum_ is not None]
        assert told == sorted(told)
    with warehouse.reader() as cursor:
        ((whole,),) = cursor.execute("SELECT sum(total_amount) FROM orders").fetchall()
    last = [[sum_ for sum_ in one.revenue if sum_ is not None][-1] for one in found]
    assert sum(last) == whole


def test_a_cell_makes_a_segment_of_just_these(world, visitor, buyers):
    world.segment("It's VIP", "amount_spent >= 30000")
    page = visitor.get("/insights")
    link = next(
        one for one in page.root.all("a") if "Make a segment of Buyers and It's VIP" in one.text
    )
    editor = visitor.get(link.get("href"))

    assert editor.status == 200
    saved = visitor.press(editor, "Save segment")
    assert saved.heading == "Buyers + It's VIP"
    cell = int(link.text.split("Make")[0])
    assert str(cell) in saved.text


@pytest.mark.parametrize("part", ["", "/features", "/cohorts", "/journey"])
def test_each_part_is_there_as_csv(world, visitor, buyers, part):
    answer = visitor.get(f"/insights{part}?format=csv")
    rows = list(csv.reader(io.StringIO(answer.body.removeprefix("\ufeff"))))

    assert answer.headers["content-type"].startswith("text/csv")
    assert len(rows) > 1
    assert len({len(row) for row in rows}) == 1


def test_the_journey_counts_from_the_log(world, visitor, buyers):
    world.order("Dee", 900, order_id="dee-first")
    today = (world.now + timedelta(hours=9)).date().isoformat()
    page = visitor.get(f"/insights/journey?since={today}&until={today}")

    assert page.status == 200
    assert "From none of these" in page.text
