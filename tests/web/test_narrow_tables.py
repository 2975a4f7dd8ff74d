"""Tables in windows too narrow for columns: each value stands after its heading."""

from __future__ import annotations

from markupsafe import Markup

from regulars.web.templating import told_apart
from tests.web.visitor import Visitor, read_html
from tests.web.world import World


def test_each_value_has_its_heading_beside_it():
    rows = Markup(
        "<tr><td>VIP</td><td class='number'>3</td><td><a>…</a></td></tr>"
        "<tr><th scope='row'>Other</th><td>4</td><td></td></tr>"
    )
    columns = [("Name", ""), ('Customers "now"', "number"), ("", "shrink")]

    cells = list(read_html(str(told_apart(rows, columns))).all("td", "th"))

    assert [one.get("data-label") for one in cells] == ["", 'Customers "now"', ""] * 2


def test_a_list_names_its_values_and_a_matrix_stays_one(world: World, visitor: Visitor):
    for name in ("Narrow A", "Narrow B"):
        world.segment(name, f"number_of_orders >= {len(name)}")
    tables = {
        address: next(visitor.get(address).root.all("table"))
        for address in ("/segments", "/insights")
    }

    assert [one.get("data-label") for one in tables["/segments"].all("td")][:6] == [
        "",
        "Customers",
        "Share of all",
        "Joined / left, 7 days",
        "Last edited",
        "",
    ]
    assert not any(one.get("data-label") for one in tables["/insights"].all("td"))
