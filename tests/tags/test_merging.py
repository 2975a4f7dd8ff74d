"""Customers who are merged at Shopify: what we gave one is the other's, what was theirs stays."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from regulars.office.models.segments import Segment
from regulars.office.models.tags import TagAssignment, TagBulk
from regulars.tags import acts
from regulars.tags.work import Worker
from regulars.warehouse.facts import CustomersMerged
from tests.jobs.at_work import open_shop
from tests.tags.rules_at_work import RulesAtWork

BUYERS = "number_of_orders >= 1"


@pytest.fixture
def shop(tmp_path):
    at_work = open_shop(tmp_path)
    shop = RulesAtWork(at_work)
    shop.customers("ana", "bo", "cleo")
    yield shop
    at_work.runtime.close()


def assign(shop: RulesAtWork, tag: str, *names: str) -> int:
    segment = Segment(id=1, name="All", shop_id=shop.at_work.shop.id)
    with shop.office.session() as session:
        return acts.assign(
            session, shop.at_work.shop, segment, tag, names, author="ana", now=shop.at_work.clock()
        ).id


def assign_and_work(shop: RulesAtWork, tag: str, *names: str) -> int:
    number = assign(shop, tag, *names)
    shop.work()
    return number


def remove(shop: RulesAtWork, assignment_id: int) -> None:
    with shop.office.session() as session:
        row = session.get_one(TagAssignment, assignment_id)
        acts.remove(session, row, author="ana", now=shop.at_work.clock())


def merge(shop: RulesAtWork, gone: str, kept: str) -> None:
    """Let Shopify merge two customers and tell us of it."""
    tags = shop.shopify.tags.pop(gone)
    shop.shopify.tags[kept] += [tag for tag in tags if tag not in shop.shopify.tags[kept]]
    shop.at_work.clock.instant += timedelta(seconds=1)
    shop.at_work.told(CustomersMerged(kept_id=kept, removed_id=gone, at=shop.at_work.clock()))


def test_a_tag_given_to_the_one_is_taken_back_from_the_other(shop):
    given = assign_and_work(shop, "VIP", "ana", "bo")

    merge(shop, "ana", "cleo")
    remove(shop, given)
    shop.work()

    assert shop.having("vip") == set()


def test_a_tag_that_was_the_kept_customers_own_stays(shop):
    shop.shopify.tags["cleo"] = ["Vip"]
    shop.at_work.told(shop.at_work.customer("cleo", tags=("Vip",)))
    given = assign_and_work(shop, "VIP", "ana")

    merge(shop, "ana", "cleo")
    remove(shop, given)
    shop.work()

    assert shop.having("vip") == {"cleo"}


def test_a_tag_that_was_given_back_by_somebody_else_stays(shop):
    remove(shop, assign(shop, "VIP", "ana"))
    shop.work()
    shop.shopify.tags["ana"] = ["Vip"]
    shop.at_work.told(shop.at_work.customer("ana", tags=("Vip",)))
    given = assign_and_work(shop, "VIP", "cleo")

    merge(shop, "ana", "cleo")
    remove(shop, given)
    shop.work()

    assert shop.having("vip") == {"cleo"}


def test_bulk_work_that_is_not_at_shopify_yet_is_decided_anew(shop):
    given = assign(shop, "VIP", "ana", "bo", "cleo")
    with shop.office.session() as session:
        for state in ("reading", "made", "running"):
            session.add(
                TagBulk(
                    shop_id=shop.at_work.shop.id,
                    work="assignment",
                    work_id=given,
                    customer_ids=["bo", "cleo"],
                    state=state,
                    created_at=shop.at_work.clock(),
                )
            )

    merge(shop, "ana", "cleo")

    with shop.office.reading() as session:
        told = [(one.state, one.customer_ids) for one in session.scalars(select(TagBulk))]
    both = ["bo", "cleo"]
    assert told == [("reading", ["bo"]), ("doubted", both), ("running", both)]


def test_a_rule_takes_its_tag_from_whom_the_segment_does_not_hold(shop):
    rule = shop.rule(shop.at_work.segment("Tea", "customer_tags CONTAINS 'tea'"), "drinker")
    shop.at_work.told(shop.at_work.customer("ana", tags=("tea",)))
    shop.work()
    assert shop.having("drinker") == {"ana"}

    merge(shop, "ana", "cleo")
    shop.work()

    members = shop.at_work.members(shop.row(rule).segment_id)
    assert shop.having("drinker") == members


def test_our_tag_that_comes_along_while_it_is_taken_off_is_taken_off_again(shop):
    remove(shop, assign_and_work(shop, "VIP", "ana", "cleo"))
    merged = []

    def merge_behind_the_first_effect(name: str) -> None:
        if name == "effect done" and not merged:
            merged.append(shop.having("vip"))
            merge(shop, "cleo", "ana")

    worker = Worker(
        shop.office,
        shop.at_work.shop.id,
        shop.shopify,
        shop.at_work.clock,
        checkpoint=merge_behind_the_first_effect,
        batch_size=1,
    )
    worker.run()
    shop.work()

    assert merged == [{"cleo"}]
    assert shop.having("vip") == set()
