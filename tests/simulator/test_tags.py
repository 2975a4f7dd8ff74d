"""tagsAdd and tagsRemove, by the recorded rules."""

from __future__ import annotations

from typing import Any

import pytest

from tests.simulator.conftest import Stage

CHANGE = """mutation ($id: ID!, $tags: [String!]!) {
  %s(id: $id, tags: $tags) { node { id ... on Customer { tags } } userErrors { field message } }
}"""


def change(stage: Stage, name: str, who: str, tags: Any, how: str = "tagsAdd") -> dict[str, Any]:
    told: dict[str, Any] = stage.ask(CHANGE % how, id=who, tags=tags)
    return told if name == "whole" else told["data"][how]


def add(stage: Stage, who: str, tags: Any) -> dict[str, Any]:
    return change(stage, "payload", stage.gid(who), tags)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (["vip", "gold"], ["gold", "vip"]),
        ("vip", ["vip"]),
        (["a, b ,c"], ["a", "b", "c"]),
        (["  spaced  "], ["spaced"]),
        (["", " , "], []),
        (["Vip", "VIP"], ["Vip"]),
        (["b", "C", "a"], ["a", "b", "C"]),
    ],
)
def test_tags_are_split_trimmed_and_sorted_without_minding_case(
    stage: Stage, given: list[str] | str, kept: list[str]
):
    told = add(stage, "ana", given)

    assert told == {"node": {"id": stage.gid("ana"), "tags": kept}, "userErrors": []}


def test_the_casing_that_is_stored_stays(stage: Stage):
    add(stage, "ana", ["VIP"])

    assert add(stage, "ana", ["vip"])["node"]["tags"] == ["VIP"]


def test_a_new_tag_takes_the_casing_known_in_the_shop(stage: Stage):
    add(stage, "ana", ["vip"])

    assert add(stage, "bo", ["VIP"])["node"]["tags"] == ["vip"]


def test_removing_ignores_case_and_what_is_not_there(stage: Stage):
    add(stage, "ana", ["VIP", "gold"])

    told = change(stage, "payload", stage.gid("ana"), ["vip", "never"], "tagsRemove")

    assert told == {"node": {"id": stage.gid("ana"), "tags": ["gold"]}, "userErrors": []}


def test_the_251st_tag_is_refused_and_none_of_its_call_is_given(stage: Stage):
    add(stage, "ana", [f"t{n}" for n in range(249)])

    told = add(stage, "ana", ["one", "two"])

    assert told["node"] is None
    assert told["userErrors"] == [{"field": ["tags"], "message": "Tags cannot be more than 250"}]
    assert len(stage.people["ana"].tags) == 249


def test_250_items_are_taken_and_251_refused(stage: Stage):
    told = change(stage, "whole", stage.gid("bo"), ["x"] * 250)
    assert told["data"]["tagsAdd"]["node"]["tags"] == ["x"]

    told = change(stage, "whole", stage.gid("bo"), ["x"] * 251)
    assert told["errors"][0]["extensions"]["code"] == "MAX_INPUT_SIZE_EXCEEDED"


def test_an_unknown_customer_is_a_user_error(stage: Stage):
    told = change(stage, "payload", "gid://shopify/Customer/1", ["vip"])

    assert told["node"] is None
    assert told["userErrors"] == [{"field": ["id"], "message": "Customer does not exist"}]


@pytest.mark.parametrize(
    ("given", "code"),
    [("gid://shopify/Segment/1", "RESOURCE_NOT_FOUND"), ("17", "INVALID_VARIABLE")],
)
def test_an_id_of_the_wrong_kind_is_a_top_level_error(stage: Stage, given: str, code: str):
    told = change(stage, "whole", given, ["vip"])

    assert told["data"] == {"tagsAdd": None}
    assert told["errors"][0]["extensions"]["code"] == code


def test_a_change_of_tags_moves_updated_at_and_tells_only_the_change(stage: Stage):
    events: list[tuple[str, tuple[str, ...]]] = []
    add(stage, "ana", ["vip"])
    stage.shop.listeners.append(lambda event: events.append((event.topic, event.detail)))

    add(stage, "ana", ["vip", "gold"])
    add(stage, "ana", ["vip"])

    assert events == [("customer.tags_added", ("gold",))]
    assert stage.people["ana"].updated == stage.shop.now()
