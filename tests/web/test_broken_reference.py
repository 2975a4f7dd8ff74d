"""A rule that names what is not there: its members stay, and every door says what is wrong."""

from __future__ import annotations

from regulars.office.models.segments import Segment
from regulars.web import create_app, sessions
from tests.jobs.at_work import open_shop
from tests.web.commanding import commanding
from tests.web.visitor import Visitor


def test_a_segment_whose_rule_names_a_lost_one_keeps_its_members_and_says_so(tmp_path):
    shop = open_shop(tmp_path / "home")
    shop.told(*(shop.customer(name, tags=(name,)) for name in ("ana", "bo")))
    one = shop.segment("Leaning", "customer_tags CONTAINS 'ana'")
    shop.segment("Standing", "customer_tags CONTAINS 'bo'")
    logged = shop.logged(one)
    with shop.runtime.office.session() as session:
        segment = session.get_one(Segment, one)
        segment.query = "segment = 'Nowhere'"
        segment.version += 1
        shop.jobs.refresh_segment_later(session, shop.shop, one, "edited")
        owner = sessions.ensure_owner(session, shop.clock())
        link = sessions.create_sign_in_link(session, owner, shop.clock())
    shop.jobs.run_until_idle()
    visitor = Visitor(create_app(shop.runtime, shop.jobs))
    visitor.sign_in(link)
    page, home = visitor.get(f"/segments/{one}").text, visitor.get("/segments").text
    with commanding(shop) as command:
        told = command("segments", "list", "--json")["segments"]
        shown = command("segments", "show", one)

    assert shop.members(one) == {"ana"}
    assert shop.logged(one) == logged
    assert "This segment cannot be counted at the moment" in page
    assert "Nowhere" in page
    assert home.count("Needs attention") == 1
    assert {row["name"]: row["state"] for row in told} == {"Leaning": "broken", "Standing": "ready"}
    assert "Nowhere" in next(row["problem"] for row in told if row["id"] == one)
    assert "broken: " in shown
    shop.runtime.close()
