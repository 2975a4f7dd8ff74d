"""A shop with rules: real segments and jobs, and a pretend Shopify of tags behind them."""

from __future__ import annotations

from regulars.office import Shop
from regulars.office.models.segments import Segment
from regulars.office.models.tags import TagAssignment, TagRule
from regulars.tags import following, rules
from regulars.tags.rules import RuleOptions
from regulars.tags.segment_side import SegmentMembers
from regulars.tags.work import Worker
from tests.jobs.at_work import AtWork
from tests.tags.pretend_tags import PretendTags

#: The brake is tried in its own tests.
FREE = {"brake_share": None}


class RulesAtWork:
    """Short words for what people and customers do."""

    def __init__(self, at_work: AtWork) -> None:
        self.at_work = at_work
        self.shopify = PretendTags(at_work.clock)
        with at_work.runtime.office.session() as session:
            row = session.get_one(Shop, at_work.shop.id)
            row.domain = at_work.shop.domain = "basic.myshopify.com"

    @property
    def office(self):
        return self.at_work.runtime.office

    def customers(self, *names: str, **tags: list[str]) -> None:
        for name in names:
            self.shopify.tags[name] = tags.get(name, [])
        self.at_work.told(*(self.at_work.customer(name) for name in names))

    def order(self, number: int, customer: str, amount: int = 100, **values) -> None:
        self.at_work.told(self.at_work.order(number, customer, amount, **values))

    def rule(self, segment_id: int, tag: str, **options) -> int:
        with self.office.session() as session:
            made = rules.create_rule(
                session,
                self.at_work.shop,
                session.get_one(Segment, segment_id),
                tag,
                RuleOptions(**{**FREE, **options}),
                author="ana",
                now=self.at_work.clock(),
            )
        return made.id

    def change(self, rule_id: int, *, tag: str | None = None, **options) -> None:
        with self.office.session() as session:
            rule = session.get_one(TagRule, rule_id)
            rules.change_rule(
                session,
                self.at_work.shop,
                rule,
                tag=tag,
                options=RuleOptions(**{**FREE, **options}),
            )

    def off(self, rule_id: int, *, take: bool) -> None:
        with self.office.session() as session:
            rule = session.get_one(TagRule, rule_id)
            rules.switch_off(session, rule, take=take, author="ana", now=self.at_work.clock())

    def on(self, rule_id: int) -> None:
        with self.office.session() as session:
            rule = session.get_one(TagRule, rule_id)
            rules.switch_on(
                session, self.at_work.shop, rule, author="ana", now=self.at_work.clock()
            )

    def follow(self) -> bool:
        runtime, shop = self.at_work.runtime, self.at_work.shop
        return following.follow_rules(
            runtime.office,
            shop,
            SegmentMembers(runtime.warehouse(shop), runtime.memberships(shop)),
            runtime.clock(),
        )

    def work(self) -> None:
        """Follow, then tell Shopify until nothing is left."""
        self.follow()
        while True:
            worker = Worker(self.office, self.at_work.shop.id, self.shopify, self.at_work.clock)
            pause = worker.run()
            if pause is None:
                return
            self.at_work.clock.instant += pause

    def row(self, rule_id: int) -> TagRule:
        with self.office.reading() as session:
            return session.get_one(TagRule, rule_id)

    def assignment(self, rule_id: int) -> TagAssignment:
        with self.office.reading() as session:
            rule = session.get_one(TagRule, rule_id)
            return session.get_one(TagAssignment, rule.assignment_id)

    def having(self, tag: str) -> set[str]:
        return {
            one
            for one, present in self.shopify.tags.items()
            if tag.lower() in {other.lower() for other in present}
        }
