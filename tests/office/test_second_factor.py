"""Codes of an app and recovery codes: those of the standard, each once, in their time."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta

import pytest

from regulars.clock import SettableClock
from regulars.errors import InputError, PermissionDenied
from regulars.office import Office, audit, second_factor, signing_in
from regulars.office.models.staff import Staff
from regulars.sealing import Sealer

#: RFC 6238, appendix B, SHA-1: the secret, and the last six digits at these seconds.
SECRET = base64.b32encode(b"12345678901234567890").decode()
CODES = {
    59: "287082",
    1111111109: "081804",
    1111111111: "050471",
    1234567890: "005924",
    2000000000: "279037",
    20000000000: "353130",
}
NOW = datetime.fromtimestamp(1234567890, UTC)


class Rig:
    """An office with one person, and the second step of that person's sign-in."""

    def __init__(self, office: Office, clock: SettableClock) -> None:
        self.office, self.clock = office, clock
        self.sealer = Sealer(bytes(32))
        with office.session("ana") as session:
            staff = Staff(login="ana", name="Ana", role="owner", created_at=NOW)
            session.add(staff)
            session.flush()
            self.staff_id = staff.id

    def turn_on(self, code: str = CODES[1234567890]) -> list[str]:
        with self.office.session("ana") as session:
            staff = session.get_one(Staff, self.staff_id)
            return second_factor.turn_on(
                session, self.sealer, staff, secret=SECRET, code=code, now=self.clock()
            )

    def begin(self) -> str:
        with self.office.session() as session:
            staff = session.get_one(Staff, self.staff_id)
            return second_factor.begin(session, staff, self.clock())

    def opens(self, code: str, step: str | None = None, sealer: Sealer | None = None) -> bool:
        """Whether a code ends the second step; each is counted."""
        step = step or self.begin()
        try:
            with self.office.session() as session:
                second_factor.take_try(session, step, self.clock())
            with self.office.session() as session:
                second_factor.finish(
                    session, sealer or self.sealer, step, code=code, now=self.clock()
                )
        except InputError:
            return False
        return True

    def code_in(self, seconds: int) -> str:
        """Return the app's code of that many seconds from now."""
        at = int(self.clock().timestamp()) + seconds
        return second_factor._totp(SECRET).generate(at).decode()

    def acts(self) -> list[str]:
        with self.office.reading() as session:
            return [row.act for row in reversed(audit.list_entries(session, limit=100))]


@pytest.fixture
def rig(tmp_path):
    clock = SettableClock(NOW)
    opened = Office(f"sqlite:///{tmp_path / 'office.db'}", clock)
    opened.migrate()
    yield Rig(opened, clock)
    opened.close()


@pytest.mark.parametrize("seconds", CODES)
def test_codes_are_those_of_the_standard(rig, seconds):
    rig.clock.instant = datetime.fromtimestamp(seconds, UTC)
    rig.turn_on(CODES[seconds])


def test_another_code_turns_nothing_on(rig):
    with pytest.raises(InputError):
        rig.turn_on("005925")

    assert "second_step_on" not in rig.acts()


@pytest.mark.parametrize(
    ("seconds", "is_taken"), [(30, True), (60, True), (90, False), (-60, False)]
)
def test_codes_of_one_half_minute_before_and_after_are_taken(rig, seconds, is_taken):
    rig.turn_on()
    rig.clock.instant += timedelta(seconds=30)

    assert rig.opens(rig.code_in(seconds - 30)) is is_taken


def as_typed(code: str, how: str) -> str:
    wide = "".join(chr(ord(digit) - ord("0") + ord("０")) for digit in code)
    return {"spaces": f" {code[:3]} {code[3:]}\n", "wide": wide}[how]


@pytest.mark.parametrize("how", ["spaces", "wide"])
def test_a_code_is_read_however_it_is_typed(rig, how):
    rig.turn_on()
    rig.clock.instant += timedelta(minutes=1)

    assert rig.opens(as_typed(rig.code_in(0), how))


def test_no_code_opens_twice_nor_one_from_before(rig):
    rig.turn_on()
    assert not rig.opens(CODES[1234567890])
    rig.clock.instant += timedelta(minutes=1)
    before, code = rig.code_in(-30), rig.code_in(0)

    assert rig.opens(code)
    assert not rig.opens(code)
    assert not rig.opens(before)


def test_a_recovery_code_opens_once_and_only_for_its_owner(rig):
    first, second, *_ = rig.turn_on()
    assert rig.opens(first.upper())
    assert not rig.opens(first)
    other = Rig.__new__(Rig)
    other.__dict__.update(rig.__dict__)
    with rig.office.session() as session:
        staff = Staff(login="bo", name="Bo", role="member", created_at=NOW)
        session.add(staff)
        session.flush()
        other.staff_id = staff.id
    rig.clock.instant += timedelta(minutes=1)
    other.turn_on(rig.code_in(0))

    assert not other.opens(second)
    assert rig.opens(second)
    assert rig.acts().count("recovery_code_used") == 2


def test_new_recovery_codes_end_the_old_ones(rig):
    old = rig.turn_on()[0]
    with rig.office.session("ana") as session:
        staff = session.get_one(Staff, rig.staff_id)
        new = second_factor.make_recovery_codes(session, staff)

    assert len(set(new)) == second_factor.RECOVERY_CODES
    assert not rig.opens(old)
    assert rig.opens(new[0])
    with rig.office.reading() as session:
        staff = session.get_one(Staff, rig.staff_id)
        assert second_factor.recovery_codes_left(session, staff) == len(new) - 1


def test_after_five_wrong_codes_the_password_is_asked_for_again(rig):
    codes = rig.turn_on()
    step = rig.begin()
    for _ in range(second_factor.TRIES_MAX):
        assert not rig.opens("000000", step)

    assert not rig.opens(codes[0], step)
    assert rig.opens(codes[0])


def test_a_second_step_waits_five_minutes(rig):
    codes = rig.turn_on()
    step = rig.begin()
    rig.clock.instant += timedelta(minutes=5)

    assert not rig.opens(codes[0], step)


def test_who_was_shut_out_meanwhile_stays_out(rig):
    codes = rig.turn_on()
    step = rig.begin()
    with rig.office.session("bo") as session:
        session.get_one(Staff, rig.staff_id).disabled_at = NOW

    assert not rig.opens(codes[0], step)


def test_turned_off_nothing_of_it_is_left(rig):
    codes = rig.turn_on()
    step = rig.begin()
    with rig.office.session("ana") as session:
        second_factor.turn_off(session, session.get_one(Staff, rig.staff_id))

    assert not rig.opens(codes[0], step)
    assert rig.acts()[-2:] == ["second_step_on", "second_step_off"]


def test_a_clock_that_is_set_back_keeps_nobody_out(rig):
    rig.turn_on()
    rig.clock.instant += timedelta(days=400)
    assert rig.opens(rig.code_in(0))
    step = rig.begin()
    rig.clock.instant = NOW + timedelta(hours=1)
    with rig.office.session() as session:
        signing_in.follow_clock(session, rig.clock())
    rig.clock.instant += timedelta(minutes=1)

    with rig.office.session() as session, pytest.raises(PermissionDenied):
        second_factor.take_try(session, step, rig.clock())
    assert rig.opens(rig.code_in(0))


def test_without_the_key_the_app_is_unknown_and_recovery_codes_still_open(rig):
    codes = rig.turn_on()
    rig.clock.instant += timedelta(minutes=1)
    other = Sealer(bytes([1]) * 32)

    assert not rig.opens(rig.code_in(0), sealer=other)
    assert rig.opens(codes[0], sealer=other)
    with rig.office.session() as session:
        assert second_factor.seal_anew(session, other) == 0


def test_the_secret_lies_sealed_and_is_sealed_anew_without_a_word(rig, tmp_path):
    rig.turn_on()
    with rig.office.reading() as session:
        sealed = session.get_one(Staff, rig.staff_id).factor_secret
    assert SECRET.encode() not in sealed
    rig.sealer.take_over(Sealer(bytes([1]) * 32))
    with rig.office.session("ana") as session:
        assert second_factor.seal_anew(session, rig.sealer) == 1
        assert second_factor.seal_anew(session, rig.sealer) == 0
    rig.clock.instant += timedelta(minutes=1)

    assert rig.opens(rig.code_in(0), sealer=Sealer(bytes([1]) * 32))
    assert rig.acts().count("second_step_on") == 1
