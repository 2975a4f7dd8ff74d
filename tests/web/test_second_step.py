"""Two-step sign-in on the pages: set up, signing in, what is refused, and the ways out."""

from __future__ import annotations

from datetime import timedelta

import pytest

from regulars.office import second_factor
from regulars.office.models.staff import Staff
from regulars.web import sessions
from tests.web.visitor import Page, Visitor
from tests.web.world import World

PASSWORD = "tea leaves in the rain"
PAGE = "/settings/second-step"


def key_of(page: Page) -> str:
    """Return the key that stands below the picture, as a person types it into an app."""
    shown = next(one.text for one in page.root.all("code") if one.get("class") == "secret")
    return shown.replace(" ", "")


def codes_of(page: Page) -> list[str]:
    shown = next(one for one in page.root.all("code") if one.get("class") == "secret")
    return [part for part in shown.parts if isinstance(part, str)]


class Owner:
    """The owner with a password, an app and a browser of their own."""

    def __init__(self, world: World) -> None:
        self.world = world
        with world.runtime.office.session() as session:
            owner = sessions.ensure_owner(session, world.now)
            second_factor.turn_off(session, owner)
            sessions.set_password(owner, PASSWORD)
        self.visitor = Visitor(world.app)
        self.visitor.sign_in(world.sign_in_token())
        self.key = ""

    def code(self) -> str:
        """Return the app's code; half a minute and more after the one before."""
        self.world.runtime.clock.instant += timedelta(minutes=1)
        at = int(self.world.now.timestamp())
        return second_factor._totp(self.key).generate(at).decode()

    def turn_on(self) -> list[str]:
        page = self.visitor.get(PAGE)
        self.key = key_of(page)
        typed = {"Code": self.code(), "Current_password": PASSWORD}
        return codes_of(self.visitor.press(page, "Turn on", **typed))

    def first_step(self, visitor: Visitor, password: str = PASSWORD) -> Page:
        page = visitor.get("/sign-in?next=/segments")
        return visitor.press(page, "Sign in", Name_or="owner", Password=password)


@pytest.fixture
def owner(world: World) -> Owner:
    return Owner(world)


def test_after_the_password_a_code_is_asked_for_and_leads_where_one_wanted(world, owner):
    owner.turn_on()
    stranger = Visitor(world.app)
    asked = owner.first_step(stranger)
    assert asked.heading == "Second step"
    assert stranger.get("/").heading == "Sign in"

    after = stranger.press(asked, "Sign in", Code=owner.code())
    assert after.url.endswith("/segments")
    assert stranger.get("/").heading == "Home"


def test_a_wrong_password_is_refused_before_any_code_is_asked_for(world, owner):
    owner.turn_on()

    assert owner.first_step(Visitor(world.app), "no").heading == "Sign in"


def test_a_wrong_code_is_said_beside_the_field_and_the_next_one_opens(world, owner):
    owner.turn_on()
    stranger = Visitor(world.app)
    wrong = stranger.press(owner.first_step(stranger), "Sign in", Code="000000")

    assert wrong.status == 422
    assert "is not the one of this moment" in wrong.field_problem("Code")
    assert stranger.press(wrong, "Sign in", Code=owner.code()).heading == "Customer segments"


def test_five_wrong_codes_lead_back_to_the_password(world, owner):
    owner.turn_on()
    stranger = Visitor(world.app)
    page = owner.first_step(stranger)
    for _ in range(5):
        page = stranger.press(page, "Sign in", Code="000000")
    page = stranger.press(page, "Sign in", Code=owner.code())

    assert (page.status, page.heading) == (403, "Sign in")
    assert "Begin again" in page.text
    world.runtime.clock.instant += timedelta(hours=1)


def test_guessing_codes_is_slowed_as_guessing_passwords_is(world, owner):
    owner.turn_on()
    for _ in range(2):
        stranger = Visitor(world.app)
        page = owner.first_step(stranger)
        for _ in range(5):
            page = stranger.press(page, "Sign in", Code="000000")
    page = owner.first_step(Visitor(world.app))

    assert page.status == 429
    world.runtime.clock.instant += timedelta(hours=1)


def test_a_recovery_code_opens_and_is_counted(world, owner):
    codes = owner.turn_on()
    stranger = Visitor(world.app)
    stranger.press(owner.first_step(stranger), "Sign in", Code=codes[0])

    assert len(codes) == 10
    assert "9 recovery codes are left." in stranger.get(PAGE).text
    assert "used a recovery code" in stranger.get("/settings/audit").text


def test_new_recovery_codes_are_shown_once_and_end_the_old_ones(world, owner):
    old = owner.turn_on()
    page = owner.visitor.press(
        owner.visitor.get(PAGE), "Create new recovery codes", Current_password=PASSWORD
    )
    new = codes_of(page)
    stranger = Visitor(world.app)
    asked = owner.first_step(stranger)

    assert not set(new) & set(old)
    assert stranger.press(asked, "Sign in", Code=old[0]).status == 422
    assert stranger.press(asked, "Sign in", Code=new[0]).status == 200
    assert new[1] not in owner.visitor.get(PAGE).text
    assert "made recovery codes" in owner.visitor.get("/settings/audit").text


def test_the_same_picture_comes_back_after_a_slip(owner):
    page = owner.visitor.get(PAGE)
    wrong = owner.visitor.press(page, "Turn on", Code="000000", Current_password=PASSWORD)

    assert wrong.status == 422
    assert key_of(wrong) == key_of(page)
    assert key_of(owner.visitor.get(PAGE)) != key_of(page)


@pytest.mark.parametrize("button", ["Turn off", "Create new recovery codes"])
def test_nothing_changes_without_the_password(owner, button):
    owner.turn_on()
    page = owner.visitor.press(owner.visitor.get(PAGE), button, Current_password="no")

    assert page.status == 422
    assert "10 recovery codes are left." in page.text


def test_turning_it_on_signs_other_browsers_out(world, owner):
    other = Visitor(world.app)
    other.sign_in(world.sign_in_token())
    owner.turn_on()

    assert other.get("/").heading == "Sign in"
    assert owner.visitor.get("/").heading == "Home"


def test_turned_off_the_password_alone_opens(world, owner):
    owner.turn_on()
    page = owner.visitor.press(owner.visitor.get(PAGE), "Turn off", Current_password=PASSWORD)

    assert page.heading == "Settings"
    assert owner.first_step(Visitor(world.app)).heading == "Customer segments"


def test_without_a_password_there_is_nothing_to_set_up(world, owner):
    with world.runtime.office.session() as session:
        sessions.ensure_owner(session, world.now).password_hash = None
    page = owner.visitor.get(PAGE)

    assert "Set a password first." in page.text
    assert not [one for one in page.root.all("input") if one.get("name") == "code"]


def test_a_link_made_on_the_machine_needs_no_code(world, owner):
    owner.turn_on()

    assert Visitor(world.app).sign_in(world.sign_in_token()).heading == "Home"


def test_an_owner_ends_that_of_a_member_who_lost_everything(world, owner):
    with world.runtime.office.session() as session:
        member = Staff(login="mo@shop.example", name="Mo", role="member", created_at=world.now)
        sessions.set_password(member, PASSWORD)
        session.add(member)
        session.flush()
        secret, _ = second_factor.offer(world.runtime.sealer, member)
        code = second_factor._totp(secret).generate(int(world.now.timestamp())).decode()
        second_factor.turn_on(
            session, world.runtime.sealer, member, secret=secret, code=code, now=world.now
        )
    page = owner.visitor.get("/settings/team")
    assert "two steps" in page.text

    owner.visitor.press(page, "End two-step sign-in: Mo")
    assert "two steps" not in owner.visitor.get("/settings/team").text
    stranger = Visitor(world.app)
    form = stranger.get("/sign-in")
    after = stranger.press(form, "Sign in", Name_or="mo@shop.example", Password=PASSWORD)
    assert after.heading != "Second step"
