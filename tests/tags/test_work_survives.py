"""Tag work against faults of every kind: at the end exactly the intended tags, no others touched.

One seed is one history: assignments, removals, cancels, hand-made changes; the process dies before
and after effects, answers are lost, Shopify fails, customers are deleted. REGULARS_SEEDS
sets how many histories are tried (20,000 for a release); a failing seed is printed and repeats
exactly.
"""

from __future__ import annotations

import os
import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import event, select

from regulars.clock import SettableClock
from regulars.errors import ShopifyError
from regulars.office import Office, create_shop
from regulars.office.models import load_all
from regulars.office.models.segments import Segment
from regulars.office.models.tags import TagAssignment, TagAudience, TagRemoval
from regulars.tags import Worker, acts
from tests.tags.pretend_tags import Faults, PretendTags

QUICK_SEEDS = 20
SEEDS = int(os.environ.get("REGULARS_SEEDS", "500"))
TAGS = ("VIP", "vip", "Repeat")


class Died(BaseException):
    """The process is gone: nothing after this line runs, the lease stays taken."""


@pytest.fixture(scope="module")
def office(tmp_path_factory):
    office = Office(f"sqlite:///{tmp_path_factory.mktemp('office')}/office.db")
    # Power cuts are tried elsewhere; here a commit need not wait for the disk.
    event.listen(office.engine, "connect", lambda c, _: c.execute("PRAGMA synchronous=OFF"))
    load_all().metadata.create_all(office.engine)
    yield office
    office.close()


@dataclass
class History:
    """One seed's world: the shop, its pretend Shopify, and what ought to be true."""

    office: Office
    seed: int
    random: random.Random = field(init=False)
    shopify: PretendTags = field(init=False)
    clock: SettableClock = field(init=False)
    #: (customer, tag key) that is there without us.
    own: set[tuple[str, str]] = field(default_factory=set)
    #: (customer, tag key) that somebody took off by hand while we held it → effects until then.
    taken: dict[tuple[str, str], int] = field(default_factory=dict)
    assignments: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)
        self.clock = SettableClock(datetime(2026, 11, 21, tzinfo=UTC))
        self.shopify = PretendTags(self.clock, self.random)
        for no in range(self.random.randint(3, 9)):
            tags = [tag for tag in ("old", "VIP", "repeat") if self.random.random() < 0.3]
            if self.random.random() < 0.08:
                tags = [f"t{n}" for n in range(250)]
            self.shopify.tags[str(no)] = tags
            self.own |= {(str(no), tag.lower()) for tag in tags}
        with self.office.session() as session:
            name = f"shop-{self.seed}"
            self.shop = create_shop(
                session, name=name, now=self.clock(), domain=f"{name}.myshopify.com"
            )
            self.segment = Segment(id=1, name="All", shop_id=self.shop.id)

    def play(self) -> None:
        for _ in range(self.random.randint(2, 6)):
            for _ in range(self.random.randint(1, 3)):
                self.act()
                self.work(faulty=True, turns=self.random.randint(0, 4))
            if self.random.random() < 0.5:
                self.settle()
                self.change_by_hand()
        self.settle()

    def act(self) -> None:
        self.clock.instant += timedelta(seconds=1)
        choice = self.random.choice(["assign", "assign", "remove", "cancel", "pause", "delete"])
        with self.office.session() as session:
            if choice == "assign":
                count = self.random.randint(1, len(self.shopify.tags) or 1)
                known = sorted(self.shopify.tags) or ["0"]
                members = self.random.sample(known, min(count, len(known)))
                tag = self.random.choice(TAGS)
                made = acts.assign(
                    session, self.shop, self.segment, tag, members, author="ana", now=self.clock()
                )
                self.assignments.append(made.id)
            elif choice == "delete" and self.random.random() < 0.3 and len(self.shopify.tags) > 1:
                del self.shopify.tags[self.random.choice(sorted(self.shopify.tags))]
            elif choice != "delete":
                self.change_status(session, choice)

    def change_status(self, session, choice: str) -> None:
        if not self.assignments:
            return
        row = session.get_one(TagAssignment, self.random.choice(self.assignments))
        if choice == "remove" and row.status in acts.REMOVABLE:
            acts.remove(session, row, author="bo", now=self.clock())
        elif choice == "cancel" and row.status in acts.UNFINISHED:
            acts.cancel(session, row, now=self.clock())
        elif choice == "pause" and row.status in acts.UNFINISHED:
            acts.pause(session, row)

    def work(self, *, faulty: bool, turns: int) -> None:
        level = self.random.choice([0.05, 0.15, 0.3]) if faulty else 0.0
        self.shopify.faults = Faults(level, level, level / 2, level)
        for _ in range(turns):
            self.clock.instant += timedelta(minutes=6)
            worker = Worker(
                self.office,
                self.shop.id,
                self.shopify,
                self.clock,
                checkpoint=self.die_sometimes if faulty else lambda _name: None,
                bulk_customers_min=self.random.choice([2, 100]),
                batch_size=self.random.choice([1, 2, 50]),
            )
            try:
                if worker.run() is None:
                    return
            except Died:
                assert faulty
            except ShopifyError:
                # Without faults only an operation that broke off earlier is still to be told of.
                assert faulty or self.shopify.operations

    def die_sometimes(self, _name: str) -> None:
        if self.random.random() < 0.1:
            raise Died

    def settle(self) -> None:
        """Let everything end, without faults."""
        with self.office.session() as session:
            for row in session.scalars(
                select(TagAssignment).where(TagAssignment.id.in_(self.assignments))
            ):
                if row.status == "paused":
                    acts.resume(session, row)
        self.work(faulty=False, turns=200)
        self.check()

    def change_by_hand(self) -> None:
        """Somebody changes tags in Shopify while nothing of ours is under way."""
        wanted = self.wanted()
        for one, tags in self.shopify.tags.items():
            if self.random.random() < 0.5:
                continue
            other = f"hand-{self.random.randint(0, 3)}"
            if other not in tags:
                tags.append(other)
                self.own.add((one, other))
            pair = (one, "vip")
            present = [tag for tag in tags if tag.lower() == "vip"]
            if present:
                tags.remove(present[0])
                self.own.discard(pair)
                if pair in wanted:
                    self.taken[pair] = len(self.shopify.effects)
            elif pair not in wanted:
                tags.append("Vip")
                self.own.add(pair)

    def wanted(self) -> set[tuple[str, str]]:
        """Return the tags that a live assignment gave or tries to give."""
        with self.office.reading() as session:
            rows = session.execute(
                select(TagAudience.customer_id, TagAudience.tag_key).where(
                    TagAudience.shop_id == self.shop.id,
                    TagAudience.wanted,
                    TagAudience.outcome.in_(("given", "held", "told")),
                )
            )
            return {(one, key) for one, key in rows}

    def check(self) -> None:
        """Every customer has exactly the tags that are their own or that live assignments gave."""
        wanted = self.wanted()
        for (one, key), count in list(self.taken.items()):
            if (one, key, True) in self.shopify.effects[count:]:
                # Given again by us since.
                del self.taken[one, key]
        for one, tags in self.shopify.tags.items():
            present = {tag.lower() for tag in tags}
            own = {key for who, key in self.own if who == one}
            given = {key for who, key in wanted if who == one}
            taken = {key for who, key in self.taken if who == one} - own

            assert present | taken == own | given | taken, (self.seed, one)
            assert not present & taken, (self.seed, one)
        self.check_rows()

    def check_rows(self) -> None:
        """Nothing is left open, and an assignment that says assigned reached its whole audience."""
        with self.office.reading() as session:
            for row in session.scalars(
                select(TagAssignment).where(TagAssignment.shop_id == self.shop.id)
            ):
                assert row.status in {
                    "assigned", "partly_failed", "failed", "removed", "cancelled"
                }, (self.seed, row.status)  # fmt: skip
                outcomes = set(
                    session.scalars(
                        select(TagAudience.outcome).where(TagAudience.assignment_id == row.id)
                    )
                )
                if row.status == "assigned":
                    assert outcomes <= {"given", "held", "had_before", "gone"}, self.seed
            for removal in session.scalars(
                select(TagRemoval).where(TagRemoval.shop_id == self.shop.id)
            ):
                assert removal.status == "removed", self.seed


def test_histories_end_with_exactly_the_intended_tags(office):
    for seed in range(QUICK_SEEDS):
        History(office, seed).play()


@pytest.mark.slow
def test_every_history_ends_with_exactly_the_intended_tags(office):
    for seed in range(QUICK_SEEDS, SEEDS):
        History(office, seed).play()
