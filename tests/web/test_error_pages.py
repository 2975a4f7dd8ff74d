"""What goes wrong is told in both languages: what happened, what to do next, and a way on."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest
from starlette.exceptions import HTTPException

from regulars.web.faults import NEXT_STEPS, TITLES
from regulars.web.i18n import Localizer
from tests.web.visitor import Visitor
from tests.web.world import World

LANGUAGES = ("en", "ja")


@pytest.fixture(scope="module", autouse=True)
def failing(world: World) -> None:
    """An address that fails as it is asked to."""

    def fail(status: int) -> None:
        if status == 500:
            raise RuntimeError("a fault of ours")
        raise HTTPException(status)

    world.app.add_api_route(
        "/failing/{status}", fail, methods=["GET", "POST"], include_in_schema=False
    )


def test_each_status_has_its_title_and_its_next_step():
    assert set(TITLES) == set(NEXT_STEPS)


@pytest.mark.parametrize("status", sorted(TITLES))
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_page_says_what_happened_and_what_to_do_next(
    visitor: Visitor, status: int, language: str
):
    say = Localizer(language, ZoneInfo("UTC"), "JPY")

    page = visitor.ask("GET", f"/failing/{status}", accept_language=language)

    assert page.status == status
    assert page.heading == say(TITLES[status])
    assert say(NEXT_STEPS[status]) in page.text
    main = next(page.root.all("main"))
    assert any(one.get("class") == "button primary" for one in main.all("a"))
    assert [one.get("lang") for one in page.root.all("html")] == [language]


@pytest.mark.parametrize("status", sorted(TITLES))
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_part_of_a_page_leaves_the_page_and_what_was_typed(
    visitor: Visitor, status: int, language: str
):
    say = Localizer(language, ZoneInfo("UTC"), "JPY")
    sent = {"HX_Request": "true", "Sec_Fetch_Site": "same-origin", "accept_language": language}

    part = visitor.ask("POST", f"/failing/{status}", **sent)

    assert part.status == status
    assert (part.headers["hx-retarget"], part.headers["hx-reswap"]) == ("#notices", "innerHTML")
    assert "<html" not in part.body
    assert next(part.root.all("div")).get("role") == "alert"
    assert say(TITLES[status]) in part.text
    assert say(NEXT_STEPS[status]) in part.text
    assert say("What you typed is still on the page.") in part.text


def test_a_form_that_failed_as_a_whole_page_tells_the_way_back_to_what_was_typed(visitor: Visitor):
    page = visitor.ask("POST", "/failing/503", Sec_Fetch_Site="same-origin")

    assert "The Back button of your browser leads to what you typed." in page.text
    assert [one.text for one in next(page.root.all("main")).all("a")] == ["Go to Home"]


def test_a_bug_on_a_page_names_its_reference_beside_the_next_step(visitor: Visitor):
    page = visitor.ask("GET", "/failing/500")

    assert "Something went wrong on our side (reference " in page.text
    assert [one.text for one in next(page.root.all("main")).all("a")] == ["Go to Home", "Try again"]


@pytest.mark.parametrize(
    ("method", "address", "status"),
    [
        ("GET", "/nowhere", 404),
        ("GET", "/segments/abc", 404),
        ("POST", "/segments", 405),
        ("POST", "/segments/new", 403),
    ],
)
def test_what_really_happens_is_told_the_same_way(
    visitor: Visitor, method: str, address: str, status: int
):
    """The last one is a form of another site: it brings no proof of being ours."""
    page = visitor.ask(method, address)

    assert page.status == status
    assert page.heading == TITLES[status]
    assert next(page.root.all("main")).all("a")


@pytest.mark.parametrize(
    ("language", "missing", "next_step"),
    [
        (
            "en",
            "There is no segment 999 in the shop demo.",
            "Load the page again and choose from the list.",
        ),
        ("ja", "999 はありません。", "ページを読み込み直し、一覧から選んでください。"),
    ],
)
@pytest.mark.parametrize("address", ["/segments/999/rename", "/segments/999/delete"])
def test_a_form_about_what_is_gone_names_what_a_person_can_do(
    visitor: Visitor, address: str, language: str, missing: str, next_step: str
):
    visitor.post("/language", {"language": language, "next": "/"})
    page = visitor.post(address, {"name": "A"}, hx_request="true")
    visitor.post("/language", {"language": "en", "next": "/"})

    assert page.status == 404
    assert missing in page.text
    assert next_step in page.text
    assert "regulars " not in page.text
