"""Combinations as the page edits them: parts, order, nesting, what is counted and made of it."""

from __future__ import annotations

import pytest

from regulars.errors import InputError
from regulars.language import parse, print_query
from regulars.segments import name_key
from regulars.web.combining import (
    Combination,
    Part,
    at,
    changed_combination,
    combination_of,
    read_combination,
    tree_of,
)
from tests.web.visitor import form_fields

NAMES = {"1": "A", "2": "B", "3": "C", "4": "It's D"}
NESTED = {
    "c:r:join": "EXCEPT",
    "c:r.0:join": "OR",
    "c:r.0.0:segment": "1",
    "c:r.0.1:segment": "2",
    "c:r.1:segment": "3",
    "c:r.2:segment": "4",
}


def query(root: Combination) -> str:
    return print_query(tree_of(root, NAMES))


def test_except_is_the_first_without_all_others_however_nested():
    text = query(read_combination(NESTED))

    assert text == (
        "(segment = 'A' OR segment = 'B') AND NOT segment = 'C' AND NOT segment = 'It\\'s D'"
    )
    assert parse(text) == tree_of(read_combination(NESTED), NAMES)


@pytest.mark.parametrize(
    ("op", "expected"),
    [
        ("down:r.0", "segment = 'C' AND NOT (segment = 'A' OR segment = 'B') AND NOT"),
        ("up:r.0.1", "(segment = 'B' OR segment = 'A') AND NOT"),
        ("remove:r.0", "segment = 'C' AND NOT segment = 'It"),
        ("remove:r.9", "(segment = 'A' OR"),
        ("up:r.0", "(segment = 'A' OR"),
        ("burn:r.0", "(segment = 'A' OR"),
        ("remove:x", "(segment = 'A' OR"),
        ("", "(segment = 'A' OR"),
    ],
)
def test_parts_are_moved_and_removed(op, expected):
    assert query(changed_combination(read_combination(NESTED), op)).startswith(expected)


def test_added_parts_have_to_be_chosen_and_groups_end_at_a_depth():
    root = changed_combination(read_combination(NESTED), "add:r.0")
    with pytest.raises(InputError, match="Choose a segment"):
        query(root)

    root = Combination(parts=[Part("1")])
    path = "r"
    for _ in range(10):
        root = changed_combination(root, f"group:{path}")
        path = f"{path}.{1 if path == 'r' else 2}"
    assert at(root, "r.1.2.2.2") is not None
    assert at(root, "r.1.2.2.2.2") is None


@pytest.mark.parametrize(
    "text",
    [
        "segment = 'A'",
        "segment = 'A' AND segment = 'B'",
        "segment = 'A' OR (segment = 'B' AND NOT (segment = 'C' OR segment = 'A'))",
        "(segment = 'A' OR segment = 'B') AND NOT segment = 'C' AND NOT segment = 'It\\'s D'",
        "(segment = 'A' AND segment = 'B') AND segment != 'C'",
    ],
)
def test_a_saved_combination_is_shown_as_it_was_made(text):
    keys = {name_key(name): number for number, name in NAMES.items()}

    root = combination_of(parse(text), keys)

    assert root is not None
    again = parse(query(root))
    told = text.replace("segment != 'C'", "NOT segment = 'C'")
    assert again == parse(told)


@pytest.mark.parametrize(
    "text",
    [
        "NOT segment = 'A'",
        "segment = 'A' AND number_of_orders > 1",
        "AT LEAST 2 OF (segment = 'A', segment = 'B', segment = 'C')",
        "segment = 'A' OR NOT segment = 'B'",
        "segment = 'Unknown'",
        " AND (segment = 'A' OR ".join(["segment = 'B'"] * 6) + ")" * 5,
    ],
)
def test_what_the_form_cannot_show_is_left_to_the_editor(text):
    assert combination_of(parse(text), {"a": "1", "b": "2", "c": "3"}) is None


def test_a_form_of_a_thousand_parts_is_refused():
    with pytest.raises(InputError, match="up to 50 parts"):
        read_combination({f"c:r.{number}:segment": "1" for number in range(900)})


def test_the_page_counts_shows_the_overlap_and_makes_a_live_segment(visitor, world):
    vip = world.segment("VIP", "amount_spent >= 30000")
    quiet = world.segment("Quiet", "NOT last_order_date >= -90d")
    ana = world.segment("Ana", "customer_tags CONTAINS 'vip'")
    page = visitor.get(f"/segments/combine?with={vip}")
    assert "customers would belong" in page.text
    unfinished = visitor.press(page, "Create segment", Name_of="Unfinished")
    assert "Choose a segment for every part" in unfinished.text
    fields = {
        "c:r:join": "EXCEPT",
        "c:r.0:segment": str(vip),
        "c:r.1:join": "AND",
        "c:r.1.0:segment": str(quiet),
        "c:r.1.1:segment": str(ana),
    }

    told = visitor.post("/segments/combine/preview", fields, hx_request="true")

    assert "customers would belong" in told.text
    assert "in all of them" in told.text
    token = next(one for one in page.root.all("input") if one.get("name") == "form_token")
    fields["form_token"] = token.get("value")
    nameless = visitor.post("/segments/combine", fields)
    assert "A segment needs a name." in nameless.field_problem("Name of the new segment")
    made = visitor.press(nameless, "Create segment", Name_of="VIP, not both")
    world.work()
    assert made.heading == "VIP, not both"
    redrawn = visitor.post("/segments/combine", fields | {"op": "add:r"})
    assert len([one for one in redrawn.root.all("select") if one.get("name").endswith("nt")]) == 4


def test_a_combination_is_opened_again_and_saved_once_its_effect_was_told(visitor, world):
    big = world.segment("Big", "amount_spent >= 30000")
    still = world.segment("Still", "NOT last_order_date >= -90d")
    both = world.segment("Both", "segment = 'Big' AND segment = 'Still'")
    page = visitor.get(visitor.get(f"/segments/{both}").link("Edit"))
    assert page.heading == "Edit the combination Both"
    token = next(one for one in page.root.all("input") if one.get("name") == "form_token")
    fields = {
        "c:r:join": "OR",
        "c:r.0:segment": str(big),
        "c:r.1:segment": str(still),
        "version": "1",
        "form_token": token.get("value"),
    }
    live = visitor.post(f"{page.url}/preview", fields, hx_request="true")
    assert "If you save this" in live.text

    told = visitor.post(page.url, fields)

    assert "If you save this" in told.text
    saved = visitor.press(told, "Save")
    assert (saved.heading, "is saved" in saved.text) == ("Both", True)
    assert "segment = 'Big' OR segment = 'Still'" in visitor.get(f"/segments/{both}/edit").text
    outdated = visitor.post(page.url, fields | {"c:r:join": "EXCEPT"})
    outdated = visitor.post(page.url, form_fields(outdated.form("Save")) | {"version": "1"})
    assert "Somebody changed this segment" in outdated.text
    circle = visitor.post(f"{page.url}/preview", fields | {"c:r.1:segment": str(both)})
    assert "Choose a segment for every part" in circle.text
    by_hand = world.segment("By hand", "NOT segment = 'Big'")
    elsewhere = visitor.get(f"/segments/combine/{by_hand}")
    assert elsewhere.url.endswith(f"/segments/{by_hand}/edit")
    assert "more than a combination of segments" in elsewhere.text
