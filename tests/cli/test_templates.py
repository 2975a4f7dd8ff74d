"""regulars templates: list, use with figures of one's own, cook a group that adds up."""

from __future__ import annotations

from regulars.bootstrap import open_runtime
from regulars.office import find_shop
from regulars.warehouse.facts import ProductFact

SHOP = ("--shop", "basic")


def test_sixty_templates_are_listed_in_both_languages(regulars, basic):
    english = regulars("templates", "list", *SHOP, "--json").json
    japanese = regulars("templates", "list", *SHOP, "--language", "ja", "--json").json

    names = [one["name"] for family in english["families"] for one in family["templates"]]
    assert (len(english["families"]), len(names), len(set(names))) == (14, 60, 60)
    assert japanese["families"][0]["templates"][0]["name"] == "新規顧客"


def test_a_template_becomes_a_segment_with_its_figures_adjusted(regulars, basic):
    told = regulars("templates", "use", "frequent", *SHOP, "--set", "count=2", "--json")

    assert told.code == 0, told.err
    assert (told.json["query"], told.json["member_count"]) == ("number_of_orders >= 2", 1)
    wrong = regulars("templates", "use", "frequent", *SHOP, "--set", "nights=2")
    assert (wrong.code, "There is: count" in wrong.err) == (2, True)


def test_a_recipe_makes_a_group_that_adds_up(regulars, basic):
    told = regulars("templates", "cook", "frequency", *SHOP, "--json").json["segments"]

    assert sum(one["member_count"] for one in told) == 2
    groups = regulars("segments", "groups", *SHOP, "--json").json["groups"]
    assert groups == [{"name": "How often they buy", "segments": groups[0]["segments"]}]
    assert sorted(groups[0]["segments"]) == sorted(one["id"] for one in told)
    again = regulars("templates", "cook", "frequency", *SHOP)
    assert (again.code, "already a segment" in again.err) == (2, True)


def test_sentences_call_products_by_their_titles(regulars, basic, tmp_path):
    with open_runtime(tmp_path / "home") as runtime:
        with runtime.office.reading() as session:
            shop = find_shop(session, "basic")
        known = ProductFact(product_id="1", title="Sencha 100 g")
        runtime.warehouse(shop).apply([known], at=runtime.clock())

    told = regulars("templates", "list", *SHOP, "--json").json

    listed = [one for family in told["families"] for one in family["templates"]]
    about = [one["sentence"] for one in listed if "(id = 1" in one["query"]]
    assert about
    assert [sentence for sentence in about if "Sencha 100 g" not in sentence] == []
