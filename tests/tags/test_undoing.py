"""A removal taken back, and the log of an assignment, through calls and through bulk mutations."""

from __future__ import annotations

import pytest

from regulars.errors import ConflictError, ScopeMissing
from regulars.office.models.tags import TagAssignment
from regulars.simulator.simulator import DEMO_TOKEN
from regulars.simulator.tokens import ALL_SCOPES
from regulars.tags import acts, history, log
from tests.contract.shop import CAST
from tests.tags.test_on_the_simulator import Desk

BOTH = pytest.mark.parametrize("bulk", [False, True], ids=["single calls", "bulk mutation"])


@pytest.fixture
def desk(tmp_path):
    desk = Desk(tmp_path)
    yield desk
    desk.office.close()


def order(desk: Desk, act, assignment_id: int) -> None:
    with desk.office.session() as session:
        row = session.get_one(TagAssignment, assignment_id)
        act(session, row, author="bo", now=desk.now)


def kinds(desk: Desk, assignment_id: int) -> list[str]:
    """Return what happened, oldest first."""
    with desk.office.reading() as session:
        return [event.kind for event in log.events(session, assignment_id)][::-1]


@BOTH
def test_an_undone_removal_gives_the_tag_to_those_who_lost_it_and_can_be_ordered_again(desk, bulk):
    desk.place.shop.add_tags(desk.place.people["bo"], ["Vip"])
    before = desk.tags()
    given = desk.assign("VIP", "ana", "bo", "cleo")
    desk.work(bulk=bulk)
    tagged = desk.tags()
    desk.remove(given)
    desk.work(bulk=bulk)

    order(desk, acts.undo_removal, given)
    desk.work(bulk=bulk)

    assert desk.tags() == tagged
    assert desk.entry(given).assignment.status == "assigned"
    desk.remove(given)
    desk.work(bulk=bulk)
    assert desk.tags() == before


def test_a_removal_undone_before_it_began_takes_the_tag_from_nobody(desk):
    given = desk.assign("VIP", "ana", "bo")
    desk.work()
    tagged = desk.tags()
    desk.remove(given)

    order(desk, acts.undo_removal, given)
    desk.work()

    assert desk.tags() == tagged
    assert desk.entry(given).removal is None


def test_a_removal_rests_and_goes_on(desk):
    given = desk.assign("VIP", "ana")
    desk.work()
    desk.remove(given)
    order(desk, acts.pause, given)
    desk.work()
    assert "VIP" in desk.tags()["ana"]
    assert desk.entry(given).orders == {"resume", "undo_removal"}

    order(desk, acts.resume, given)
    desk.work()

    assert desk.entry(given).assignment.status == "removed"
    assert not desk.tags()["ana"]


def test_the_time_left_counts_no_time_in_which_the_work_rested(desk):
    given = desk.assign("VIP", *CAST)

    def rest(name: str) -> None:
        if name == "outcome stored":
            desk.place.time.sleep(10)
            order(desk, acts.pause, given)

    desk.work(checkpoint=rest, batch_size=1)
    desk.place.time.sleep(86_400)
    order(desk, acts.resume, given)

    with desk.office.reading() as session:
        entry = history.entry_of(session, session.get_one(TagAssignment, given))
        pace = history.pace_of(session, entry, desk.now)
    assert pace.customers_per_second == pytest.approx(0.1, rel=0.05)
    assert pace.seconds_left == pytest.approx(30, rel=0.05)


def test_what_is_not_being_removed_cannot_be_undone(desk):
    given = desk.assign("VIP", "ana")

    with pytest.raises(ConflictError) as refused:
        order(desk, acts.undo_removal, given)

    assert refused.value.code == "no_removal"


def test_the_log_tells_orders_halts_and_ends(desk):
    given = desk.assign("VIP", "ana")
    desk.place.simulator.faults.switch_on("expired_token")
    tokens = desk.place.client._tokens
    with pytest.raises(Exception, match="token"):
        desk.work()
    desk.place.simulator.faults.switch_off()
    desk.place.client._tokens = tokens
    desk.work()
    desk.remove(given)
    desk.work(bulk=True)

    assert kinds(desk, given) == [
        "assigned", "started", "stood_still", "went_on", "finished",
        "removal_ordered", "removal_started", "bulk_started", "bulk_over", "removed",
    ]  # fmt: skip


def test_a_missing_scope_is_named_with_the_assignment(desk):
    given = desk.assign("VIP", "ana")
    tokens = desk.place.simulator.tokens
    tokens.grant(DEMO_TOKEN, ALL_SCOPES - {"write_customers"})
    with pytest.raises(ScopeMissing):
        desk.work()

    assert "write_customers" in str(desk.entry(given).problem)
    assert desk.entry(given).assignment.status == "assigning"

    tokens.grant(DEMO_TOKEN, ALL_SCOPES)
    desk.work()
    assert desk.entry(given).assignment.status == "assigned"


@pytest.mark.parametrize("act", [acts.cancel, acts.remove])
def test_an_undone_removal_that_is_stopped_at_once_leaves_nobody_with_a_tag_unknown(desk, act):
    given = desk.assign("VIP", "ana")
    desk.work()
    desk.remove(given)
    order(desk, acts.undo_removal, given)

    order(desk, act, given)
    desk.work()
    if act is acts.cancel:
        assert "VIP" in desk.tags()["ana"]
        desk.remove(given)
        desk.work()

    assert not desk.tags()["ana"]


@pytest.fixture
def left(desk):
    """Return work that waits, for whose sake a removal has left ana's tag in place."""
    first = desk.assign("VIP", "ana")
    desk.work()
    second = desk.assign("vip", "ana")
    order(desk, acts.pause, second)
    desk.remove(first)
    desk.work()
    return second


def test_a_tag_that_was_left_for_waiting_work_goes_with_that_work(desk, left):
    assert desk.tags()["ana"] == {"VIP"}

    desk.remove(left)
    desk.work()

    assert desk.tags()["ana"] == set()


def test_cancelled_work_keeps_a_tag_that_was_left_for_it_until_it_is_removed(desk, left):
    order(desk, acts.cancel, left)
    desk.work()
    assert desk.tags()["ana"] == {"VIP"}

    desk.remove(left)
    desk.work()

    assert desk.tags()["ana"] == set()
