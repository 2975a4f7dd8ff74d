"""The builder loses nothing: text → rows → text keeps the meaning, whatever is pressed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regulars.language import CATALOGUE, parse
from regulars.language.catalogue import Unavailable
from regulars.web.editing import changed, read_rows, rows_of, view_of, written
from regulars.web.editing.rows import Condition, Group
from regulars.web.i18n import Localizer
from regulars.web.part_paths import walk
from tests.exploring import looking
from tests.language.trees import trees
from tests.web.test_languages import ENGLISH, JAPANESE

EXAMPLES = [row.example for row in CATALOGUE.values() if not isinstance(row.source, Unavailable)]


def form_of(rows: Group) -> dict[str, str]:
    """Write rows as the fields that the page sends."""
    fields: dict[str, str] = {}
    for path, row in walk(rows):
        if isinstance(row, Group):
            fields[f"n:{path}:join"] = row.joiner
            if row.negated:
                fields[f"n:{path}:not"] = "on"
        elif row.text is not None:
            fields[f"n:{path}:text"] = row.text
        else:
            fields |= {f"n:{path}:attr": row.attribute, f"n:{path}:was": row.attribute}
            fields |= {f"n:{path}:op": row.operator}
            fields |= {f"n:{path}:v1": row.first, f"n:{path}:v2": row.second}
            for number, one in enumerate(row.details):
                start = f"n:{path}:p{number}:"
                fields |= {f"{start}name": one.name, f"{start}was": one.name}
                fields |= {f"{start}op": one.operator}
                fields |= {f"{start}v1": one.first, f"{start}v2": one.second}
    return fields


@pytest.mark.parametrize("text", EXAMPLES)
def test_every_attribute_survives_the_builder(text: str):
    tree = parse(text)

    assert parse(written(rows_of(tree)).text) == tree


@given(trees)
@looking(60)
def test_any_query_survives_the_builder_and_its_form(tree):
    rows = rows_of(tree)
    sent = read_rows(form_of(rows))

    assert parse(written(rows).text, evaluable=False) == tree
    assert sent == rows
    assert written(sent).text == written(rows).text


@given(
    trees, st.sampled_from(["add", "group", "remove", "up", "down", "copy", "detail"]), st.data()
)
@looking(60)
def test_no_button_breaks_the_rows(tree, verb: str, data: st.DataObject):
    rows = rows_of(tree)
    path = data.draw(st.sampled_from([path for path, _row in walk(rows)]))
    after = changed(rows, f"{verb}:{path}")

    assert read_rows(form_of(after)) == after
    text = written(after)
    for place, (start, end) in text.places.items():
        row = dict(walk(after))[place]
        if isinstance(row, Condition) and row.text is None:
            assert text.text[start:end].startswith(row.attribute)


@pytest.mark.parametrize("say", [ENGLISH, JAPANESE], ids=["en", "ja"])
@pytest.mark.parametrize("text", EXAMPLES)
def test_every_attribute_can_be_drawn(text: str, say: Localizer):
    view = view_of(rows_of(parse(text)), say)

    assert view.parts


@pytest.mark.parametrize(
    "op", ["", "add", "add:", "remove:r", "remove:r.9", "add:x", "up:r.0.0.0", "undetail:r.0:99"]
)
def test_a_button_that_names_no_row_changes_nothing(op: str):
    rows = rows_of(parse("number_of_orders >= 1"))

    assert changed(rows, op) == rows_of(parse("number_of_orders >= 1"))
