"""The page of templates: families, links into the editor, recipes."""

from __future__ import annotations


def test_a_template_opens_the_editor_filled(visitor):
    page = visitor.get("/segments/templates")

    assert len([one for one in page.root.all("a") if one.get("class") == "template"]) == 60
    (vip,) = [one for one in page.root.all("a") if "VIP customers" in one.text]
    editor = visitor.get(vip.get("href"))

    assert editor.status == 200
    assert "amount_spent >= 30000" in next(iter(editor.root.all("textarea"))).text


def test_a_recipe_makes_its_segments(visitor, world):
    page = visitor.get("/segments/templates")

    made = visitor.press(page, "Make these")

    assert made.url.endswith("/segments")
    assert "Stages of a customer: Repeat" in made.text
