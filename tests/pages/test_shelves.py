"""Description, icon, groups and the home page, as a person sets them."""

from __future__ import annotations

from regulars.segments import edit_segment, find_segment


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

    assert "Everybody once" in featured(visitor)
    assert "unchanged for 7 days" in featured(visitor)


def featured(visitor) -> str:
    lists = visitor.get("/").root.all("ul")
    return next(one.text for one in lists if one.get("aria-label") == "Featured segments")


def test_whom_an_edit_moved_is_told_apart_from_who_came_and_went(visitor, world):
    segment = world.segment("Loyal", "number_of_orders >= 1")
    with world.runtime.office.session() as session:
        row = find_segment(session, world.shop, segment)
        edited = {"query": "number_of_orders >= 2", "author": "bo", "now": world.now}
        edit_segment(session, world.shop, row, **edited)
        row.is_featured = True
        world.jobs.refresh_segment_later(session, world.shop, segment, "edited")
    world.work()

    told = visitor.get(f"/segments/{segment}").text

    count = len(world.runtime.warehouse(world.shop).log_entries(segment_id=segment, cause="edited"))
    assert "0 joined and 0 left in 7 days." in told
    assert f"Edits, uploads or a new count of everybody made {count} more joins and leaves." in told
    assert "7 days: changed by an edit, an upload or a new count" in featured(visitor)
    assert "Nobody has joined or left a segment" in visitor.get("/").text


def test_the_list_is_narrowed_by_kind(visitor, world):
    world.segment("Rule", "number_of_orders >= 1")
    world.segment("Made of it", "segment = 'Rule'")

    found = visitor.get("/segments?kind=combination").text

    assert "Made of it" in found
    assert visitor.get("/segments?kind=csv").text.count("Nothing matches") == 1
