"""Customer segments as a person meets them: list, editor, detail, dialogs."""

from __future__ import annotations

import csv
import io

import pytest

from regulars.segments import find_segment
from tests.web.visitor import Page, Visitor
from tests.web.world import World

MENU = [
    "Assign Customer Tag",
    "Create revenue tracking",
    "Duplicate",
    "Rename",
    "Combine",
    "Export CSV",
    "Delete",
]


@pytest.fixture(scope="module")
def vip(world: World) -> int:
    return world.segment("VIP", "amount_spent >= 30000")


def new_segment(visitor: Visitor, name: str, query: str) -> Page:
    page = visitor.get("/segments/new")
    return visitor.press(page, "Save segment", Segment_name=name, Query_text=query)


def test_the_list_shows_the_rule_in_words_and_the_exact_count(visitor: Visitor, vip: int):
    page = visitor.get("/segments")
    row = next(one for one in page.root.all("tr") if "VIP" in one.text)

    assert "spent ¥30,000 or more" in row.text
    assert [one.text for one in row.all("td")][1] == "14"


def test_the_row_menu_has_its_entries_in_order(visitor: Visitor, vip: int):
    page = visitor.get("/segments")
    opener = next(one for one in page.root.all("a") if one.get("aria-label") == "Actions for VIP")
    menu = next(one for one in page.root.all("div") if one.get("id") == opener.get("data-menu"))
    items = [one for one in menu.all("a") if one.get("role") == "menuitem"]

    assert [one.text for one in items] == MENU
    filled = [one.get("data-href").replace("{}", str(vip)) for one in items]
    assert all(visitor.get(one).status == 200 for one in filled)
    # Without script the button leads to the page of the segment, which has the same menu.
    there = visitor.get(opener.get("href"))
    assert [one.text for one in there.root.all("a") if one.get("role") == "menuitem"] == MENU


def test_a_segment_is_saved_and_counted(world: World, visitor: Visitor):
    page = new_segment(visitor, "Bought twice", "number_of_orders >= 2")
    assert page.heading == "Bought twice"
    world.work()

    assert "22" in visitor.get(page.url).text


def test_a_mistake_keeps_everything_and_points_at_the_place(visitor: Visitor):
    page = new_segment(visitor, "Typo", "amount_spnt >= 3")

    assert page.status == 422
    marked = next(page.root.all("mark")).text
    assert marked == "amount_spnt"
    assert "Did you mean amount_spent?" in page.text
    query = next(one for one in page.root.all("textarea"))
    assert query.text == "amount_spnt >= 3"


def test_an_empty_name_is_said_beside_the_field(visitor: Visitor):
    page = new_segment(visitor, " ", "number_of_orders >= 2")

    assert page.status == 422
    assert page.field_problem("Segment name") == "A segment needs a name."


def test_a_taken_name_is_said_beside_the_field(visitor: Visitor, vip: int):
    page = new_segment(visitor, "vip", "number_of_orders >= 2")

    assert "already a segment" in page.field_problem("Segment name")


def test_the_rows_follow_the_text_and_the_text_the_rows(visitor: Visitor):
    fields = {
        "name": "x",
        "query": "amount_spent >= 100 AND (number_of_orders = 1 OR customer_tags CONTAINS 'vip')",
        "source": "text",
    }
    part = visitor.post("/segments/preview", fields, hx_request="true")
    named = {one.get("name"): one for one in part.root.all("input", "select", "textarea")}

    assert named["n:r.0:v1"].get("value") == "100"
    assert named["n:r.1.1:v1"].get("value") == "vip"

    rows = {"n:r:join": "OR", "n:r.0:attr": "number_of_orders", "n:r.0:was": "number_of_orders"}
    rows |= {"n:r.0:op": "BETWEEN", "n:r.0:v1": "1", "n:r.0:v2": "３", "source": "builder"}
    part = visitor.post("/segments/preview", rows, hx_request="true")

    assert next(part.root.all("textarea")).text == "number_of_orders BETWEEN 1 AND 3"


def test_a_doubtful_day_is_shown_with_its_other_reading_and_whom_that_concerns(visitor: Visitor):
    fields = {"query": "orders_placed(date: -30d) = true", "source": "text"}
    part = visitor.post("/segments/preview", fields, hx_request="true")
    (note,) = [one for one in part.root.all("div") if one.get("data-note")]
    (button,) = note.all("button")

    assert "is read as “since that day”: date >= -30d" in note.text
    assert "customers." in note.text
    assert button.get("data-fix") == "orders_placed MATCHES (date = -30d)"
    assert (button.get("data-start"), button.get("data-length")) == ("0", "32")


def test_what_is_probably_not_meant_is_told_in_the_readers_language(visitor: Visitor):
    fields = {"query": "amount_spent >= 5 OR\r\namount_spent >= 9", "source": "text"}
    part = visitor.post("/segments/preview", fields, hx_request="true", accept_language="ja")
    (note,) = [one for one in part.root.all("div") if one.get("data-note")]

    assert note.get("data-note") == "redundant"
    assert "結果は変わりません" in note.text
    assert "今のところ、対象になる顧客はいません。" in note.text
    # An end of line counts as one character, as in the browser's own field.
    assert next(note.all("button")).get("data-length") == "38"


def test_a_value_never_seen_is_told_under_the_text_and_at_its_row_and_may_be_saved(
    visitor: Visitor,
):
    query = "number_of_orders >= 1 AND (amount_spent > 5 OR customer_tags CONTAINS 'vipp')"
    part = visitor.post("/segments/preview", {"query": query, "source": "text"}, hx_request="true")
    (note,) = [one for one in part.root.all("div") if one.get("data-note") == "never_seen"]
    row = next(one for one in part.root.all("div") if one.get("id") == "n-r-1-1-row")

    told = "No customer of this shop has 'vipp' as customer_tags. Did you mean 'vip'?"
    assert told in note.text
    assert told in row.text
    assert part.text.count(told) == 2
    (button,) = note.all("button")
    place = (button.get("data-fix"), int(button.get("data-start")), int(button.get("data-length")))
    assert place == ("'vip'", query.index("'vipp'"), len("'vipp'"))

    fields = {"query": query, "source": "text"}
    part = visitor.post("/segments/preview", fields, hx_request="true", accept_language="ja")
    assert part.text.count("customer_tags が 'vipp' の顧客がいません。'vip' のことですか？") == 2
    assert new_segment(visitor, "Soon", query).heading == "Soon"


def test_a_value_never_seen_without_a_near_one_has_nothing_to_press(visitor: Visitor):
    fields = {"query": "orders_placed MATCHES (utm_source = 'quux')", "source": "text"}
    part = visitor.post("/segments/preview", fields, hx_request="true")
    (note,) = [one for one in part.root.all("div") if one.get("data-note")]

    assert note.text.strip() == "No order of this shop has 'quux' as utm_source."
    assert not list(note.all("button"))


def test_every_condition_shows_its_own_count(visitor: Visitor):
    fields = {"query": "amount_spent >= 30000 AND number_of_orders >= 3", "source": "text"}
    part = visitor.post("/segments/preview", fields, hx_request="true")
    counts = [one.text for one in part.root.all("span") if "condition-count" in one.get("class")]

    # All of them together, then each by itself.
    assert counts == ["7 customers", "14 customers", "10 customers"]


def test_without_script_a_button_changes_the_rows(visitor: Visitor):
    page = visitor.get("/segments/new")
    after = visitor.press(page, "+ Add condition")

    assert after.status == 200
    assert "AND" in next(after.root.all("textarea")).text


def test_the_rule_that_cannot_be_drawn_stands_as_text_and_is_kept(visitor: Visitor):
    query = "metafields.facts.size = 'L' AND number_of_orders >= 1"
    part = visitor.post("/segments/preview", {"query": query, "source": "text"}, hx_request="true")
    named = {one.get("name"): one.get("value") for one in part.root.all("input")}

    assert named["n:r.0:text"] == "metafields.facts.size = 'L'"


def test_why_names_the_value_and_what_is_missing(visitor: Visitor, vip: int):
    belongs = visitor.get(f"/segments/{vip}/why/ana").text
    stays_out = visitor.get(f"/segments/{vip}/why/bo").text

    assert "Belongs." in belongs
    assert "This customer: ¥35,000" in belongs
    assert "Does not belong." in stays_out
    assert "¥26,000 more would do" in stays_out


def test_what_is_missing_of_a_part_is_told_with_the_parts_name(
    world: World, visitor: Visitor, vip: int
):
    with world.runtime.office.reading() as session:
        name = find_segment(session, world.shop, vip).name
    whole = world.segment("Made of it", f"segment = '{name}' AND number_of_orders >= 1")
    english = visitor.get(f"/segments/{whole}/why/bo").text
    japanese = visitor.ask("GET", f"/segments/{whole}/why/bo", accept_language="ja").text
    closest = visitor.get(f"/segments/{whole}?tab=ahead")
    joining = next(one for one in closest.root.all("section") if one.get("id") == "joining")

    assert f"No:is in the segment “{name}” This customer: not in it ✕ No:spent" in english
    assert "This customer: not in it" in english
    assert f"(a condition of “{name}”): ¥26,000 more would do" in english
    assert f"（「{name}」の条件）：あと￥26,000で変わります" in japanese
    assert f"(a condition of “{name}”)" in joining.text


def test_a_changed_count_is_sent_and_an_unchanged_one_is_not(world: World, visitor: Visitor):
    segment_id = world.segment("Dee's kind", "amount_spent >= 90000")
    page = visitor.get("/segments")
    poll = next(
        one.get("hx-get") for one in page.root.all("div") if one.get("id") == "segment-rows"
    )
    assert visitor.get(poll, hx_request="true").status == 204

    world.order("Dee", 95_000, order_id="new-1")
    rows = visitor.get(poll, hx_request="true")

    assert rows.status == 200
    row = next(one for one in rows.root.all("tr") if one.get("id") == f"segment-{segment_id}")
    assert [one.text for one in row.all("td")][1] == "1"


def test_renaming_follows_into_segments_made_of_it(world: World, visitor: Visitor):
    part = world.segment("Part", "number_of_orders >= 3")
    world.segment("Whole", "segment = 'Part' AND amount_spent >= 1")
    after = visitor.press(visitor.get(f"/segments/{part}/rename"), "Rename", Name="New part")

    assert "Renamed to “New part”." in after.text
    assert "is in the segment “New part”" in visitor.get("/segments").text


def test_a_used_segment_is_not_deleted_and_its_users_are_named(world: World, visitor: Visitor):
    base = world.segment("Base", "number_of_orders >= 1")
    asked = visitor.get(f"/segments/{base}/delete")
    world.segment("On top", "NOT segment = 'Base'")
    refused = visitor.press(asked, "Delete")
    told = visitor.get(f"/segments/{base}/delete")

    assert (refused.status, told.status) == (409, 200)
    japanese = visitor.ask("GET", f"/segments/{base}/delete", accept_language="ja")

    assert (
        "「Base」はセグメントで使われています。先に変更または削除してください：「On top」"
        in japanese.text
    )
    for page in (refused, told):
        assert "“On top”" in page.text
        assert not [one for one in page.root.all("button") if one.text == "Delete"]


def test_deleting_puts_it_out_of_the_list(world: World, visitor: Visitor):
    gone = world.segment("Short-lived", "number_of_orders >= 1")
    after = visitor.press(visitor.get(f"/segments/{gone}/delete"), "Delete")

    assert "“Short-lived” was deleted." in after.text
    assert visitor.get(f"/segments/{gone}").status == 404


def test_the_export_has_names_only_when_asked_for(world: World, visitor: Visitor, vip: int):
    page = visitor.get(f"/segments/{vip}/export")
    plain = visitor.press(page, "Download")
    rows = list(csv.reader(io.StringIO(plain.body.removeprefix("\ufeff"))))

    assert rows[0] == ["Customer ID", "Orders", "Total spent", "Last order"]
    assert len(rows) == 1 + world.runtime.memberships(world.shop).count(vip)
    assert "ana@shop.example" not in plain.body
    full = visitor.get(f"/segments/{vip}/members.csv?personal=on&encoding=cp932")
    assert "ana@shop.example" in full.body
    losses = visitor.get(f"/segments/{vip}/export/losses?personal=on&encoding=cp932")
    assert losses.text == ""


def test_combining_makes_a_segment_that_follows_both(world: World, visitor: Visitor, vip: int):
    recent = world.segment("Recent", "last_order_date >= -30d")
    page = visitor.get(f"/segments/combine?first={vip}&second={recent}&way=except")
    assert "13 customers would belong" in page.text

    made = visitor.press(page, "Create segment", Name_of="VIP but quiet")
    world.work()

    assert made.heading == "VIP but quiet"
    assert "13" in visitor.get(made.url).text


def test_members_are_found_by_name_and_paged_by_key(world: World, visitor: Visitor):
    everybody = world.segment("Everybody", "number_of_orders >= 0")
    first = visitor.get(f"/segments/{everybody}")
    second = visitor.get(f"/segments/{everybody}{first.link('Next').partition(str(everybody))[2]}")
    names = [
        one.text
        for page in (first, second)
        for row in page.root.all("tr")
        for one in list(row.all("td"))[:1]
    ]

    assert len(names) == len(set(names)) == 44
    found = visitor.get(f"/segments/{everybody}?q=cleo")
    assert "Cleo" in found.text
    assert "Customer 039" not in found.text


def saved_edit(visitor: Visitor, address: str, query: str) -> Page:
    """Edit a rule without script: the page says first what saving does."""
    told = visitor.press(visitor.get(address + "/edit"), "Save segment", Query_text=query)
    assert "Nothing is saved yet" in told.text
    return visitor.press(told, "Save segment")


def test_without_script_what_saving_does_is_shown_before_it_is_done(visitor: Visitor):
    made = new_segment(visitor, "Told first", "number_of_orders >= 1")
    number = made.url.split("/")[-1]
    editor = visitor.get(made.url + "/edit")
    told = visitor.press(editor, "Save segment", Query_text="number_of_orders >= 3")
    kept = visitor.get(f"/api/v1/shops/demo/segments/{number}").body
    other = visitor.press(told, "Save segment", Query_text="number_of_orders >= 2")
    saved = visitor.press(other, "Save segment")

    assert "customers leave" in told.text
    assert "number_of_orders >= 1" in kept
    assert "Nothing is saved yet" in other.text
    assert "is saved" in saved.text
    renamed = visitor.press(visitor.get(made.url + "/edit"), "Save segment", Segment_name="Told")
    assert renamed.heading == "Told"
    wrong = visitor.press(
        visitor.get(made.url + "/edit"), "Save segment", Query_text="amount_spnt > 3"
    )
    assert "There is no attribute “amount_spnt”" in wrong.text


def test_an_earlier_version_comes_back(world: World, visitor: Visitor):
    made = new_segment(visitor, "Versions", "number_of_orders >= 1")
    world.work()
    edited = saved_edit(visitor, made.url, "number_of_orders >= 2")
    tab = visitor.get(edited.url + "?tab=definition")
    dialog = visitor.get(tab.link("Restore"))
    assert "customers join" in dialog.text
    after = visitor.press(dialog, "Restore")

    assert "The earlier version is back." in after.text
    assert "Version 3" in after.text
    assert visitor.get(f"{made.url}/restore?version=77").status == 404


def test_two_editors_do_not_overwrite_each_other(visitor: Visitor):
    made = new_segment(visitor, "Contested", "number_of_orders >= 1")
    mine, theirs = visitor.get(made.url + "/edit"), visitor.get(made.url + "/edit")
    told = visitor.press(theirs, "Save segment", Query_text="number_of_orders >= 2")
    visitor.press(told, "Save segment")
    late = visitor.press(mine, "Save segment", Query_text="number_of_orders >= 3")

    assert late.status == 422
    assert "Somebody changed this segment in the meantime." in late.text


def test_a_shop_without_segments_offers_ways_to_begin(world: World, visitor: Visitor):
    page = visitor.get("/segments?q=nothing-like-this")

    assert "Nothing matches your search" in page.text


HOSTILE = [
    "<img src=x onerror=alert(1)>",
    '"><div hx-get=/ hx-trigger=load>',
    "{{7*7}}",
    "\u202egnp.exe",
    "'; DROP TABLE segments; --",
]


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_are_shown_as_text(visitor: Visitor, name: str):
    made = new_segment(visitor, name, "number_of_orders >= 1")

    assert made.heading == " ".join(name.split())
    for page in (made, visitor.get("/segments"), visitor.get(made.url + "/rename")):
        assert not list(page.root.all("img"))
        assert not [one for one in page.root.all("div") if one.get("hx-get") == "/"]
        assert "49" not in page.heading
