"""Who joined and left, when and why: every reason on the page, over the API and by the command."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, get_args

import pytest

from regulars.segments import Cause
from regulars.warehouse.facts import (
    CustomerDeleted,
    CustomerRedacted,
    CustomersMerged,
    LineFact,
    ProductFact,
)
from regulars.web import create_app, sessions
from regulars.web.figures import Moves, moves_since, week_ago
from regulars.web.moves import CAUSES
from tests.jobs.at_work import AtWork, open_shop
from tests.uploads.files import Uploading
from tests.web.commanding import commanding
from tests.web.visitor import Page, Visitor


@dataclass
class Rig(AtWork):
    """A shop being worked for, with somebody who is signed in."""

    visitor: Visitor

    def sign_in(self) -> None:
        """Sign the visitor in, as is due after days away."""
        with self.runtime.office.session() as session:
            owner = sessions.ensure_owner(session, self.clock())
            token = sessions.create_sign_in_link(session, owner, self.clock())
        self.visitor.sign_in(token)


@dataclass
class Happened:
    """A segment to which something happened, and what its log must say of it: +who or -who."""

    segment: int
    move: str
    cause: Cause
    words: str


def order(shop: Rig) -> Happened:
    one = shop.segment("By order", "number_of_orders >= 1")
    shop.told(shop.order(1, "ana"))
    return Happened(one, "+ana", "order", "an order, a refund or a cancellation")


def cancellation(shop: Rig) -> Happened:
    one = shop.segment("By cancellation", "number_of_orders >= 2")
    shop.told(shop.order(2, "ana"))
    shop.told(shop.order(2, "ana", cancelled_at=shop.clock()))
    return Happened(one, "-ana", "order", "an order, a refund or a cancellation")


def profile(shop: Rig) -> Happened:
    one = shop.segment("By profile", "customer_tags CONTAINS 'gold'")
    shop.told(shop.customer("ana", tags=("ana", "gold")))
    return Happened(one, "+ana", "profile", "a change of profile, tags or consent")


def product(shop: Rig) -> Happened:
    one = shop.segment("By product", "products_purchased MATCHES (tag = 'green')")
    line = LineFact(product_id="7", title="Tea", quantity=1, amount=10)
    shop.told(shop.order(3, "bo", lines=(line,)))
    shop.told(ProductFact(product_id="7", updated_at=shop.clock(), tags=("green",)))
    shop.later(seconds=5)
    return Happened(one, "+bo", "product", "a product that was bought changed")


def created(shop: Rig) -> Happened:
    one = shop.segment("Made", "customer_tags CONTAINS 'cleo'")
    return Happened(one, "+cleo", "created", "the segment was made")


def edited(shop: Rig) -> Happened:
    one = shop.segment("Edited", "customer_tags CONTAINS 'cleo'")
    shop.edit(one, "customer_tags CONTAINS 'dee'")
    return Happened(one, "-cleo", "edited", "the rule was edited")


def restored(shop: Rig) -> Happened:
    one = shop.segment("Thrown away", "customer_tags CONTAINS 'silver'")
    visitor = shop.visitor
    visitor.press(visitor.get(f"/segments/{one}/delete"), "Delete")
    shop.told(shop.customer("bo", tags=("bo", "silver")))
    visitor.press(visitor.get("/segments/trash"), "Restore")
    shop.jobs.run_until_idle()
    return Happened(one, "+bo", "restored", "the segment came back from the trash")


def part_edited(shop: Rig) -> Happened:
    part = shop.segment("Part", "customer_tags CONTAINS 'cleo'")
    one = shop.segment("Whole", "segment = 'Part'")
    shop.edit(part, "customer_tags CONTAINS 'dee'")
    return Happened(one, "-cleo", "part_changed", "a segment that this one is made of changed")


def part_uploaded(shop: Rig) -> Happened:
    Uploading(shop).make("Part list", "Customer ID\nbo\n")
    one = shop.segment("Whole list", "segment = 'Part list'")
    Uploading(shop).change("Part list", "Customer ID\ndee\n", "replace")
    shop.jobs.run_until_idle()
    return Happened(one, "-bo", "part_changed", "a segment that this one is made of changed")


def part_ordered(shop: Rig) -> Happened:
    shop.segment("Large orders", "amount_spent >= 5000")
    one = shop.segment("Made of large orders", "segment = 'Large orders'")
    shop.told(shop.order(4, "cleo", 5_000))
    return Happened(one, "+cleo", "order", "an order, a refund or a cancellation")


def new_day(shop: Rig) -> Happened:
    one = shop.segment("Lately", "last_order_date >= -1d")
    shop.told(shop.order(5, "dee"))
    shop.later(days=3)
    shop.sign_in()
    return Happened(one, "-dee", "day_change", "a new day began")


def new_day_of_part(shop: Rig) -> Happened:
    shop.segment("Lately too", "last_order_date >= -1d")
    one = shop.segment("Made of lately", "segment = 'Lately too'")
    shop.told(shop.order(6, "eve"))
    shop.later(days=3)
    shop.sign_in()
    return Happened(one, "-eve", "day_change", "a new day began")


def upload(shop: Rig) -> Happened:
    made = Uploading(shop).make("Guests", "Customer ID\nbo\n")
    Uploading(shop).change("Guests", "Customer ID\ndee\n", "replace")
    shop.jobs.run_until_idle()
    words = "an uploaded file changed the list"
    return Happened(made.id, "-bo", "upload", words)


def waited_for(shop: Rig) -> Happened:
    made = Uploading(shop).make("Invited", "Email\nlate@shop.example\nbo@shop.example\n")
    shop.told(shop.customer("late", email="late@shop.example"))
    words = "a customer whom the list waited for appeared"
    return Happened(made.id, "+late", "awaited", words)


def loaded(shop: Rig) -> Happened:
    one = shop.segment("Loaded", "customer_tags CONTAINS 'new'")
    new = shop.customer("new", email="new@shop.example", tags=("new",))
    shop.runtime.warehouse(shop.shop).apply([new], at=shop.clock())
    with shop.runtime.office.session() as session:
        shop.jobs.later(session, "refresh_all", shop.shop)
    shop.jobs.run_until_idle()
    return Happened(one, "+new", "loaded", "the shop's data was loaded again")


def universe(shop: Rig) -> Happened:
    one = shop.segment("Everybody", "customer_tags NOT CONTAINS 'nobody'")
    shop.told(shop.customer("faye", email="faye@shop.example"))
    page = shop.visitor.get("/settings")
    form = next(form for form in page.root.all("form") if form.get("action") == "/settings/shop")
    token = next(one.get("value") for one in form.all("input") if one.get("name") == "form_token")
    fields = {"form_token": token, "universe": "buyers"}
    shop.visitor.post("/settings/shop", fields)
    shop.jobs.run_until_idle()
    shop.visitor.post("/settings/shop", fields | {"universe": "all"})
    shop.jobs.run_until_idle()
    return Happened(one, "+faye", "universe", "who counts as everybody was changed")


def deleted(shop: Rig) -> Happened:
    one = shop.segment("Of the deleted", "customer_tags CONTAINS 'gus'")
    shop.told(shop.customer("gus", email="gus@shop.example", tags=("gus",)))
    shop.told(CustomerDeleted("gus", shop.clock()))
    return Happened(one, "-gus", "deleted", "the customer was deleted")


def redacted(shop: Rig) -> Happened:
    one = shop.segment("Of the redacted", "customer_tags CONTAINS 'hana'")
    shop.told(shop.customer("hana", email="hana@shop.example", tags=("hana",)))
    shop.told(CustomerRedacted("hana", shop.clock()))
    return Happened(one, "-hana", "deleted", "the customer was deleted")


def merged(shop: Rig) -> Happened:
    one = shop.segment("Of the merged", "number_of_orders >= 1")
    shop.told(shop.customer("ina"), shop.order(8, "ina"), shop.customer("jun"))
    shop.told(CustomersMerged(kept_id="jun", removed_id="ina", at=shop.clock()))
    return Happened(one, "+jun", "merged", "the customer was merged with another")


SCENES: tuple[Callable[[Rig], Happened], ...] = (
    universe, created, order, cancellation, profile, product, edited, restored, part_edited,
    part_uploaded, part_ordered, new_day, new_day_of_part, upload, waited_for, loaded, deleted,
    redacted, merged,
)  # fmt: skip


@dataclass
class Told:
    """What the log says of a move, through each door: the newest move and its reason."""

    happened: Happened
    page: tuple[str, str]
    api: tuple[str, str]
    #: The customer's history: all of it.
    history: list[tuple[str, str]]


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    opened = open_shop(tmp_path_factory.mktemp("moves") / "home")
    names = ("ana", "bo", "cleo", "dee", "eve")
    opened.told(
        *(opened.customer(name, email=f"{name}@shop.example", tags=(name,)) for name in names)
    )
    visitor = Visitor(create_app(opened.runtime, opened.jobs))
    rig = Rig(opened.runtime, opened.jobs, opened.shop, opened.clock, visitor)
    rig.sign_in()
    yield rig
    opened.runtime.close()


@pytest.fixture(scope="module")
def told(shop: Rig) -> Mapping[str, Told]:
    """Let everything happen in one shop, one after the other, and look at each at once."""
    return {scene.__name__: _look(shop, scene(shop)) for scene in SCENES}


@pytest.fixture(scope="module")
def command(shop: Rig, told: Mapping[str, Told]) -> Iterator[Callable[..., Any]]:
    with commanding(shop) as call:
        yield call


@pytest.mark.parametrize("scene", [scene.__name__ for scene in SCENES])
def test_a_move_is_told_with_its_true_reason(told, command, scene):
    found = told[scene]
    one = found.happened
    logged = _moves(command("segments", "log", one.segment, "--cause", one.cause, "--json"))

    assert found.api == (one.move, one.cause)
    assert found.page == (one.move, one.words)
    assert found.api in found.history
    assert found.api in logged


def test_the_page_narrows_the_log_and_sends_what_it_shows(shop, told):
    address = f"/segments/{told['order'].happened.segment}?tab=log"
    whole = _rows(shop.visitor.get(address))
    found = shop.visitor.press(
        shop.visitor.get(address), "Search", What_happened="joined", Search_customers="jun"
    )
    none = shop.visitor.get(f"{address}&until=2020-01-01")
    wrong = shop.visitor.get(f"{address}&since=2026-02-02&until=2026-02-01")
    file = shop.visitor.get(found.link("Download as CSV"))
    rows = list(csv.reader(io.StringIO(file.body.removeprefix("\ufeff"))))

    assert {one for one, _why in whole} > {"+ana", "+jun", "-ina"}
    assert _rows(found) == [("+jun", "the customer was merged with another")]
    assert "Nothing here for these filters" in none.text
    assert wrong.field_problem("To") == "The last day lies before the first one. Exchange them."
    assert rows[0] == ["Time", "What", "Customer ID", "Segment", "Cause"]
    assert [row[1:] for row in rows[1:]] == [["joined", "jun", "By order", "merged"]]


def test_pages_of_the_log_follow_each_other(shop, told):
    address = f"/api/v1/shops/basic/segments/{told['order'].happened.segment}/log"
    whole = json.loads(shop.visitor.get(address).body)
    seen, cursor = [], ""
    while cursor is not None:
        page = json.loads(
            shop.visitor.get(f"{address}?limit=2{cursor and f'&cursor={cursor}'}").body
        )
        seen += page["entries"]
        cursor = page["next"]
    day = whole["entries"][0]["at"][:10]

    assert seen == whole["entries"]
    assert json.loads(shop.visitor.get(f"{address}?since={day}&what=left").body)["entries"]
    assert shop.visitor.get(f"{address}?what=gone").status == 422
    assert shop.visitor.get(f"{address}?cause=weather").status == 422
    assert shop.visitor.get(f"{address}?since=soon").status == 422


def test_a_customers_page_tells_where_they_belong_and_the_way_there(shop, told):
    page = shop.visitor.get("/customers/dee")
    gone = shop.visitor.get("/customers/gus")
    merged = shop.visitor.get("/customers/ina")
    file = shop.visitor.get("/customers/dee/log.csv?what=left&cause=day_change")

    belongs = next(one for one in page.root.all("section") if one.get("id") == "belongs")
    assert "Edited" in [link.text for link in belongs.all("a")]
    assert "Lately" not in belongs.text
    assert "Lately" in [link.text for link in page.root.all("a")]
    assert "This customer was deleted" in gone.text
    assert merged.link("Show that customer") == "/customers/jun"
    assert [line.split(",")[2:] for line in file.body.splitlines()[1:]] == [
        ["dee", "Lately", "day_change"]
    ]
    assert shop.visitor.get("/customers/nobody").status == 404


def test_the_commands_narrow_and_write_the_log(told, command, tmp_path):
    one = told["order"].happened.segment
    only = command("segments", "log", one, "--customer", "jun", "--joined", "--json")
    out = tmp_path / "log.csv"
    command("segments", "history", "dee", "--left", "--cause", "day_change", "--out", out)

    assert _moves(only) == [("+jun", "merged")]
    assert len(out.read_text("utf-8-sig").splitlines()) == 2
    assert "jun" in command("segments", "log", one, "--limit", 3)


def test_movement_by_an_edit_or_upload_of_a_part_is_told_apart_from_what_else_moves_it(shop, told):
    listed = Uploading(shop).make("A list", "Customer ID\nana\n").id
    part = shop.segment("A part", "customer_tags CONTAINS 'bo'")
    whole = shop.segment("Of both", "segment = 'A list' OR segment = 'A part'")
    above = shop.segment("Above it", "segment = 'Of both'")
    shop.later(seconds=5)
    shop.edit(part, "customer_tags CONTAINS 'cleo'")
    shop.later(seconds=5)
    Uploading(shop).change("A list", "Email\ndee@shop.example\nyet@shop.example\n", "replace")
    shop.told(shop.customer("bo", tags=("bo", "cleo")))
    shop.told(shop.customer("yet", email="yet@shop.example"))
    moved = moves_since(shop.runtime.warehouse(shop.shop), week_ago(shop.clock()))
    page = shop.visitor.get(f"/segments/{above}").text

    assert moved[listed] == Moves(joined=1, by_acts=2)
    assert moved[part] == Moves(joined=1, by_acts=2)
    assert moved[whole] == moved[above] == Moves(joined=2, by_acts=4)
    assert "2 joined and 0 left in 7 days." in page
    assert "Edits, uploads or a new count of everybody made 4 more joins and leaves." in page


def test_every_reason_has_a_scene_and_words():
    assert set(CAUSES) == set(get_args(Cause))


def _look(shop: Rig, one: Happened) -> Told:
    log, of_customer = f"/segments/{one.segment}/log", f"/customers/{one.move[1:]}/log"
    page = shop.visitor.get(f"/segments/{one.segment}?tab=log", hx_request="true")
    return Told(one, _rows(page)[0], _api(shop, log)[0], _api(shop, of_customer))


def _rows(page: Page) -> list[tuple[str, str]]:
    found = [list(row.all("td")) for row in page.root.all("tr")]
    return [
        (("+" if what.text == "joined" else "-") + _id(next(who.all("a")).text), why.text)
        for _at, who, what, why in filter(None, found)
    ]


def _id(shown: str) -> str:
    """The customers of these tests are known by their e-mail, or by their id alone."""
    return shown.removesuffix("@shop.example")


def _api(shop: Rig, path: str) -> list[tuple[str, str]]:
    return _moves(json.loads(shop.visitor.get(f"/api/v1/shops/basic{path}").body))


def _moves(log: Any) -> list[tuple[str, str]]:
    return [
        (("+" if one["what"] == "joined" else "-") + one["customer"], one["cause"])
        for one in log["entries"]
    ]
