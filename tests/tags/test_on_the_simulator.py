"""Tag work through the real client against the pretend Shopify: calls, bulk files, faults."""

from __future__ import annotations

import random

import pytest
from sqlalchemy import event

from regulars.errors import ShopifyError, TokenRejected
from regulars.office import Office, create_shop
from regulars.office.models import load_all
from regulars.office.models.segments import Segment
from regulars.office.models.tags import TagAssignment
from regulars.tags import Worker, acts, history
from regulars.tags.lease import LEASE
from regulars.tags.shopify_side import ShopifyTags
from tests.contract.shop import CAST, open_place

SEEDS = range(6)
FAULTS = (
    "throttled",
    "unavailable",
    "lost_response",
    "garbage_body",
    "half_applied",
    "bulk_failed",
)


class Died(BaseException):
    """The process is gone; its lease stays taken until it runs out."""


class Desk:
    """An office and a worker beside a pretend Shopify with four customers."""

    def __init__(self, folder, **options) -> None:
        self.place = open_place(**options)
        self.office = Office(f"sqlite:///{folder}/office.db")
        event.listen(
            self.office.engine, "connect", lambda c, _: c.execute("PRAGMA synchronous=OFF")
        )
        load_all().metadata.create_all(self.office.engine)
        self.ids = {name: str(one.id) for name, one in self.place.people.items()}
        with self.office.session() as session:
            self.shop = create_shop(
                session, name="basic", now=self.now, domain=self.place.shop.domain
            )

    @property
    def now(self):
        return self.place.time()

    def assign(self, tag: str, *names: str) -> int:
        segment = Segment(id=1, shop_id=self.shop.id, name="VIP")
        members = [self.ids[name] for name in names]
        with self.office.session() as session:
            return acts.assign(
                session, self.shop, segment, tag, members, author="ana", now=self.now
            ).id

    def remove(self, assignment_id: int) -> None:
        with self.office.session() as session:
            row = session.get_one(TagAssignment, assignment_id)
            acts.remove(session, row, author="ana", now=self.now)

    def work(
        self, *, bulk: bool = False, checkpoint=lambda _name: None, batch_size: int = 100
    ) -> None:
        port = ShopifyTags(self.place.client, calls_at_once=1)
        while True:
            worker = Worker(
                self.office,
                self.shop.id,
                port,
                self.place.time,
                checkpoint=checkpoint,
                batch_size=batch_size,
                bulk_customers_min=0 if bulk else 1000,
            )
            pause = worker.run()
            if pause is None:
                return
            self.place.time.sleep(pause.total_seconds())

    def entry(self, assignment_id: int) -> history.Entry:
        with self.office.reading() as session:
            return history.entry_of(session, session.get_one(TagAssignment, assignment_id))

    def tags(self) -> dict[str, set[str]]:
        return {name: set(one.tags) for name, one in self.place.people.items()}


@pytest.fixture
def desk(tmp_path):
    desk = Desk(tmp_path)
    yield desk
    desk.office.close()


@pytest.mark.parametrize("bulk", [False, True], ids=["single calls", "bulk mutation"])
def test_assigning_and_removing_leaves_everything_as_it_was(desk, bulk):
    desk.place.shop.add_tags(desk.place.people["bo"], ["Vip", "old"])
    before = desk.tags()

    given = desk.assign("VIP", "ana", "bo", "cleo")
    desk.work(bulk=bulk)
    during = desk.tags()
    desk.remove(given)
    desk.work(bulk=bulk)

    assert {name for name, tags in during.items() if {"vip", "Vip"} & tags} == {
        "ana", "bo", "cleo"
    }  # fmt: skip
    assert desk.tags() == before
    assert desk.entry(given).counts == {"removed": 2, "kept_before": 1}


@pytest.mark.parametrize("bulk", [False, True], ids=["single calls", "bulk mutation"])
def test_what_another_assignment_holds_is_kept_until_that_one_goes_too(desk, bulk):
    first = desk.assign("vip", "ana", "bo")
    second = desk.assign("VIP", "bo", "cleo")
    desk.work(bulk=bulk)

    with desk.office.reading() as session:
        plan = history.plan_removal(session, session.get_one(TagAssignment, first))
    desk.remove(first)
    desk.work(bulk=bulk)
    between = desk.tags()
    desk.remove(second)
    desk.work(bulk=bulk)

    assert (plan.removed, plan.kept_wanted) == (1, 1)
    assert [name for name in CAST if between[name]] == ["bo", "cleo"]
    assert not any(desk.tags().values())


def test_a_customer_who_is_gone_and_one_at_the_limit_are_told_apart(desk):
    desk.place.shop.add_tags(desk.place.people["bo"], [f"t{n}" for n in range(250)])
    desk.place.shop.delete_customer(desk.place.people["cleo"])

    given = desk.assign("VIP", "ana", "bo", "cleo")
    desk.work()

    entry = desk.entry(given)
    assert entry.assignment.status == "partly_failed"
    assert entry.counts == {"given": 1, "failed": 1, "gone": 1}
    with desk.office.reading() as session:
        ((customer_id, reason),) = history.problem_rows(session, entry)
    assert customer_id == desk.ids["bo"]
    assert "250 tags" in reason


def test_a_retry_reaches_those_who_failed(desk):
    bo = desk.place.people["bo"]
    desk.place.shop.add_tags(bo, [f"t{n}" for n in range(250)])
    given = desk.assign("VIP", "ana", "bo")
    desk.work()
    desk.place.shop.remove_tags(bo, ["t0"])

    with desk.office.session() as session:
        count = acts.retry(
            session, session.get_one(TagAssignment, given), author="ana", now=desk.now
        )
    desk.work()

    assert count == 1
    assert desk.entry(given).assignment.status == "assigned"
    assert "VIP" in bo.tags


def test_a_lost_token_is_told_with_the_assignment_and_work_goes_on_after(desk):
    given = desk.assign("VIP", "ana")
    good = desk.place.client._tokens
    desk.place.simulator.faults.switch_on("expired_token")
    with pytest.raises(TokenRejected):
        desk.work()

    assert "token" in str(desk.entry(given).problem)

    desk.place.simulator.faults.switch_off()
    desk.place.client._tokens = good
    desk.work()

    assert desk.entry(given).assignment.status == "assigned"
    assert desk.entry(given).problem is None


@pytest.mark.parametrize("seed", SEEDS)
def test_faults_and_deaths_on_the_way_change_nothing_in_the_end(tmp_path, seed):
    chance = random.Random(seed)
    desk = Desk(tmp_path)
    desk.place.simulator.faults.random.seed(seed)
    for one in desk.place.people.values():
        if chance.random() < 0.4:
            desk.place.shop.add_tags(one, ["Vip"])
    before = desk.tags()

    given = desk.assign("VIP", *chance.sample(CAST, 3))
    audience = [name for name in CAST if desk.ids[name] in _audience(desk, given)]
    work_among_faults(desk, chance)
    during = desk.tags()
    desk.remove(given)
    work_among_faults(desk, chance)

    for name in CAST:
        has = "vip" in {tag.lower() for tag in during[name]}
        assert has == (name in audience or bool(before[name])), (seed, name)
    assert desk.tags() == before
    desk.office.close()


def _audience(desk: Desk, assignment_id: int) -> set[str]:
    with desk.office.reading() as session:
        row = session.get_one(TagAssignment, assignment_id)
        return {one for one, *_rest in history.outcome_rows(session, row)}


def work_among_faults(desk: Desk, chance: random.Random) -> None:
    def die_sometimes(_name: str) -> None:
        if chance.random() < 0.15:
            raise Died

    for fault in FAULTS:
        if chance.random() < 0.7:
            desk.place.simulator.faults.switch_on(fault, rate=0.15)
    for _ in range(6):
        try:
            desk.work(bulk=chance.random() < 0.5, checkpoint=die_sometimes)
        except (Died, ShopifyError):
            desk.place.time.sleep(LEASE.total_seconds() + 1)
    desk.place.simulator.faults.switch_off()
    for _ in range(4):
        try:
            desk.work()
        except ShopifyError:
            # An operation that had failed is told of once, and then started again.
            desk.place.time.sleep(LEASE.total_seconds() + 1)
