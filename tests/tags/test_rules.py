"""Tag rules: a tag stays equal to a segment, through joins, leaves, changes of mind and drift."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from sqlalchemy import select

from regulars import tags
from regulars.errors import ConflictError, InputError
from regulars.office.models.segments import Segment
from regulars.office.models.statics import StaticSegment, StaticTag
from regulars.office.models.tags import TagAudience, TagHoldout, TagRule
from regulars.privacy.redacting import redact_office
from regulars.tags import drift, following, holdout, legacy, rules
from regulars.tags.segment_side import SegmentMembers
from tests.jobs.at_work import open_shop
from tests.tags.rules_at_work import RulesAtWork

BUYERS = "number_of_orders >= 1"
SPENDERS = "amount_spent >= 1000"


@pytest.fixture
def shop(tmp_path):
    at_work = open_shop(tmp_path / "home")
    opened = RulesAtWork(at_work)
    opened.customers("ana", "bo", "cleo", "dee")
    yield opened
    at_work.runtime.close()


def cancelled(shop, number: int, customer: str) -> None:
    now = shop.at_work.clock()
    shop.order(number, customer, cancelled_at=now)


def test_who_joins_gets_the_tag_and_who_leaves_loses_it(shop):
    rule = shop.rule(shop.at_work.segment("Buyers", BUYERS), "buyer")
    shop.order(1, "ana")
    shop.work()
    assert shop.having("buyer") == {"ana"}

    shop.order(2, "bo")
    shop.at_work.clock.instant += timedelta(seconds=1)
    cancelled(shop, 1, "ana")
    shop.work()

    assert shop.having("buyer") == {"bo"}
    assert shop.assignment(rule).status == "in_sync"
    assert shop.assignment(rule).targeted_count == 1


def test_the_news_of_a_change_asks_for_the_work(shop):
    shop.rule(shop.at_work.segment("Buyers", BUYERS), "buyer")
    shop.order(1, "ana")

    kinds = set()
    with shop.office.reading() as session:
        from regulars.office.models.jobs import Job

        kinds = set(session.scalars(select(Job.kind).where(Job.state == "waiting")))
    assert "follow_tag_rules" in kinds


def test_a_tag_from_before_is_never_taken_off(shop):
    shop.shopify.tags["ana"] = ["Buyer"]
    shop.rule(shop.at_work.segment("Buyers", BUYERS), "buyer")
    shop.order(1, "ana")
    shop.work()
    shop.at_work.clock.instant += timedelta(seconds=1)
    cancelled(shop, 1, "ana")
    shop.work()

    assert shop.shopify.tags["ana"] == ["Buyer"]


def test_what_an_assignment_or_another_rule_wants_stays(shop):
    buyers = shop.at_work.segment("Buyers", BUYERS)
    spenders = shop.at_work.segment("Spenders", SPENDERS)
    first, second = shop.rule(buyers, "loyal"), shop.rule(spenders, "Loyal")
    shop.order(1, "ana", 100)
    shop.order(2, "bo", 5000)
    shop.work()
    assert shop.having("loyal") == {"ana", "bo"}

    shop.off(first, take=True)
    shop.work()
    assert shop.having("loyal") == {"bo"}

    shop.off(second, take=True)
    shop.work()
    assert shop.having("loyal") == set()


def test_switched_off_the_tags_stay_where_that_was_asked(shop):
    rule = shop.rule(shop.at_work.segment("Buyers", BUYERS), "buyer")
    shop.order(1, "ana")
    shop.work()
    shop.off(rule, take=False)
    shop.order(2, "bo")
    shop.work()
    assert shop.having("buyer") == {"ana"}
    assert shop.assignment(rule).status == "stopped"

    shop.on(rule)
    shop.at_work.clock.instant += timedelta(seconds=1)
    cancelled(shop, 1, "ana")
    shop.work()
    assert shop.having("buyer") == {"bo"}


def test_a_renamed_tag_is_given_before_the_old_one_goes(shop):
    rule = shop.rule(shop.at_work.segment("Buyers", BUYERS), "buyer")
    shop.order(1, "ana")
    shop.order(2, "bo")
    shop.work()
    shop.shopify.effects.clear()

    shop.change(rule, tag="customer")
    shop.work()

    assert shop.having("customer") == {"ana", "bo"}
    assert shop.having("buyer") == set()
    adds = [add for _, _, add in shop.shopify.effects]
    assert adds == sorted(adds, reverse=True)


def test_the_brake_holds_a_large_change_until_a_person_lets_go(shop):
    names = [f"c{number}" for number in range(5)]
    shop.customers(*names)
    segment = shop.at_work.segment("Buyers", BUYERS)
    rule = shop.rule(segment, "buyer", brake_number=3)
    shop.order(1, "ana")
    shop.work()

    for number, name in enumerate(names):
        shop.at_work.told(shop.at_work.order(10 + number, name))
    shop.work()
    assert shop.having("buyer") == {"ana"}
    assert shop.row(rule).held_at is not None
    assert shop.row(rule).held_give_count == 5

    with shop.office.session() as session:
        rules.release(session.get_one(TagRule, rule))
    shop.work()

    assert shop.having("buyer") == {"ana", *names}
    assert shop.row(rule).held_at is None


def test_the_brake_forgets_a_change_that_took_itself_back(shop):
    rule = shop.rule(shop.at_work.segment("Buyers", BUYERS), "buyer", brake_number=1)
    shop.work()
    shop.order(1, "ana")
    shop.order(2, "bo")
    shop.work()
    assert shop.row(rule).held_at is not None

    shop.at_work.clock.instant += timedelta(seconds=1)
    cancelled(shop, 1, "ana")
    shop.work()

    assert shop.row(rule).held_at is None
    assert shop.having("buyer") == {"bo"}


def test_in_their_grace_time_customers_keep_the_tag(shop):
    rule = shop.rule(shop.at_work.segment("Buyers", BUYERS), "buyer", grace_days=7)
    shop.order(1, "ana")
    shop.order(2, "bo")
    shop.work()
    for number, name in ((1, "ana"), (2, "bo")):
        shop.at_work.clock.instant += timedelta(seconds=1)
        cancelled(shop, number, name)
    shop.work()
    assert shop.having("buyer") == {"ana", "bo"}

    shop.order(3, "ana")
    shop.work()
    shop.at_work.clock.instant += timedelta(days=8)
    shop.work()

    assert shop.having("buyer") == {"ana"}
    assert shop.shopify.effects.count(("ana", "buyer", True)) == 1
    assert shop.assignment(rule).targeted_count == 1


@pytest.mark.parametrize(
    ("days", "kept"), [(0, [set(), set()]), (3, [{"bo"}, set()]), (30, [{"ana", "bo"}] * 2)]
)
def test_another_grace_time_counts_for_who_left_before_too(shop, days, kept):
    rule = shop.rule(shop.at_work.segment("Buyers", BUYERS), "buyer", grace_days=7)
    for number, name in ((1, "ana"), (2, "bo")):
        shop.order(number, name)
        shop.work()
    for number, name in ((1, "ana"), (2, "bo")):
        shop.at_work.clock.instant += timedelta(days=2)
        cancelled(shop, number, name)
        shop.work()
    with shop.office.session() as session:
        found = session.get_one(TagRule, rule)
        options = rules.RuleOptions(grace_days=days)
        rules.change_rule(session, shop.at_work.shop, found, tag=None, options=options)
    having = []
    # Ana left two days ago and Bo just now; then both of them longer than three days ago.
    for step in (timedelta(days=1, hours=1), timedelta(days=3)):
        shop.at_work.clock.instant += step
        shop.work()
        having.append(shop.having("buyer"))

    assert having == kept
    assert shop.assignment(rule).targeted_count == len(kept[-1])


def test_who_was_redacted_is_not_counted_any_more(shop):
    rule = shop.rule(shop.at_work.segment("Buyers", BUYERS), "buyer")
    shop.order(1, "ana")
    shop.order(2, "bo")
    shop.work()
    with shop.office.session() as session:
        redact_office(session, shop.at_work.shop, "ana", shop.at_work.clock())

    assert shop.assignment(rule).targeted_count == 1


def test_in_tiers_each_customer_has_exactly_one_tag(shop):
    buyers = shop.at_work.segment("Buyers", BUYERS)
    spenders = shop.at_work.segment("Spenders", SPENDERS)
    tiers = {"tier_group": "level", "grace_days": 30}
    shop.rule(buyers, "silver", position=2, **tiers)
    shop.rule(spenders, "gold", position=1, **tiers)
    shop.order(1, "ana", 100)
    shop.order(2, "bo", 5000)
    shop.work()
    assert (shop.having("silver"), shop.having("gold")) == ({"ana"}, {"bo"})

    shop.order(3, "ana", 5000)
    shop.at_work.clock.instant += timedelta(seconds=1)
    cancelled(shop, 2, "bo")
    shop.order(4, "bo", 50)
    shop.work()

    assert (shop.having("silver"), shop.having("gold")) == ({"bo"}, {"ana"})


def test_the_plan_is_told_before_anything_runs(shop):
    shop.rule(shop.at_work.segment("Buyers", BUYERS), "buyer")
    shop.order(1, "ana")
    shop.order(2, "bo")

    runtime = shop.at_work.runtime
    with shop.office.reading() as session:
        (plan,) = following.Follower(
            session,
            shop.at_work.shop,
            SegmentMembers(
                runtime.warehouse(shop.at_work.shop), runtime.memberships(shop.at_work.shop)
            ),
            shop.at_work.clock(),
        ).plan()

    assert (plan.give_count, plan.take_count) == (2, 0)
    assert not shop.having("buyer")


def test_a_holdout_is_left_out_stays_the_same_and_is_recorded(shop):
    names = [f"c{number}" for number in range(200)]
    shop.customers(*names)
    segment = shop.at_work.segment("All", "number_of_orders >= 0")
    rule = shop.rule(segment, "mail", holdout_share=0.3)
    shop.work()

    out = {one for one in shop.shopify.tags if one not in shop.having("mail")}
    assert 35 < len(out) < 85
    with shop.office.reading() as session:
        rows = session.scalars(select(TagHoldout)).all()
    assert {row.customer_id for row in rows} == out
    assert all(row.since and row.until is None for row in rows)
    assert shop.assignment(rule).holdout_count == len(out)
    wider = {one for one in shop.shopify.tags if holdout.is_held_out(one, segment, 0.5)}
    assert out < wider


def check_drift(shop):
    shop.at_work.clock.instant += timedelta(minutes=1)
    now = shop.at_work.clock()
    everybody = [(one, list(present)) for one, present in shop.shopify.tags.items()]
    return drift.check_drift(shop.office, shop.at_work.shop.id, everybody, read_at=now, now=now)


@pytest.mark.parametrize("policy", ["respect", "repair"])
def test_what_others_changed_is_found_and_treated_by_the_policy(shop, policy):
    shop.rule(shop.at_work.segment("Buyers", BUYERS), "buyer", drift=policy)
    for number, name in enumerate(("ana", "bo", "cleo")):
        shop.order(number, name)
    shop.work()
    shop.at_work.clock.instant += timedelta(seconds=1)
    cancelled(shop, 2, "cleo")
    shop.work()
    # By hand: taken from ana, given to cleo again, and to dee who never had it from us.
    shop.shopify.tags.update(ana=[], cleo=["buyer"], dee=["Buyer"])

    (found,) = check_drift(shop).found
    shop.work()

    assert (found["tag"], found["missing"], found["foreign"]) == ("buyer", ["ana"], ["cleo"])
    expected = {"respect": {"bo", "cleo", "dee"}, "repair": {"ana", "bo", "dee"}}
    assert shop.having("buyer") == expected[policy]
    assert check_drift(shop).found == []


def test_tags_that_nobody_wants_any_more_are_orphans(shop):
    segment = shop.at_work.segment("Buyers", BUYERS)
    shop.order(1, "ana")
    with shop.office.session() as session:
        row = session.get_one(Segment, segment)
        made = tags.assign(
            session, shop.at_work.shop, row, "Once", ["ana"], author="ana", now=shop.at_work.clock()
        )
    shop.work()
    with shop.office.session() as session:
        session.query(TagAudience).filter_by(assignment_id=made.id).update({"wanted": False})
        found = drift.orphans(session, shop.at_work.shop.id)

    assert found == [drift.Orphan("Once", 1)]


@pytest.mark.parametrize(
    "options",
    [
        {"grace_days": -1},
        {"brake_number": 0},
        {"brake_share": 1.5},
        {"drift": "ignore"},
        {"holdout_share": 0.95},
    ],
)
def test_options_that_make_no_sense_are_refused(shop, options):
    segment = shop.at_work.segment("Buyers", BUYERS)
    with pytest.raises(InputError):
        shop.rule(segment, "buyer", **options)


def test_a_segment_keeps_one_tag_once(shop):
    segment = shop.at_work.segment("Buyers", BUYERS)
    shop.rule(segment, "buyer")
    with pytest.raises(ConflictError):
        shop.rule(segment, "Buyer")


def test_the_operator_takes_off_a_tag_of_the_earlier_system_and_spares_what_we_want(shop):
    segment = shop.at_work.segment("Buyers", BUYERS)
    shop.order(1, "ana")
    shop.shopify.tags.update(ana=["Old"], bo=["old", "own"], cleo=["old"])
    with shop.office.session() as session:
        static = StaticSegment(
            shop_id=shop.at_work.shop.id,
            name="Old buyers",
            name_key="old buyers",
            created_on=date(2024, 5, 1),
            source="csv",
            list_id=1,
            counts={},
            imported_at=shop.at_work.clock(),
            imported_by="ana",
        )
        session.add(static)
        session.flush()
        row = StaticTag(
            shop_id=shop.at_work.shop.id,
            static_segment_id=static.id,
            tag="old",
            given_on=date(2024, 5, 2),
        )
        session.add(row)
    # Ana had it when our rule came, so the rule left it alone: it was hers before us.
    shop.rule(segment, "old")
    shop.work()

    def take() -> None:
        with shop.office.session() as session:
            legacy.remove_tag(
                session,
                shop.at_work.shop,
                row.id,
                ["ana", "bo"],
                author="operator",
                now=shop.at_work.clock(),
            )

    take()
    shop.work()

    assert shop.shopify.tags == {"ana": ["Old"], "bo": ["own"], "cleo": ["old"], "dee": []}
    with pytest.raises(ConflictError):
        take()


def test_many_small_changes_do_not_slip_under_the_brake(shop):
    rule = shop.rule(shop.at_work.segment("Buyers", BUYERS), "buyer", brake_number=3)
    shop.work()
    names = [f"c{number}" for number in range(6)]
    shop.customers(*names)
    for number, name in enumerate(names):
        shop.at_work.clock.instant += timedelta(hours=1)
        shop.order(20 + number, name)
        shop.work()

    assert shop.having("buyer") == set(names[:3])
    assert shop.row(rule).held_give_count == 3

    # A day later what passed is forgotten, and the rest is no more than the brake lets pass.
    shop.at_work.clock.instant += timedelta(days=1)
    shop.work()
    assert shop.having("buyer") == set(names)
    assert shop.row(rule).held_at is None


def test_what_a_person_let_pass_starts_the_sum_anew(shop):
    rule = shop.rule(shop.at_work.segment("Buyers", BUYERS), "buyer", brake_number=1)
    shop.work()
    shop.order(1, "ana")
    shop.order(2, "bo")
    shop.work()
    assert shop.row(rule).held_at is not None
    with shop.office.session() as session:
        rules.release(session.get_one(TagRule, rule))
    shop.work()

    shop.customers("dee")
    shop.order(3, "dee")
    shop.work()

    assert shop.having("buyer") == {"ana", "bo", "dee"}


def test_a_tier_made_later_takes_its_customers_from_the_others(shop):
    low = shop.at_work.segment("Buyers", BUYERS)
    high = shop.at_work.segment("Big", "amount_spent >= 500")
    shop.rule(low, "silver", tier_group="tiers", position=2)
    shop.order(1, "ana", 900)
    shop.work()
    assert shop.having("silver") == {"ana"}

    shop.rule(high, "gold", tier_group="tiers", position=1)
    shop.work()

    assert shop.having("gold") == {"ana"}
    assert shop.having("silver") == set()


def test_a_held_tier_keeps_the_others_from_taking_tags_off(shop):
    low = shop.at_work.segment("Buyers", BUYERS)
    high = shop.at_work.segment("Big", "amount_spent >= 500")
    shop.rule(low, "silver", tier_group="tiers", position=2)
    gold = shop.rule(high, "gold", tier_group="tiers", position=1, brake_number=1)
    shop.work()
    for number, name in enumerate(("ana", "bo")):
        shop.order(number, name, 100)
    shop.work()
    for number, name in enumerate(("ana", "bo")):
        shop.order(10 + number, name, 900)
    shop.work()

    assert shop.row(gold).held_at is not None
    assert shop.having("silver") == {"ana", "bo"}

    with shop.office.session() as session:
        rules.release(session.get_one(TagRule, gold))
    shop.work()

    assert shop.having("gold") == {"ana", "bo"}
    assert shop.having("silver") == set()
