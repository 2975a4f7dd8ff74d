"""A segment on other days: a past day's members, who is close, and what time alone will do."""

from __future__ import annotations

import pytest

from tests.web.visitor import Visitor
from tests.web.world import World


@pytest.fixture(scope="module")
def recent(world: World) -> int:
    return world.segment("Recent", "last_order_date >= -30d AND amount_spent >= 5000")


@pytest.fixture(scope="module")
def tagged(world: World) -> int:
    return world.segment("Tagged", "customer_tags CONTAINS 'vip' AND number_of_orders >= 1")


@pytest.fixture(scope="module")
def ranked(world: World) -> int:
    return world.segment("Champions", "computed_rfm_group = 'CHAMPIONS'")


def test_a_past_day_has_its_own_members(visitor: Visitor, recent: int):
    then = visitor.get(f"/segments/{recent}?as_of=2026-05-10")

    assert "belonged at the end of May 10, 2026" in then.text
    assert "Cleo" in then.text
    assert "Cleo" not in visitor.get(f"/segments/{recent}").text
    why = visitor.get(f"/segments/{recent}/why/cleo?as_of=2026-05-10")
    assert "Belongs." in why.text
    assert "Does not belong." in visitor.get(f"/segments/{recent}/why/cleo").text


def test_the_editor_looks_at_a_past_day_too(visitor: Visitor):
    rule = "customer_tags NOT CONTAINS 'x' AND last_order_date >= -30d AND amount_spent >= 5000"

    def preview(day: str, path: str = "/segments/preview", **more: str):
        asked = {"query": rule, "source": "text", "as_of": day, **more}
        return visitor.post(path, asked, hx_request="true")

    then, now, wrong = preview("2026-05-10").text, preview("").text, preview("2126-05-10").text

    assert "At the end of May 10, 2026" in then
    assert "Cleo" in then
    assert "Today's values were used for: Customer tags" in then
    assert "Cleo" not in now
    assert "Exact, as of" in now
    assert "That day is still to come." in wrong
    assert "Belongs." in preview("2026-05-10", "/segments/why", customer="cleo").text
    assert "belongs" in preview("2026-05-10", "/segments/test-customer", who="Cleo").text
    assert "does not" in preview("", "/segments/test-customer", who="Cleo").text


def test_an_unknown_past_is_marked_and_never_guessed_in_silence(
    world: World, visitor: Visitor, tagged: int, recent: int
):
    assert "Today's values were used for: Customer tags" in (
        visitor.get(f"/segments/{tagged}?as_of=2026-11-19").text
    )
    assert "Customer tags" in visitor.get(f"/segments/{tagged}?tab=ahead").text
    # A named segment has the past of its rule.
    known = world.segment("Again", "segment = 'Recent'")
    unknown = world.segment("Tagged again", "segment = 'Again' OR segment = 'Tagged'")
    assert "Not known" not in visitor.get(f"/segments/{known}?as_of=2026-05-10").text
    assert "Member of a segment" in visitor.get(f"/segments/{unknown}?as_of=2026-05-10").text


@pytest.mark.parametrize(
    ("day", "said"),
    [("yesterday", "“yesterday” is not a day"), ("2026-11-21", "still to come")],
)
def test_a_day_that_cannot_be_looked_at_is_said_beside_the_field(
    visitor: Visitor, recent: int, day: str, said: str
):
    page = visitor.get(f"/segments/{recent}?as_of={day}")

    assert said in page.field_problem("On the day")


def test_the_closest_customers_and_the_days_ahead_stand_on_one_tab(visitor: Visitor, recent: int):
    page = visitor.get(f"/segments/{recent}?tab=ahead")
    joining = next(one for one in page.root.all("section") if one.get("id") == "joining")
    calendar = next(one for one in page.root.all("section") if one.get("id") == "calendar")

    assert "Bo" in joining.text
    assert "¥1,000 more would do" in joining.text
    assert "December" in calendar.text or "Dec " in calendar.text
    still = visitor.get(f"/segments/{recent}?tab=ahead&lang=ja")
    assert still.status == 200


def test_rfm_shows_its_thresholds_beside_the_rule_and_for_each_customer(
    visitor: Visitor, ranked: int
):
    page = visitor.get(f"/segments/{ranked}?tab=definition")
    why = visitor.get(f"/segments/{ranked}/why/ana")

    assert "Fifths of" in page.text
    assert "Spend: scores 2 to 5 begin above ¥" in page.text
    assert "Scores: recency 5" in why.text
    assert "computed RFM group “Champions”" in why.text
