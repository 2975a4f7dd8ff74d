"""Insights: each figure against a count made by hand or by the other evaluator."""

from __future__ import annotations

import csv
import io
from datetime import timedelta

import pytest
from pyroaring import BitMap

from regulars import insights
from regulars.errors import InputError
from regulars.segments import find_segment
from regulars.web import comparing
from regulars.web.figures import universe_of
from regulars.web.sankey import sankey

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


def compared(world, members: BitMap, kind: str, orders: str = "all") -> insights.Features:
    return insights.features_of(
        world.runtime.warehouse(world.shop),
        members,
        universe_of(world.runtime, world.shop),
        kind=kind,
        orders=orders,
        zone=world.shop.zone,
    )


@pytest.mark.parametrize("kind", insights.KINDS)
def test_shares_never_pass_everybody(world, buyers, kind):
    found = compared(world, buyers, kind)

    for one in found.rows:
        assert 0 <= one.member_count <= one.everybody_count <= found.everybody_count
        assert 0 <= one.member_share <= 1


@pytest.mark.parametrize("kind", ["spend", "order_counts"])
def test_a_distribution_counts_everybody_once(world, buyers, kind):
    found = compared(world, buyers, kind)

    assert sum(one.everybody_count for one in found.rows) == found.everybody_count == 44
    assert sum(one.member_count for one in found.rows) == found.member_count == len(buyers)
    lows = [int(one.value) for one in found.rows]
    assert lows == sorted(lows)


def test_money_and_gaps_lie_in_their_steps(world, buyers):
    # Cleo spent 58,000 and ordered twice, 100 days apart.
    cleo = BitMap(world.runtime.warehouse(world.shop).customer_nos(["cleo"]).values())
    (spend,) = [one for one in compared(world, cleo, "spend").rows if one.member_count]
    (gap,) = [one for one in compared(world, cleo, "gaps").rows if one.member_count]

    assert (spend.value, gap.value) == ("50000", "90")


def test_which_orders_are_looked_at_says_who_is_compared(world, buyers):
    first = compared(world, buyers, "products", "first")
    second = compared(world, buyers, "products", "second")
    repeat = compared(world, buyers, "products", "repeat")
    latest = compared(world, buyers, "products", "latest")

    assert first.member_count == latest.member_count == len(buyers)
    # One more order after the second is a repeat order too, of the same customers.
    assert 0 < second.member_count == repeat.member_count < len(buyers)
    with pytest.raises(InputError, match="last"):
        compared(world, buyers, "products", "last")


def test_a_tag_of_one_buyer_is_counted_once(world, buyers):
    (tag,) = compared(world, buyers, "tags").rows

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


def test_order_after_order_nobody_comes_back_who_had_gone(world, buyers):
    now = world.now.astimezone(world.shop.zone)
    warehouse = world.runtime.warehouse(world.shop)
    found = insights.cohorts(
        warehouse, buyers, zone=world.shop.zone, this_month=(now.year, now.month), by="order"
    )
    whole = insights.together(found)

    for one in [*found, whole]:
        placed = [count for count in one.buyers if count is not None]
        assert placed == sorted(placed, reverse=True)
        assert placed[0] == one.customer_count
    assert whole.customer_count == len(buyers)
    with warehouse.reader() as cursor:
        ((revenue,),) = cursor.execute("SELECT sum(total_amount) FROM orders").fetchall()
    assert whole.revenue[-1] == revenue


def test_the_sum_of_all_months_leaves_out_months_to_come():
    old = insights.Cohort("2026-01", 10, (10, 4), (100, 140), (10, 10))
    new = insights.Cohort("2026-02", 5, (5, None), (50, None), (5, 5))
    whole = insights.together([old, new])

    assert (whole.buyers, whole.revenue, whole.known) == ((15, 4), (150, 140), (15, 10))


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
    assert "None of these" in page.text


def test_before_a_segment_was_made_its_rule_tells_who_belonged(world, buyers):
    """Cleo had spent 58,000 by 200 days ago; the segment is made now."""
    segment_id = world.segment("Spent much", "amount_spent >= 55000")
    with world.runtime.office.reading() as session:
        segment = find_segment(session, world.shop, segment_id)
    cleo = set(world.runtime.warehouse(world.shop).customer_nos(["cleo"]).values())

    def belonged(days: int) -> bool:
        at = world.now - timedelta(days=days)
        return cleo <= set(comparing.members_at(world.runtime, world.shop, segment, at))

    assert belonged(199)
    assert not belonged(201)


def test_a_drawing_is_as_high_as_its_flows():
    drawn = sankey(["A", "B"], {(0, 0): 30, (0, 1): 10}, at_start=[41, 0], at_end=[30, 12])
    (node,) = drawn.left

    assert (node.name, node.count) == ("A", 41)
    assert [one.count for one in drawn.right] == [30, 12]
    assert abs(drawn.right[0].height - 3 * drawn.right[1].height) < 1
    assert [(one.start, one.end, one.count) for one in drawn.bands] == [
        ("A", "A", 30),
        ("A", "B", 10),
    ]


@pytest.mark.parametrize("tab", ["overlap", "features", "cohorts"])
def test_a_segment_has_its_insights_on_its_own_page(world, visitor, buyers, tab):
    segment_id = world.segment(f"With {tab}", "number_of_orders >= 2")
    page = visitor.get(f"/segments/{segment_id}?tab={tab}")

    assert page.status == 200
    assert "Definition:" in page.text


def test_a_value_that_nobody_offers_is_told(world, visitor, buyers):
    answer = visitor.get("/api/v1/shops/demo/insights/features?segment=1&kind=shoes")

    assert answer.status == 422
    assert "unknown_choice" in answer.body
