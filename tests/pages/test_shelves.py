"""Description, icon, groups and the home page, as a person sets them."""

from __future__ import annotations


def test_details_are_kept_and_lead_to_the_group(visitor, world):
    vip, quiet = (
        world.segment("VIP", "amount_spent >= 30000"),
        world.segment("Quiet", "NOT last_order_date >= -90d"),
    )
    assert "All groups" not in visitor.get("/segments").text
    dialog = visitor.get(f"/segments/{vip}/details")
    wrong = visitor.press(dialog, "Save", Icon="words", New_groups="Spring")
    assert "An icon is one sign" in wrong.field_problem("Icon")

    kept = visitor.press(
        wrong, "Save", Icon="⭐", Description="Invite them first.", New_groups="Spring, Fans、"
    )

    assert kept.heading == "⭐ VIP"
    assert "Invite them first." in kept.text
    listed = visitor.get(kept.link("Fans"))
    assert "VIP" in listed.text
    assert not [one for one in listed.root.all("a") if one.get("href") == f"/segments/{quiet}"]
    again = visitor.get(f"/segments/{vip}/details")
    ticked = [one for one in again.root.all("input") if one.get("name") == "groups"]
    assert [one.get("value") for one in ticked if "checked" in one.attributes] == ["Fans", "Spring"]


def test_a_featured_segment_stands_on_the_home_page(visitor, world):
    segment = world.segment("Everybody once", "number_of_orders >= 1")
    assert "Featured segments" not in visitor.get("/").body
    fields = {"is_featured": "on", "description": "", "icon": "", "new_groups": ""}
    dialog = visitor.get(f"/segments/{segment}/details")
    token = next(one for one in dialog.root.all("input") if one.get("name") == "form_token")

    visitor.post(f"/segments/{segment}/details", fields | {"form_token": token.get("value")})

    home = visitor.get("/")
    (featured,) = [
        one for one in home.root.all("ul") if one.get("aria-label") == "Featured segments"
    ]
    assert "Everybody once" in featured.text


def test_the_list_is_narrowed_by_kind(visitor, world):
    world.segment("Rule", "number_of_orders >= 1")
    world.segment("Made of it", "segment = 'Rule'")

    found = visitor.get("/segments?kind=combination").text

    assert "Made of it" in found
    assert visitor.get("/segments?kind=csv").text.count("Nothing matches") == 1
