"""Whatever a shop lives through, memberships, log and past are right after every single step.

People buy, change, are merged and leave; rules and lists are made, edited, renamed, thrown away and
brought back; days pass, the clock is set back, the shop moves to another time zone, and the app is
restarted. After each step the members are compared with a naive evaluator's and with an evaluation
from nothing, the log is replayed, every new entry's cause is asked for, a day may have begun only
once, and the past has to be as it was.
"""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Callable, Iterable
from copy import deepcopy
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import get_args
from zoneinfo import ZoneInfo

import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import select

from regulars import segments
from regulars.bootstrap import open_runtime
from regulars.clock import SettableClock
from regulars.errors import ConflictError, InputError, QueryError
from regulars.jobs import Jobs
from regulars.office import Shop
from regulars.office.models.jobs import Job
from regulars.segments import Cause, proof, uploads
from regulars.warehouse.facts import ProductFact
from regulars.warehouse.membership import LoggedEntry
from tests.exploring import looking
from tests.jobs.at_work import AtWork, open_shop
from tests.segments.happenings import (
    PEOPLE,
    Happenings,
    cause_of,
    email_of,
    happening,
    order,
    person,
)
from tests.segments.shop_model import Rule, ShopModel, named
from tests.uploads.files import Uploading

NAMES = ("One", "Two", "Three", "Four")
GUESTS = "Guests"
LISTED = f"csv_list = '{GUESTS}'"
#: What every life begins with.
FIRST = {
    "One": "amount_spent >= 200",
    "Two": "orders_placed MATCHES (date >= -5d, count = 0)",
    "Three": f"segment = 'One' OR {LISTED}",
    "Four": "segment = 'Three' AND NOT segment = 'Two'",
}
PLAIN = (
    "amount_spent >= 200",
    "number_of_orders = 1",
    "last_order_date >= -3d",
    "first_order_date < -1d",
    "customer_tags CONTAINS 'vip'",
    "customer_account_status = 'DISABLED'",
    "orders_placed MATCHES (date >= -5d, count = 0)",
    "products_purchased MATCHES (tag = 'tea')",
    "days_since_last_order <= 2",
    "rfm_monetary_score >= 4",
    "rfm_frequency_score <= 2 AND rfm_recency_score >= 2",
    "computed_rfm_group = 'CHAMPIONS'",
    "NOT computed_rfm_group = 'PROSPECTS'",
    LISTED,
    f"{LISTED} AND number_of_orders >= 1",
)
MADE_OF = (
    "segment = '{0}' AND segment = '{1}'",
    "segment = '{0}' OR segment = '{1}'",
    "segment = '{0}' AND NOT segment = '{1}'",
    "NOT segment = '{0}'",
    "AT LEAST 2 OF (segment = '{0}', segment = '{1}', amount_spent < 150)",
)

#: On different days at most hours, so that today may be yesterday again.
ZONES = ("Asia/Tokyo", "America/Los_Angeles", "Pacific/Kiritimati")

name = st.sampled_from(NAMES)
query = st.one_of(
    st.sampled_from(PLAIN),
    st.builds(str.format, st.sampled_from(MADE_OF), name, name),
)
#: Why the log may say that a customer joined or left a segment in the step at hand.
Why = Callable[[int, str], Iterable[str]]


class Scene:
    """A shop with rules, a list and orders, copied for each life."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._copies = itertools.count()
        at_work = open_shop(folder / "scene")
        self._model = ShopModel(at_work.shop.zone)
        guests = ["ana0", "dee0"]
        made = Uploading(at_work).make(GUESTS, "email\n" + "\n".join(map(email_of, guests)))
        self._model.rules[made.id] = Rule(GUESTS, LISTED, [LISTED])
        self._model.upload(GUESTS, made.id, "replace", map(email_of, guests))
        for key, (one, text) in zip(at_work.all_segments(FIRST), FIRST.items(), strict=True):
            self._model.rules[key] = Rule(one, text, [text])
        told = [
            at_work.customer("ana0", email=email_of("ana0"), tags=("vip",)),
            *(at_work.order(number, f"{who}0") for number, who in enumerate(PEOPLE, start=1)),
        ]
        at_work.told(*told)
        for fact in told:
            self._model.take(fact)
        self._now = at_work.clock()
        at_work.runtime.close()

    def another(self) -> tuple[AtWork, ShopModel]:
        """Return a copy at work, and what the shop is like."""
        home = self._folder / f"life-{next(self._copies)}"
        shutil.copytree(self._folder / "scene", home)
        clock = SettableClock(self._now + timedelta(seconds=1))
        runtime = open_runtime(home, clock=clock)
        with runtime.office.reading() as session:
            shop = session.get_one(Shop, 1)
        return AtWork(runtime, Jobs(runtime), shop, clock), deepcopy(self._model)


class Life(RuleBasedStateMachine):
    """One shop's life, from a scene on."""

    def __init__(self, scene: Scene) -> None:
        super().__init__()
        self.at_work, self.model = scene.another()
        self.why: Why = lambda _segment, _who: get_args(segments.Cause)
        self.happenings = Happenings(self.at_work, self.model)
        self.last_key = -1
        self.replayed: dict[int, set[int]] = {}
        #: What was read at each instant: the members of each segment then.
        self.past: dict[datetime, dict[int, set[int]]] = {}
        #: The latest instant that our clock has shown.
        self.furthest = self._now
        #: The latest entry of each segment's log.
        self.last_at: dict[int, datetime] = {}
        #: The shop's day that has begun, and the last job that began one.
        self.day: date | None = None
        self.last_day_change = 0

    def teardown(self) -> None:
        self._look_at_the_past(self.past)
        self._travel(list(self.past)[::4])
        self.at_work.runtime.close()
        shutil.rmtree(self.at_work.runtime.settings.home_folder)

    # -- what happens ----------------------------------------------------------------------------

    @rule(events=st.lists(order, min_size=1, max_size=4))
    def orders_come(self, events: list[tuple[object, ...]]) -> None:
        self.news(events)

    @rule(events=st.lists(happening, min_size=1, max_size=6))
    def news_of_all_kinds(self, events: list[tuple[object, ...]]) -> None:
        self.news(events)

    @rule(events=st.lists(happening, min_size=1, max_size=6))
    def news(self, events: list[tuple[object, ...]]) -> None:
        told, causes = [], dict[str, set[str]]()
        waited = {name: self.model.on_list(name) for name in self.model.lists}
        for one in events:
            self.at_work.clock.instant += timedelta(seconds=1)
            fact = self.happenings.fact(*one)
            if fact is None:
                continue
            told.append(fact)
            for who in self.model.take(fact):
                causes.setdefault(who, set()).add(cause_of(fact))
        if not told:
            return
        came = {who for name in waited for who in self.model.on_list(name) - waited[name]}
        merged = {who for who, kinds in causes.items() if "merged" in kinds}
        about_products = any(isinstance(one, ProductFact) for one in told)

        def why(segment: int, who: str) -> set[str]:
            told = causes.get(who, set())
            # Somebody who was waited for came onto a list; whoever takes another's place did not.
            if who in came - merged and named(self.model.rules[segment].tree, "csv_list"):
                told = {"awaited"}
            return told | ({"product"} if about_products else set())

        self.why = why
        self.at_work.told(*told)

    @rule(hours=st.sampled_from([1, 13, 24, 60]))
    def time_passes(self, hours: int) -> None:
        step = timedelta(hours=hours)
        self.at_work.clock.instant += step
        self.at_work.ahead = max(self.at_work.ahead - step, timedelta())

    @rule(minutes=st.sampled_from([2, 90, 23 * 60, 24 * 60]))
    def the_clock_is_set_back(self, minutes: int) -> None:
        """By a time server, or because the machine was restored; Shopify's clock goes on."""
        self.at_work.set_back(timedelta(minutes=minutes))
        # These instants come again, and are not past any more.
        self.past = {at: who for at, who in self.past.items() if at < self._now}

    @rule(one=name, text=query)
    def make_or_edit(self, one: str, text: str) -> None:
        if one not in self.model.live():
            self._make(one, text)
            return
        key, known = self.model.live()[one]
        if self._refused(text, one, lambda: self.at_work.edit(key, text)):
            return
        if text != known.query:
            known.query = text
            known.texts.append(text)
            self._edited(key, one)

    @rule(one=name, back=st.integers(1, 4))
    def restore_version(self, one: str, back: int) -> None:
        if one not in self.model.live():
            return
        key, known = self.model.live()[one]
        number = max(len(known.texts) - back, 1)
        text = known.texts[number - 1]

        def act() -> None:
            with self.at_work.runtime.office.session() as session:
                row = segments.find_segment(session, self.at_work.shop, key)
                segments.restore_version(
                    session, self.at_work.shop, row, version=number, author="bo", now=self._now
                )
                self._refresh(session, key, "edited")

        if not self._refused(text, one, act) and text != known.query:
            known.query = text
            known.texts.append(text)
            self._edited(key, one)

    @rule(one=name, new=st.sampled_from([*NAMES, "Five"]))
    def rename(self, one: str, new: str) -> None:
        live = self.model.live()
        if one not in live or new in live:
            return
        key = live[one][0]
        with self.at_work.runtime.office.session() as session:
            row = segments.find_segment(session, self.at_work.shop, key)
            segments.rename_segment(session, self.at_work.shop, row, name=new, now=self._now)
        self.at_work.jobs.follow_definitions(self.at_work.shop)
        self.model.rename(key, new)

    @rule(one=st.sampled_from([*NAMES, GUESTS]))
    def throw_away(self, one: str) -> None:
        if one not in self.model.live():
            return
        key, known = self.model.live()[one]

        def act() -> None:
            with self.at_work.runtime.office.session() as session:
                row = segments.find_segment(session, self.at_work.shop, key)
                segments.delete_segment(session, self.at_work.shop, row, now=self._now)

        if self.model.users_of(one):
            with pytest.raises(ConflictError, match="is used by"):
                act()
            return
        act()
        self.at_work.jobs.follow_definitions(self.at_work.shop)
        known.is_in_trash = True

    @rule(place=st.integers(0, 5))
    def bring_back(self, place: int) -> None:
        thrown = [key for key, one in self.model.rules.items() if one.is_in_trash]
        if place >= len(thrown):
            return
        key = thrown[place]
        known = self.model.rules[key]
        taken = known.name in self.model.live()
        now_called = f"{known.name} (2)" if taken else known.name
        if now_called in self.model.live():
            return

        def act() -> None:
            with self.at_work.runtime.office.session() as session:
                segments.restore_segment(session, self.at_work.shop, key, now=self._now)
                self._refresh(session, key, "restored")

        if not self._refused(known.query, now_called, act):
            known.name, known.is_in_trash = now_called, False
            self.why = lambda segment, _who: {"restored"} if segment == key else ()

    @rule(mode=st.sampled_from(["replace", "add", "remove"]), whom=st.sets(person, min_size=1))
    def upload(self, mode: str, whom: set[str]) -> None:
        """The file also names those who are to come when these are gone."""
        emails = sorted(
            email_of(self.happenings.id_of(one, more)) for one in whom for more in (0, 1)
        )
        content = "email\n" + "\n".join(emails)
        live = self.model.live()
        if GUESTS in live:
            done = Uploading(self.at_work).change(GUESTS, content, mode)
        elif GUESTS not in self.model.lists:
            mode = "replace"
            made = Uploading(self.at_work).make(GUESTS, content)
            self.model.rules[made.id] = Rule(GUESTS, LISTED, [LISTED])
            done = self._last_upload(made)
        else:
            return
        self.model.upload(GUESTS, done.id, mode, emails)
        self._uploaded("upload" if GUESTS in live else "created")

    @precondition(lambda self: GUESTS in self.model.live())
    @rule()
    def undo(self) -> None:
        _key, known = self.model.live()[GUESTS]
        row = Uploading(self.at_work).segment(GUESTS)
        last = self._last_upload(row)
        try:
            Uploading(self.at_work).undo(GUESTS)
        except ConflictError:
            assert last.state == "undone" or last.id == last.list_id
            return
        assert known.query == LISTED
        self.model.undo(GUESTS, last.id)
        self._uploaded("upload")

    @rule(universe=st.sampled_from(["all", "buyers"]))
    def choose_universe(self, universe: str) -> None:
        self.why = lambda _segment, _who: {"universe"}
        if self.model.live():
            self.model.fifths = None
        with self.at_work.runtime.office.session() as session:
            shop = session.get_one(Shop, self.at_work.shop.id)
            shop.universe = self.at_work.shop.universe = self.model.universe = universe
            for row in segments.list_segments(session, shop):
                self._refresh(session, row.id, "universe")

    @rule(zone=st.sampled_from(ZONES))
    def move(self, zone: str) -> None:
        """The shop's owner sets another time zone at Shopify, and a comparison finds it."""
        self.model.zone = ZoneInfo(zone)
        self.day = None
        with self.at_work.runtime.office.session() as session:
            shop = session.get_one(Shop, self.at_work.shop.id)
            shop.time_zone = self.at_work.shop.time_zone = zone
            shop.day_changed_on = None

    @rule()
    def restart(self) -> None:
        self.at_work.runtime.forget(self.at_work.shop.id)

    # -- what has to be true ---------------------------------------------------------------------

    @invariant()
    def everything_is_right(self) -> None:
        self._a_day_begins()
        self._members_are_right()
        self._log_is_right()
        self.why = lambda _segment, _who: ()
        if self._now > self.furthest:
            self.furthest = self._now
            self.model.remember(self._now)
            self.past[self._now] = {key: set(who) for key, who in self.replayed.items()}
        self._look_at_the_past(list(self.past)[-3::2])
        self.at_work.clock.instant += timedelta(seconds=1)

    def _a_day_begins(self) -> None:
        """Work what is due: a day of the shop begins once, and again only from another day."""
        why, today = self.why, self._now.astimezone(self.model.zone).date()
        # A clock set back over midnight keeps to the day that has begun.
        begins = self.day not in {today, today + timedelta(days=1)}
        if begins:
            self.day = today
            self.why = lambda segment, who: {*why(segment, who), "day_change"}
        self.at_work.jobs.run_until_idle()
        with self.at_work.runtime.office.reading() as session:
            self.at_work.shop = session.get_one(Shop, self.at_work.shop.id)
            newer = select(Job.id).where(Job.kind == "day_change", Job.id > self.last_day_change)
            changes = session.scalars(newer).all()
        assert len(changes) == begins
        assert self.at_work.shop.day_changed_on == self.day
        self.last_day_change = max(changes, default=self.last_day_change)

    def _members_are_right(self) -> None:
        assert self.day is not None
        found = self.model.members(self.model.end_of_day(self.day))
        assert found == {key: self.at_work.members(key) for key in found}
        runtime, shop = self.at_work.runtime, self.at_work.shop
        told = proof.verify(
            runtime.office,
            runtime.warehouse(shop),
            runtime.memberships(shop),
            shop,
            now=self._now,
        )
        assert {one.segment_id for one in told} == set(found)
        assert [one for one in told if not one.is_right or one.problem] == []
        with runtime.office.reading() as session:
            rows = segments.list_segments(session, shop)
            told_counts = {row.id: (row.state, row.member_count) for row in rows}
        assert told_counts == {key: ("ready", len(who)) for key, who in found.items()}

    def _log_is_right(self) -> None:
        warehouse = self.at_work.runtime.warehouse(self.at_work.shop)
        for one in reversed(self._new_entries()):
            self._take_entry(one)
        for key, known in self.model.rules.items():
            if not known.is_in_trash:
                assert self.replayed.get(key, set()) == set(warehouse.current_members(key))

    def _take_entry(self, one: LoggedEntry) -> None:
        """Replay one entry: it changes something, is newer than the last, and has its cause."""
        members = self.replayed.setdefault(one.segment_id, set())
        assert (one.customer_no in members) != one.joined, one
        (members.add if one.joined else members.remove)(one.customer_no)
        assert one.at <= max(self._now, self.furthest)
        assert one.at > max(self.past, default=one.at - timedelta(seconds=1))
        assert one.at >= self.last_at.get(one.segment_id, one.at)
        self.last_at[one.segment_id] = one.at
        warehouse = self.at_work.runtime.warehouse(self.at_work.shop)
        who = warehouse.customer_ids([one.customer_no])[one.customer_no]
        assert one.cause in set(self.why(one.segment_id, who)), (one, who)
        self.last_key = one.key

    def _new_entries(self) -> list[LoggedEntry]:
        warehouse = self.at_work.runtime.warehouse(self.at_work.shop)
        entries = warehouse.log_entries(limit=10_000)
        return [one for one in entries if one.key > self.last_key]

    def _look_at_the_past(self, instants: Iterable[datetime]) -> None:
        """Who belonged at an instant is what was read then, whatever happened since."""
        warehouse = self.at_work.runtime.warehouse(self.at_work.shop)
        for instant in instants:
            for key, who in self.past[instant].items():
                assert set(warehouse.members_at(key, instant)) == who, (instant, key)

    def _travel(self, instants: Iterable[datetime]) -> None:
        """The rules of now, asked at an instant, find whom they would have found then."""
        runtime, shop = self.at_work.runtime, self.at_work.shop
        warehouse, memberships = runtime.warehouse(shop), runtime.memberships(shop)
        for instant in instants:
            context = memberships.context(shop, instant)
            found = {
                key: runtime.evaluator(shop).members(known.tree, context)
                for key, known in self.model.live().values()
            }
            told = {key: set(warehouse.customer_ids(who).values()) for key, who in found.items()}
            assert told == self.model.members(instant, is_past=True), instant

    # -- how it is done --------------------------------------------------------------------------

    @property
    def _now(self) -> datetime:
        return self.at_work.clock()

    def _make(self, one: str, text: str) -> None:
        made: list[int] = []
        if not self._refused(text, one, lambda: made.append(self.at_work.segment(one, text))):
            (key,) = made
            self.model.rules[key] = Rule(one, text, [text])
            self.why = lambda segment, _who: {"created"} if segment == key else ()

    def _edited(self, key: int, one: str) -> None:
        above = self.model.moved_by([one])
        self.why = lambda segment, _who: (
            {"edited"} if segment == key else {"part_changed"} if segment in above else ()
        )

    def _uploaded(self, cause: Cause) -> None:
        naming = {
            one: key
            for one, (key, known) in self.model.live().items()
            if GUESTS in named(known.tree, "csv_list")
        }
        above = self.model.moved_by(naming)
        self.why = lambda segment, _who: (
            {cause} if segment in naming.values() else {"part_changed"} if segment in above else ()
        )

    def _refused(self, text: str, one: str, act: Callable[[], object]) -> bool:
        """Do something with a rule; whether it was refused, as it has to be."""
        if not self.model.is_refused(text, one):
            act()
            return False
        with pytest.raises(InputError) as wrong:
            act()
        assert isinstance(wrong.value, QueryError)
        return True

    def _refresh(self, session, key: int, cause: str) -> None:
        self.at_work.jobs.refresh_segment_later(session, self.at_work.shop, key, cause)

    def _last_upload(self, row):
        with self.at_work.runtime.office.reading() as session:
            listed = uploads.list_of(session, self.at_work.shop, row)
            return uploads.uploads_of(session, self.at_work.shop, listed.id)[0]


@pytest.mark.slow
def test_memberships_are_right_after_every_step_of_a_shops_life(tmp_path):
    scene = Scene(tmp_path)

    run_state_machine_as_test(
        lambda: Life(scene),
        # Fourteen steps can be read as they are; shrinking them takes longer than all the rest.
        settings=settings(looking(4), stateful_step_count=14, phases=[Phase.generate]),
    )
