"""What can be tracked, under which name, and where a tracking stands."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from sqlalchemy import event

from regulars.errors import ConflictError, InputError, NotFoundError
from regulars.office import Office, create_shop
from regulars.office.models import load_all
from regulars.office.models.segments import Segment
from regulars.tracking import (
    cancel_tracking,
    create_tracking,
    find_tracking,
    standing,
    update_tracking,
)

# 22:30 on the 20th in UTC is already the 21st in Tokyo.
NOW = datetime(2026, 11, 20, 22, 30, tzinfo=UTC)
TODAY = date(2026, 11, 21)


@pytest.fixture
def session(tmp_path):
    office = Office(f"sqlite:///{tmp_path}/office.db")
    event.listen(office.engine, "connect", lambda c, _: c.execute("PRAGMA synchronous=OFF"))
    load_all().metadata.create_all(office.engine)
    with office.session() as session:
        yield session
    office.close()


@pytest.fixture
def shop(session):
    return create_shop(session, name="basic", now=NOW, time_zone="Asia/Tokyo", currency="JPY")


def make(session, shop, starts_on=TODAY, ends_on=date(2026, 12, 20), **values):
    segment = Segment(id=3, shop_id=shop.id, name="VIP", query="amount_spent > 1", version=4)
    return create_tracking(
        session,
        shop,
        segment,
        starts_on=starts_on,
        ends_on=ends_on,
        author="ana",
        now=NOW,
        **values,
    )


def test_the_name_is_filled_in_and_made_unique(session, shop):
    names = [make(session, shop).name for _ in range(3)]

    assert names == [
        "VIP 2026-11-21 – 2026-12-20",
        "VIP 2026-11-21 – 2026-12-20 (2)",
        "VIP 2026-11-21 – 2026-12-20 (3)",
    ]


def test_today_is_allowed_and_yesterday_is_told_with_the_day_of_the_shop(session, shop):
    assert make(session, shop, TODAY, TODAY).starts_on == TODAY
    with pytest.raises(InputError) as refused:
        make(session, shop, date(2026, 11, 20), TODAY)

    assert refused.value.code == "period_in_the_past"
    assert str(refused.value) == (
        "The period must start today or later. "
        "Today is 21 November 2026 in your shop's time zone (Asia/Tokyo)."
    )


@pytest.mark.parametrize(
    ("ends_on", "code"),
    [
        (date(2026, 11, 20), "period_ends_before_it_starts"),
        (date(2027, 11, 23), "period_too_long"),
    ],
)
def test_a_period_that_cannot_be_is_refused(session, shop, ends_on, code):
    with pytest.raises(InputError) as refused:
        make(session, shop, TODAY, ends_on)

    assert refused.value.code == code


def test_a_year_with_a_leap_day_fits(session, shop):
    # 366 days.
    assert standing(make(session, shop, TODAY, date(2027, 11, 21)), NOW).day_count == 366


def test_every_rule_that_is_broken_is_told_at_once(session, shop):
    with pytest.raises(InputError) as refused:
        make(session, shop, date(2026, 11, 2), date(2026, 11, 1))

    assert [one.code for one in refused.value.problems] == [
        "period_in_the_past",
        "period_ends_before_it_starts",
    ]


def test_a_taken_name_is_refused_however_it_is_written(session, shop):
    make(session, shop, name="Winter")
    with pytest.raises(ConflictError) as refused:
        make(session, shop, name="ＷＩＮＴＥＲ ")

    assert refused.value.problems[0].field == "name"


def test_update_keeps_its_own_name_and_an_empty_one_fills_itself_in(session, shop):
    tracking = make(session, shop, name="Winter")
    update_tracking(session, shop, tracking, name="Winter", note=" first ")
    assert (tracking.name, tracking.note) == ("Winter", "first")

    update_tracking(session, shop, tracking, name="", note="")

    assert tracking.name == "VIP 2026-11-21 – 2026-12-20"


@pytest.mark.parametrize(
    ("now", "status", "day_no"),
    [
        (datetime(2026, 11, 20, 14, 59, tzinfo=UTC), "scheduled", 0),
        (datetime(2026, 11, 20, 15, 0, tzinfo=UTC), "in_progress", 1),
        (datetime(2026, 12, 2, 3, 0, tzinfo=UTC), "in_progress", 12),
        (datetime(2026, 12, 20, 14, 59, tzinfo=UTC), "in_progress", 30),
        (datetime(2026, 12, 20, 15, 0, tzinfo=UTC), "finished", 30),
    ],
)
def test_where_it_stands_follows_the_days_of_its_zone(session, shop, now, status, day_no):
    found = standing(make(session, shop), now)

    assert (found.status, found.day_no, found.day_count) == (status, day_no, 30)


def test_the_zone_stays_when_the_shop_moves(session, shop):
    tracking = make(session, shop)
    shop.time_zone = "America/New_York"

    assert standing(tracking, datetime(2026, 11, 20, 15, 0, tzinfo=UTC)).status == "in_progress"


def test_cancelling_stops_it_once(session, shop):
    tracking = make(session, shop)
    cancel_tracking(shop, tracking, now=NOW)

    assert standing(tracking, NOW).status == "cancelled"
    with pytest.raises(ConflictError):
        cancel_tracking(shop, tracking, now=NOW)


def test_a_tracking_of_another_shop_is_not_found(session, shop):
    other = create_shop(session, name="other", now=NOW)
    tracking = make(session, shop)

    with pytest.raises(NotFoundError):
        find_tracking(session, other, tracking.id)


def test_an_unknown_population_is_refused(session, shop):
    assert make(session, shop, population="order-time").population == "order_time"
    with pytest.raises(InputError) as refused:
        make(session, shop, population="everybody")

    assert refused.value.code == "unknown_population"
