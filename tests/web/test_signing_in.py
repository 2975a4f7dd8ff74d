"""Who gets in, who does not, and how it ends."""

from __future__ import annotations

from datetime import timedelta

import pytest

from regulars.office.models.staff import Staff
from regulars.web import passwords, sessions
from tests.web.visitor import Visitor, form_fields
from tests.web.world import World

PASSWORD = "tea leaves in the rain"


@pytest.fixture
def stranger(world: World) -> Visitor:
    return Visitor(world.app)


@pytest.fixture
def password(world: World) -> str:
    with world.runtime.office.session() as session:
        owner = sessions.ensure_owner(session, world.now)
        sessions.set_password(session.get_one(Staff, owner.id), PASSWORD)
    return PASSWORD


def test_a_stranger_is_sent_to_sign_in_and_comes_back(stranger, password):
    page = stranger.get("/segments?q=x")
    assert page.heading == "Sign in"

    after = stranger.press(page, "Sign in", Name_or="owner", Password=password)

    assert "/segments?q=x" in after.url


def test_a_link_works_once(world: World, stranger: Visitor):
    token = world.sign_in_token()

    assert stranger.sign_in(token).heading == "Home"
    second = Visitor(world.app).sign_in(token)
    assert second.status == 403
    assert "has been used" in second.text


def test_a_session_is_begun_anew_at_each_sign_in(world: World, stranger: Visitor, password: str):
    """A token that somebody planted beforehand is worth nothing afterwards."""
    stranger.cookies.set("regulars_sid", "planted", domain="127.0.0.1")
    stranger.press(stranger.get("/"), "Sign in", Name_or="owner", Password=password)
    first = stranger.cookies["regulars_sid"]
    other = Visitor(world.app)
    other.press(other.get("/"), "Sign in", Name_or="owner", Password=password)

    assert "planted" not in (first, other.cookies["regulars_sid"])
    assert first != other.cookies["regulars_sid"]


def test_a_new_password_ends_the_sessions_in_other_browsers(
    world: World, stranger: Visitor, password: str
):
    other = Visitor(world.app)
    for one in (stranger, other):
        one.press(one.get("/"), "Sign in", Name_or="owner", Password=password)
    token = next(
        one.get("value")
        for one in stranger.get("/settings/me").root.all("input")
        if one.get("name") == "form_token"
    )
    new = {"current_password": password, "password": f"{password} anew", "form_token": token}
    stranger.post("/settings/password", new)

    assert stranger.get("/").heading == "Home"
    assert other.get("/").heading == "Sign in"


def test_opening_a_link_changes_nothing(world: World, stranger: Visitor):
    token = world.sign_in_token()
    for _ in range(3):
        stranger.ask("GET", f"/sign-in/{token}")

    assert stranger.sign_in(token).heading == "Home"


def test_a_link_dies_after_fifteen_minutes(world: World, stranger: Visitor):
    token = world.sign_in_token()
    world.runtime.clock.instant += timedelta(minutes=16)

    assert stranger.sign_in(token).status == 403


def test_a_wrong_password_says_the_same_as_an_unknown_name(stranger: Visitor, password: str):
    page = stranger.get("/sign-in")
    wrong = stranger.press(page, "Sign in", Name_or="owner", Password="no")
    unknown = stranger.press(page, "Sign in", Name_or="nobody", Password="no")

    assert wrong.status == unknown.status == 422
    assert wrong.field_problem("Password") == unknown.field_problem("Password") != ""


@pytest.mark.parametrize(
    ("wrong", "language", "said"),
    [
        ("1q2w3e4r5t", "en", "Choose another: a few words"),
        ("P@ssw0rd2026!", "ja", "別のパスワードにしてください"),
        ("dragondragon", "en", "in lists of known passwords"),
        ("aaaaaaaaaaaa", "en", "in lists of known passwords"),
        ("Owner12345", "en", "or of your own name"),
        ("#Regulars1", "en", "in lists of known passwords"),
    ],
)
def test_a_password_that_is_guessed_first_is_refused(
    visitor: Visitor, password: str, wrong: str, language: str, said: str
):
    form = visitor.get("/settings").form("Set password")
    fields = form_fields(form) | {"password": wrong, "current_password": password}
    visitor.post("/language", {"language": language, "next": "/"})
    page = visitor.post("/settings/password", fields)
    visitor.post("/language", {"language": "en", "next": "/"})

    assert page.status == 422
    assert said in page.text


def test_every_password_of_the_list_is_refused_and_phrases_are_not():
    known = passwords._known()

    long_enough = [one for one in known if len(one) >= sessions.PASSWORD_LENGTH_MIN]

    assert len(known) > 40_000
    assert len(long_enough) > 2_400
    assert [one for one in long_enough if not passwords.is_guessed_first(one)] == []
    for phrase in (PASSWORD, "three lamps by the river", "correct horse battery", "fkq73nvz20"):
        assert not passwords.is_guessed_first(phrase, ["Ana", "Owner"])


def test_guessing_is_slowed_and_a_link_still_works(world: World, stranger: Visitor, password: str):
    page = stranger.get("/sign-in")
    for _ in range(sessions.ATTEMPTS_PER_LOGIN):
        stranger.press(page, "Sign in", Name_or="guessed", Password="no")

    assert stranger.press(page, "Sign in", Name_or="guessed", Password="no").status == 429
    assert stranger.sign_in(world.sign_in_token()).heading == "Home"


def test_signing_out_ends_the_session(visitor: Visitor):
    cookies = dict(visitor.cookies)
    visitor.press(visitor.get("/"), "Sign out")
    visitor.cookies.update(cookies)

    assert visitor.get("/").heading == "Sign in"


def test_an_idle_session_ends(world: World, visitor: Visitor):
    world.runtime.clock.instant += timedelta(hours=sessions.IDLE_HOURS, minutes=1)

    assert visitor.get("/").heading == "Sign in"


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(world: World, stranger: Visitor):
    page = stranger.ask("GET", f"/sign-in/{world.sign_in_token()}")
    form = page.form("Continue")
    answer = stranger.ask("POST", form.get("action"), sec_fetch_site="same-origin")

    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 403),
        ({"sec_fetch_site": "cross-site"}, 403),
        ({"sec_fetch_site": "same-site", "hx_request": "true"}, 403),
        ({"sec_fetch_site": "same-origin"}, 403),
        ({"origin": "http://evil.example", "hx_request": "true"}, 403),
        ({"sec_fetch_site": "same-origin", "hx_request": "true"}, 204),
        ({"origin": "http://127.0.0.1:8401", "hx_request": "true"}, 204),
    ],
)
def test_a_change_needs_a_form_of_ours(visitor: Visitor, headers: dict[str, str], status: int):
    answer = visitor.ask(
        "POST",
        "/settings/me",
        content=b"language=en&name=Owner",
        content_type="application/x-www-form-urlencoded",
        **headers,
    )

    assert answer.status == status


def test_a_plain_form_is_accepted_with_its_token(visitor: Visitor):
    page = visitor.get("/settings")
    after = visitor.press(page, "Save", Your_name="Owner of the tea shop")

    assert after.status == 200
    assert "Saved." in after.text


@pytest.mark.parametrize(
    "address", ["//evil.example", "https://evil.example", "/\\evil.example", "/%0a/evil.example"]
)
def test_the_way_back_never_leads_elsewhere(stranger: Visitor, password: str, address: str):
    answer = stranger.ask(
        "POST",
        "/sign-in",
        content=f"next={address}&login=owner&password={password}".encode(),
        content_type="application/x-www-form-urlencoded",
        sec_fetch_site="same-origin",
    )

    assert answer.headers["location"] == "/"


def test_the_language_follows_the_person(world: World, visitor: Visitor):
    page = visitor.get("/")
    after = visitor.press(page, "日本語")

    assert after.heading == "ホーム"
    other = Visitor(world.app)
    assert other.sign_in(world.sign_in_token()).heading == "ホーム"
    visitor.press(after, "English")
