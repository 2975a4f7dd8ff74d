"""The page of templates: families, links into the editor, recipes."""

from __future__ import annotations

import pytest

from regulars.segments.templates import TEMPLATES


def test_a_template_opens_the_editor_filled(visitor):
    page = visitor.get("/segments/templates")

    assert len([one for one in page.root.all("a") if one.get("class") == "template"]) == 60
    (vip,) = [one for one in page.root.all("a") if "VIP customers" in one.text]
    form = visitor.get(vip.get("href"))
    editor = visitor.get(form.link("Change more in the editor"))

    assert editor.status == 200
    assert "amount_spent >= 30000" in next(iter(editor.root.all("textarea"))).text


@pytest.mark.parametrize("key", TEMPLATES)
def test_every_template_has_its_form_with_a_count(visitor, key):
    page = visitor.get(f"/segments/templates/{key}", accept_language="ja")

    assert page.status == 200
    assert any("data-count" in one.attributes for one in page.root.all("p"))


def test_the_figures_are_adjusted_and_counted_before_the_segment_is_made(visitor, world):
    address = "/segments/templates/vip"
    count = visitor.get(f"{address}?place-money=57000&place-days=365", hx_request="true")
    assert "spent ¥57,000 or more" in count.text
    wrong = visitor.press(visitor.get(address), "Create segment", Amount="much")
    assert wrong.status == 422
    assert "write a number" in wrong.field_problem("Amount")
    assert wrong.form("Create segment")

    made = visitor.press(
        visitor.get(address), "Create segment", Amount="57000", Number_of_days="365"
    )

    assert made.heading == "VIP customers"
    assert "spent ¥57,000 or more and last ordered since 365 days ago" in made.text


def test_a_recipe_shows_that_it_adds_up_and_makes_its_segments(visitor, world):
    page = visitor.get(visitor.get("/segments/templates").link("Adjust and make"))
    assert "All customers, each of them once." in page.text
    wrong = visitor.press(page, "Make these segments", Number_of_days="x")
    assert "write a number" in wrong.field_problem("Number of days")

    made = visitor.press(page, "Make these segments", Number_of_days="30")

    assert made.url.endswith("/segments")
    assert "Stages of a customer: Repeat" in made.text
    group = visitor.get(made.link("Stages of a customer"))
    assert group.text.count("Stages of a customer: ") >= 4
    assert "VIP customers" not in group.text


def test_figures_with_which_parts_would_overlap_are_refused(visitor):
    page = visitor.get("/segments/templates/recipes/money")
    wrong = visitor.press(page, "Make these segments", Lower_amount="90000")
    assert "cannot be more than" in wrong.field_problem("Lower amount")

    page = visitor.get("/segments/templates/recipes/frequency")
    wrong = visitor.press(page, "Make these segments", How_often="1")
    assert "has to be 2 or more" in wrong.field_problem("How often")
