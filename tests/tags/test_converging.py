"""Promise P6: a rule's tag follows its segment within minutes, with no call more than needed."""

from __future__ import annotations

import random
from datetime import timedelta

import pytest
from sqlalchemy import select

from regulars.office.models.segments import Segment
from regulars.tags import Worker, rules
from regulars.tags.rules import RuleOptions
from tests.tags.histories import History, open_office

LAG_MAX = timedelta(minutes=5)
#: Of edits beside the changes that were needed.
CALLS_MAX = 1.1


def live_a_day(seed: int) -> tuple[list[timedelta], int, int]:
    """Edit a segment at random over 24 hours; return lags, changes made and changes needed."""
    office = open_office()
    world = History(office, seed)
    chance = random.Random(seed)
    world.shopify.tags = {str(number): [] for number in range(1, 60)}
    segment_id = world.segment_ids[0]
    world.segments.belonging.clear()
    with office.session() as session:
        rules.create_rule(
            session,
            world.shop,
            session.scalars(select(Segment).where(Segment.id == segment_id)).one(),
            "VIP",
            RuleOptions(brake_share=None),
            author="ana",
            now=world.clock(),
        )
    ends_at, lags, needed = world.clock() + timedelta(days=1), [], 0
    while world.clock() < ends_at:
        world.clock.instant += timedelta(minutes=chance.uniform(1, 90))
        members = world.segments.belonging.setdefault(segment_id, set())
        changed = {str(chance.randint(1, 59)) for _ in range(chance.randint(1, 12))}
        for one in changed:
            world.segments.set(segment_id, one, one not in members)
        began_at, needed = world.clock(), needed + len(changed)
        world.follow()
        while (pause := worker(world).run()) is not None:
            world.clock.instant += pause
        lags += [world.clock() - began_at] * len(changed)
        assert {one for one, tags in world.shopify.tags.items() if tags} == members, seed
    office.close()
    return lags, len(world.shopify.effects), needed


def worker(world: History) -> Worker:
    return Worker(world.office, world.shop.id, world.shopify, world.clock)


@pytest.mark.parametrize("seed", range(2))
def test_a_day_of_edits_is_followed_in_minutes_by_the_calls_it_needs(seed):
    lags, made, needed = live_a_day(seed)

    assert max(lags) <= LAG_MAX
    assert needed > 50
    assert made <= needed * CALLS_MAX
