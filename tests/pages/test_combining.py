"""Combinations as the page edits them: parts, order, nesting, what is counted and made of it."""

from __future__ import annotations

import pytest

from regulars.errors import InputError
from regulars.language import parse, print_query
from regulars.web.combining import (
    Combination,
    Part,
    at,
    changed_combination,
    read_combination,
    tree_of,
)

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
