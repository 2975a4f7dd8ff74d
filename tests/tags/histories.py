"""Histories of tag work: one seed is one shop's story of orders by people, accidents and faults.

A history knows by itself which tags each customer ought to have, and compares at every rest. The
code under test is the real one; Shopify, the segments and the clock are pretended.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from sqlalchemy import event, select

from regulars.clock import SettableClock
from regulars.errors import ShopifyError
from regulars.office import Office, create_shop
from regulars.office.models import load_all
from regulars.office.models.segments import Segment
from regulars.office.models.tags import (
    TagAssignment,
    TagAudience,
    TagLedger,
    TagRemoval,
    TagRule,
)
from regulars.tags import Worker, acts, drift, following, holdout, merging, rules
from regulars.tags.rules import RuleOptions
from tests.tags.pretend_members import PretendMembers
from tests.tags.pretend_tags import Faults, PretendTags

TAGS = ("VIP", "vip", "Repeat")
RULE_TAGS = ("VIP", "Gold", "Silver")
SEGMENT_COUNT = 3

#: What people and customers do, and how often.
ACTS = {
    "assign": 6,
    "remove": 3,
    "undo": 2,
    "cancel": 2,
    "pause": 2,
    "delete": 1,
    "merge": 2,
    "rule": 4,
    "rename": 2,
    "switch": 2,
    "flip": 8,
    "hand": 2,
}


class Died(BaseException):
    """The process is gone: nothing after this line runs, the lease stays taken."""


def open_office(path: str = "") -> Office:
    """Open an office that need not outlive the power: cuts of it are tried elsewhere."""
    office = Office(f"sqlite:///{path}")
    event.listen(office.engine, "connect", lambda c, _: c.execute("PRAGMA synchronous=OFF"))
    load_all().metadata.create_all(office.engine)
    return office


def play_seeds(first: int, last: int) -> list[tuple[int, str]]:
    """Play the histories of these seeds in this process; return those that went wrong, and how."""
    office = open_office()
    wrong = []
    for seed in range(first, last):
        try:
            History(office, seed).play()
        except Exception as error:  # noqa: BLE001 - a difference or a crash, both are told
            wrong.append((seed, f"{type(error).__name__}: {error}"[:500]))
    office.close()
    return wrong


@dataclass
class History:
    """One seed's world: the shop, its pretend Shopify, and what ought to be true."""

    office: Office
    seed: int
    random: random.Random = field(init=False)
    shopify: PretendTags = field(init=False)
    clock: SettableClock = field(init=False)
    segments: PretendMembers = field(default_factory=PretendMembers)
    segment_ids: list[int] = field(default_factory=list)
    #: (customer, tag key) that is there without us.
    own: set[tuple[str, str]] = field(default_factory=set)
    #: (customer, tag key) that somebody took off by hand while we held it → effects until then.
    taken: dict[tuple[str, str], int] = field(default_factory=dict)
    #: (customer, tag key) that Shopify was already taking when another customer was merged into
    #: this one: it may be gone although it is theirs, as nothing can call the operation back.
    in_doubt: set[tuple[str, str]] = field(default_factory=set)
    rules: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)
        self.clock = SettableClock(datetime(2026, 11, 21, tzinfo=UTC))
        self.shopify = PretendTags(self.clock, self.random)
        for no in range(1, self.random.randint(4, 10)):
            tags = [tag for tag in ("old", "VIP", "repeat") if self.random.random() < 0.3]
            if self.random.random() < 0.08:
                tags = [f"t{n}" for n in range(250)]
            self.shopify.tags[str(no)] = tags
            self.own |= {(str(no), tag.lower()) for tag in tags}
        with self.office.session() as session:
            name = f"shop-{self.seed}"
            now = self.clock()
            self.shop = create_shop(session, name=name, now=now, domain=f"{name}.myshopify.com")
            rows = [
                Segment(
                    shop_id=self.shop.id,
                    name=f"Segment {number}",
                    name_key=f"segment {number}",
                    query="orders_placed > 0",
                    created_by="ana",
                    created_at=now,
                    updated_at=now,
                    evaluated_at=now,
                )
                for number in range(SEGMENT_COUNT)
            ]
            session.add_all(rows)
            session.flush()
            self.segment_ids = [row.id for row in rows]
        for segment_id in self.segment_ids:
            for one in self.shopify.tags:
                self.segments.set(segment_id, one, self.random.random() < 0.4)

    # What happens.

    def play(self) -> None:
        for _ in range(self.random.randint(2, 5)):
            for _ in range(self.random.randint(1, 4)):
                self.act()
                self.follow()
                self.work(turns=self.random.randint(0, 3))
            if self.random.random() < 0.4:
                self.settle()
                self.change_by_hand()
                if self.random.random() < 0.4:
                    self.check_drift()
        self.settle()

    def act(self) -> None:
        self.clock.instant += timedelta(seconds=1)
        choice = self.random.choices(list(ACTS), ACTS.values())[0]
        getattr(self, f"do_{choice}")()

    def do_assign(self) -> None:
        known = sorted(self.shopify.tags) or ["0"]
        members = self.random.sample(known, self.random.randint(1, len(known)))
        segment = Segment(id=self.segment_ids[0], name="All", shop_id=self.shop.id)
        with self.office.session() as session:
            acts.assign(
                session,
                self.shop,
                segment,
                self.random.choice(TAGS),
                members,
                author="ana",
                now=self.clock(),
                holdout_share=self.random.choice([0.0, 0.0, 0.3]),
            )

    def do_remove(self) -> None:
        with self.office.session() as session:
            row = self.some_assignment(session)
            if row is not None and acts.is_removable(row):
                acts.remove(session, row, author="bo", now=self.clock())

    def do_undo(self) -> None:
        with self.office.session() as session:
            row = self.some_assignment(session)
            is_once = row is not None and row.rule_id is None
            if is_once and row.status in {"removing", "removed"}:
                acts.undo_removal(session, row, author="bo", now=self.clock())

    def do_cancel(self) -> None:
        with self.office.session() as session:
            row = self.some_assignment(session)
            is_once = row is not None and row.rule_id is None
            if is_once and row.status in acts.UNFINISHED:
                acts.cancel(session, row, author="bo", now=self.clock())

    def do_pause(self) -> None:
        with self.office.session() as session:
            row = self.some_assignment(session)
            if row is not None and row.status in {
                *acts.UNFINISHED,
                "removing",
                "syncing",
                "in_sync",
            }:
                acts.pause(session, row, author="bo", now=self.clock())

    def do_delete(self) -> None:
        if len(self.shopify.tags) > 2:
            one = self.random.choice(sorted(self.shopify.tags))
            del self.shopify.tags[one]
            self.segments.forget(one)

    def do_flip(self) -> None:
        for _ in range(self.random.randint(1, 4)):
            one = self.random.choice(sorted(self.shopify.tags))
            segment_id = self.random.choice(self.segment_ids)
            is_member = one in self.segments.belonging.get(segment_id, ())
            self.segments.set(segment_id, one, not is_member)

    def do_hand(self) -> None:
        """Give or take a tag of others' while our work is under way."""
        one = self.random.choice(sorted(self.shopify.tags))
        tag = f"hand-{self.random.randint(0, 3)}"
        tags = self.shopify.tags[one]
        if tag in tags:
            tags.remove(tag)
            self.own.discard((one, tag))
        elif len(tags) < 200:
            tags.append(tag)
            self.own.add((one, tag))

    def do_rule(self) -> None:
        options = RuleOptions(
            grace_days=self.random.choice([0, 0, 1]),
            brake_number=self.random.choice([None, None, 2]),
            brake_share=None,
            drift=self.random.choice(["respect", "repair"]),
            holdout_share=self.random.choice([0.0, 0.0, 0.3]),
            tier_group=self.random.choice([None, "tiers"]),
            position=self.random.randint(0, 2),
        )
        with self.office.session() as session:
            number = self.random.choice(self.segment_ids)
            tag = self.random.choice(RULE_TAGS)
            if self.is_kept(session, number, tag):
                return
            segment = session.get_one(Segment, number)
            made = rules.create_rule(
                session, self.shop, segment, tag, options, author="ana", now=self.clock()
            )
            self.rules.append(made.id)

    def do_rename(self) -> None:
        with self.office.session() as session:
            rule = self.some_rule(session)
            tag = self.random.choice(RULE_TAGS)
            if rule is None or not rule.is_on or self.is_kept(session, rule.segment_id, tag):
                return
            options = RuleOptions(
                grace_days=rule.grace_days,
                brake_number=rule.brake_number,
                brake_share=None,
                drift=rule.drift,
                holdout_share=self.random.choice([rule.holdout_share, 0.0, 0.5]),
                tier_group=rule.tier_group,
                position=rule.position,
            )
            rules.change_rule(session, self.shop, rule, tag=tag, options=options)

    def do_switch(self) -> None:
        with self.office.session() as session:
            rule = self.some_rule(session)
            if rule is None:
                return
            if rule.is_on:
                take = self.random.random() < 0.5
                rules.switch_off(session, rule, take=take, author="bo", now=self.clock())
            elif not self.is_kept(session, rule.segment_id, rule.tag):
                rules.switch_on(session, self.shop, rule, author="bo", now=self.clock())

    def do_merge(self) -> None:
        known = [one for one, tags in self.shopify.tags.items() if len(tags) < 200]
        if len(known) < 3:
            return
        gone, kept = self.random.sample(sorted(known), 2)
        is_known = self.random.random() < 0.7
        before = [*self.shopify.tags[kept]], [*self.shopify.tags[gone]]
        self.expect_merge(gone, kept, is_known=is_known)
        self.segments.forget(gone)
        with self.office.session() as session:
            merge = merging.Merge(gone, kept, *(before if is_known else ()))
            merging.follow_merge(session, self.shop.id, merge, self.clock())

    def expect_merge(self, gone: str, kept: str, *, is_known: bool) -> None:
        """Let Shopify merge, and note what is the kept customer's own from now on."""
        self.own |= {(kept, key) for who, key in self.own if who == gone}
        there = self.shopify.tags.pop(gone)
        tags = self.shopify.tags[kept]
        tags += [tag for tag in there if tag.lower() not in {one.lower() for one in tags}]
        present = {tag.lower() for tag in tags}
        for who, key in list(self.taken):
            if who == kept and key in present:
                del self.taken[kept, key]
            if who == gone:
                del self.taken[gone, key]
                if key not in present:
                    self.taken[kept, key] = len(self.shopify.effects)
        self.in_doubt |= {(kept, key) for who, key in self.in_doubt if who == gone}
        self.in_doubt |= {(kept, key) for key in present if self.is_being_taken(kept, key)}
        with self.office.reading() as session:
            known = self.ledger(session, gone), self.ledger(session, kept)
        for key in known[1].keys() - known[0].keys():
            if key in present and not is_known:
                self.own.add((kept, key))
        for key, row in known[0].items():
            other = known[1].get(key)
            doubtful = not is_known and other is None and row.told != "removed"
            seen_before = row.had_before or (other is not None and other.had_before)
            if key in present and (doubtful or seen_before):
                # Where it may have been the customer's own, it stays.
                self.own.add((kept, key))

    def is_being_taken(self, customer_id: str, key: str) -> bool:
        """Whether an operation is under way at Shopify that takes this tag off."""
        return any(
            one.answers is None
            and not one.add
            and one.tag.lower() == key
            and customer_id in one.customer_ids
            for one in self.shopify.operations.values()
        )

    def change_by_hand(self) -> None:
        """Somebody changes tags of ours in Shopify while nothing is under way."""
        wanted = self.wanted()
        for one, tags in self.shopify.tags.items():
            if self.random.random() < 0.5 or len(tags) > 200:
                continue
            key = self.random.choice(["vip", "gold"])
            pair = (one, key)
            present = [tag for tag in tags if tag.lower() == key]
            if present:
                tags.remove(present[0])
                self.own.discard(pair)
                if pair in wanted:
                    self.taken[pair] = len(self.shopify.effects)
            elif pair not in wanted:
                tags.append(key.capitalize())
                self.own.add(pair)

    def check_drift(self) -> None:
        """Compare with Shopify at rest; what a rule repairs is nobody's own any more."""
        wanted = self.wanted(all_outcomes=True)
        with self.office.reading() as session:
            repairing = set(
                session.scalars(
                    select(TagRule.tag_key).where(
                        TagRule.shop_id == self.shop.id,
                        TagRule.is_on,
                        TagRule.drift == "repair",
                        TagRule.assignment_id.is_not(None),
                    )
                )
            )
            for one, tags in self.shopify.tags.items():
                present = {tag.lower() for tag in tags}
                for key, row in self.ledger(session, one).items():
                    is_foreign = row.told == "removed" and key in present & repairing
                    if is_foreign and (one, key) not in wanted:
                        self.own.discard((one, key))
        self.clock.instant += timedelta(seconds=1)
        everybody = [(one, list(tags)) for one, tags in self.shopify.tags.items()]
        drift.check_drift(
            self.office, self.shop.id, everybody, read_at=self.clock(), now=self.clock()
        )

    # How it is worked.

    def work(self, *, turns: int, faulty: bool = True) -> None:
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
                batch_size=self.random.choice([1, 2, 50]) if faulty else 50,
            )
            try:
                if worker.run() is None:
                    return
            except Died:
                assert faulty
            except ShopifyError:
                # Without faults only an operation that broke off earlier is still to be told of.
                assert faulty or self.shopify.operations

    def follow(self) -> None:
        following.follow_rules(self.office, self.shop, self.segments, self.clock())

    def die_sometimes(self, _name: str) -> None:
        if self.random.random() < 0.1:
            raise Died

    def settle(self) -> None:
        """Let everything end, without faults: what waits for a person or a day goes on."""
        with self.office.session() as session:
            for row in session.scalars(
                select(TagAssignment).where(
                    TagAssignment.shop_id == self.shop.id, TagAssignment.status == "paused"
                )
            ):
                acts.resume(session, row, author="ana", now=self.clock())
        # Also everybody's grace time, and that of customers whom the first time lets go.
        for _ in range(2):
            self.clock.instant += timedelta(days=2)
            self.follow()
            self.release()
            self.work(faulty=False, turns=200)
            with self.office.reading() as session:
                if not following.grace_is_over(
                    session, self.shop.id, self.clock() + timedelta(days=2)
                ):
                    break
        self.check()

    def release(self) -> None:
        """Let go of every brake that holds."""
        with self.office.session() as session:
            held = [
                rule
                for rule in rules.list_rules(session, self.shop, only_on=True)
                if rule.held_at is not None
            ]
            for rule in held:
                rules.release(rule)
        if held:
            self.follow()

    # What ought to be true.

    def check(self) -> None:
        """Every customer has exactly the tags that are their own or that live work gave."""
        wanted = self.wanted()
        for (one, key), count in list(self.taken.items()):
            if (one, key, True) in self.shopify.effects[count:]:
                # Given again by us since.
                del self.taken[one, key]
        self.own -= {(one, key) for one, key in self.in_doubt if not self.shopify.has(one, key)}
        for one, tags in self.shopify.tags.items():
            present = {tag.lower() for tag in tags}
            own = {key for who, key in self.own if who == one}
            given = {key for who, key in wanted if who == one}
            taken = {key for who, key in self.taken if who == one} - own

            assert present | taken == own | given | taken, (self.seed, one)
            assert not present & taken, (self.seed, one)
        with self.office.reading() as session:
            self.check_assignments(session)
            self.check_rules(session)

    def check_assignments(self, session) -> None:
        """Nothing is left open, and who says assigned reached the whole audience."""
        ended = {
            "assigned",
            "partly_failed",
            "failed",
            "removed",
            "cancelled",
            "in_sync",
            "stopped",
        }
        for row in session.scalars(
            select(TagAssignment).where(TagAssignment.shop_id == self.shop.id)
        ):
            assert row.status in ended, (self.seed, row.id, row.status)
            outcomes = self.outcomes(session, row.id)
            if row.rule_id is not None and row.status in {"in_sync", "stopped"}:
                counted = rules.count_wanted(session, row)
                assert row.targeted_count == counted, (self.seed, row.id, row.targeted_count)
            if row.status == "assigned":
                done = {"given", "held", "had_before", "gone", "taken_away"}

                assert outcomes <= done, (self.seed, row.id, outcomes)
        for removal in session.scalars(
            select(TagRemoval).where(TagRemoval.shop_id == self.shop.id)
        ):
            assert removal.status in {"removed", "undone"}, (self.seed, removal.status)

    def check_rules(self, session) -> None:
        """A rule wants its tag for exactly its segment, less higher tiers and who is left out."""
        taken: set[str] = set()
        found = rules.list_rules(session, self.shop, only_on=True)
        for rule in sorted(found, key=lambda one: (one.position, one.id)):
            members = set(self.segments.belonging.get(rule.segment_id, ()))
            if rule.tier_group is not None:
                members, taken = members - taken, taken | members
            given, _out = holdout.split(members, rule.segment_id, rule.holdout_share)
            rows = session.scalars(
                select(TagAudience.customer_id).where(
                    TagAudience.assignment_id == rule.assignment_id, TagAudience.wanted
                )
            )

            assert set(rows) == given, (self.seed, rule.id)
            outcomes = self.outcomes(session, rule.assignment_id)
            assert not outcomes & {"waiting", "told", "leaving", "taking"}, (self.seed, rule.id)

    # What is there.

    def wanted(self, *, all_outcomes: bool = False) -> set[tuple[str, str]]:
        """Return the tags that live work gave, or also those it only wants."""
        query = select(TagAudience.customer_id, TagAudience.tag_key).where(
            TagAudience.shop_id == self.shop.id, TagAudience.wanted
        )
        if not all_outcomes:
            query = query.where(TagAudience.outcome.in_(("given", "held", "told")))
        with self.office.reading() as session:
            return {(one, key) for one, key in session.execute(query)}

    def outcomes(self, session, assignment_id: int) -> set[str]:
        return set(
            session.scalars(
                select(TagAudience.outcome).where(TagAudience.assignment_id == assignment_id)
            )
        )

    def ledger(self, session, customer_id: str) -> dict[str, TagLedger]:
        rows = session.scalars(
            select(TagLedger).where(
                TagLedger.shop_id == self.shop.id, TagLedger.customer_id == customer_id
            )
        )
        return {row.tag_key: row for row in rows}

    def is_kept(self, session, segment_id: int, tag: str) -> bool:
        return any(
            rule.tag_key == tag.lower()
            for rule in rules.list_rules(session, self.shop, segment_id=segment_id, only_on=True)
        )

    def some_assignment(self, session) -> TagAssignment | None:
        rows = session.scalars(
            select(TagAssignment)
            .where(TagAssignment.shop_id == self.shop.id)
            .order_by(TagAssignment.id)
        ).all()
        return self.random.choice(rows) if rows else None

    def some_rule(self, session) -> TagRule | None:
        return session.get_one(TagRule, self.random.choice(self.rules)) if self.rules else None
