"""Bad inputs and bad moments, through the pages, the API and the commands alike."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from regulars import tags
from regulars.jobs.privacy import disconnect
from regulars.segments import delete_segment, find_segment
from regulars.simulator.tokens import ALL_SCOPES
from tests.tags.doors import CUSTOMERS, EVERYBODY, Api, Commands, Door, Pages, open_installation

NEXT_STEP = "A shop is connected again in Settings; grant a missing access scope"
#: Signs that are one for a person and seven for everybody who counts them.
FAMILY = "\N{MAN}\u200d\N{WOMAN}\u200d\N{GIRL}\u200d\N{BOY}"


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    with open_installation(tmp_path_factory.mktemp("doors")) as world:
        world.numbers = {
            "All": world.segment("All", EVERYBODY),
            "Nobody": world.segment("Nobody", "amount_spent >= 99999999"),
        }
        yield world


@pytest.fixture(params=["page", "API", "command"])
def door(request, world, regulars, monkeypatch) -> Iterator[Door]:
    monkeypatch.setenv("REGULARS_HOME", str(world.runtime.settings.home_folder))
    made = {"page": Pages, "API": Api}
    kind = made.get(request.param)
    door = kind(world) if kind else Commands(regulars)
    yield door
    door.close()


def test_a_tag_that_shopify_would_change_is_refused_with_the_reason(door):
    wrong = {
        "": "Write the tag",
        " \u3000 ": "Write the tag",
        "vip,gold": "has a comma",
        "x" * 41: "has 41 characters",
        "Ｘ" * 41: "has 41 characters",
        "🎉" * 41: "has 41 characters",
        FAMILY * 6: "has 42 characters",
        "vip\x07": "cannot be seen",
    }
    for tag, words in wrong.items():
        for said in (door.assign("All", tag), door.keep("All", tag)):
            assert said.is_refused
            assert words in said.words


def test_a_segment_that_is_empty_or_unknown_is_refused_with_the_reason(door):
    empty, unknown = door.assign("Nobody", "vip"), door.assign("Nowhere", "vip")

    assert empty.is_refused
    assert '"Nobody" has no customers at the moment, so there is nobody to tag.' in empty.words
    assert unknown.is_refused
    assert "Nowhere" in unknown.words or "999" in unknown.words


def test_each_code_point_of_wide_letters_and_emoji_counts_as_one_character(world, door):
    tags = ("ＶＩＰ", "Ｘ" * 40, "🎉" * 40, FAMILY * 5)
    made = {tag: door.assign("All", f" {tag}\u3000").id for tag in tags}
    world.work()

    for tag, number in made.items():
        assert world.having(tag) == CUSTOMERS
        assert tag in door.show(number)
        remove(world, number)


def test_the_same_tag_in_other_capitals_is_the_same_tag(world, door):
    one = next(iter(world.shopify.shop.customers.values()))
    world.shopify.shop.add_tags(one, ["Stammkunde"])

    made = door.assign("All", "stammkunde")
    world.work()

    # Shown as it was typed, written as the shop writes it, and one customer had it before.
    assert "stammkunde" in door.show(made.id)
    assert world.having("Stammkunde") == CUSTOMERS
    assert world.having("stammkunde") == 0
    remove(world, made.id)
    assert [tag for tag in one.tags if tag.lower() == "stammkunde"] == ["Stammkunde"]
    assert world.having("Stammkunde") == 1
    world.shopify.shop.remove_tags(one, ["stammkunde"])


def test_a_segment_deleted_while_its_tag_is_assigned_leaves_the_audience(world, door):
    world.numbers["Short-lived"] = number = world.segment("Short-lived", EVERYBODY)
    made = door.assign("Short-lived", "outlives")

    def delete() -> None:
        with world.runtime.office.session() as session:
            found = find_segment(session, world.shop, number)
            delete_segment(session, world.shop, found, now=world.now)

    world.work_and(delete)

    assert world.having("outlives") == CUSTOMERS
    assert "deleted" in door.show(made.id)
    assert "deleted" in door.history()
    assert door.assign("Short-lived", "again").is_refused
    remove(world, made.id)
    assert world.having("outlives") == 0


def test_a_token_lost_in_the_middle_is_told_with_what_to_do(world, door):
    made = door.assign("All", "tokenless")

    world.work_and(world.shopify.tokens.revoke)

    assert 0 < world.having("tokenless") < CUSTOMERS
    told = door.show(made.id)
    assert "Shopify does not accept the app's token" in told
    assert NEXT_STEP in told
    world.connect_again()
    assert_all_have_it(world, door, made.id, "tokenless")


def test_a_scope_lost_in_the_middle_is_named_with_what_to_do(world, door):
    made = door.assign("All", "scopeless")
    tokens = world.shopify.tokens

    world.work_and(lambda: tokens.grant(world.token, ALL_SCOPES - {"write_customers"}))

    assert 0 < world.having("scopeless") < CUSTOMERS
    told = door.show(made.id)
    assert "write_customers" in told
    assert NEXT_STEP in told
    tokens.grant(world.token, ALL_SCOPES)
    world.go_on()
    assert_all_have_it(world, door, made.id, "scopeless")


def test_an_app_uninstalled_in_the_middle_says_so_and_goes_on_after(world, door):
    made, kept = door.assign("All", "homeless"), door.assign("All", "later")

    def uninstall() -> None:
        world.shopify.tokens.revoke()
        disconnect(world.runtime, world.shop, world.now)

    world.work_and(uninstall)

    for one in (made, kept):
        told = door.show(one.id)
        assert "The app was uninstalled from this shop." in told
        assert NEXT_STEP in told
    for order in (door.assign, door.keep):
        refused = order("All", "new")
        assert refused.is_refused
        assert "The app was uninstalled from" in refused.words
    world.connect_again()
    assert_all_have_it(world, door, made.id, "homeless")
    assert_all_have_it(world, door, kept.id, "later")


def assert_all_have_it(world, door, assignment_id: int, tag: str) -> None:
    assert world.having(tag) == CUSTOMERS
    assert NEXT_STEP not in door.show(assignment_id)
    remove(world, assignment_id)
    assert world.having(tag) == 0


def remove(world, assignment_id: int) -> None:
    """Take the tag off again, so that one shop serves every test."""
    with world.runtime.office.session() as session:
        row = tags.find_assignment(session, world.shop, assignment_id)
        tags.remove(session, row, author="Owner", now=world.now)
    world.go_on()
