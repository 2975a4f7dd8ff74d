"""The metrics of a segment on its page: six figures, changes, plots with their tables."""

from __future__ import annotations


def test_the_tab_shows_six_figures_and_the_days(visitor, world):
    vip = world.segment("VIP", "amount_spent >= 30000")

    page = visitor.get(f"/segments/{vip}?tab=metrics")

    for label in ("Repeat rate", "Lifetime value", "Average order value", "Days between orders"):
        assert label in page.text
    assert len(list(page.root.all("canvas"))) == 3
    assert "Nov 19, 2026" in page.text
