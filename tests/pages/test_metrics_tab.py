"""The metrics of a segment on its page: six figures, changes, plots with their tables."""

from __future__ import annotations

from regulars.segments import edit_segment, find_segment


def test_the_tab_shows_six_figures_and_the_days(visitor, world):
    vip = world.segment("VIP", "amount_spent >= 30000")

    page = visitor.get(f"/segments/{vip}?tab=metrics")

    for label in ("Repeat rate", "Lifetime value", "Average order value", "Days between orders"):
        assert label in page.text
    assert len(list(page.root.all("canvas"))) == 3
    assert "Nov 19, 2026" in page.text


def test_an_edited_rule_says_from_which_day_the_figures_follow_it(visitor, world):
    sentence = "figures follow the present rule from Nov 20, 2026 on"
    regulars = world.segment("Regulars", "number_of_orders >= 2")
    assert sentence not in visitor.get(f"/segments/{regulars}?tab=metrics").text

    with world.runtime.office.session() as session:
        row = find_segment(session, world.shop, regulars)
        told = {"query": "number_of_orders >= 3", "author": "Owner", "now": world.now}
        edit_segment(session, world.shop, row, **told)

    assert sentence in visitor.get(f"/segments/{regulars}?tab=metrics").text
