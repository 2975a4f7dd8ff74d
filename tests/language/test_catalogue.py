"""Every row of the catalogue is whole: example, sentences, page, and a place in the warehouse."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from regulars.language import CATALOGUE, describe, parse
from regulars.language.catalogue import (
    Attribute,
    Kind,
    Labels,
    Role,
    Unavailable,
    Value,
)
from regulars.language.reference import page
from regulars.language.tree import filters_of

_ROOT = Path(__file__).parents[2]
_ROWS = list(CATALOGUE.values())
_each = pytest.mark.parametrize("row", _ROWS, ids=lambda row: row.name)


def test_the_reference_page_is_what_the_catalogue_says():
    committed = (_ROOT / "docs" / "language.md").read_text(encoding="utf-8")

    assert committed == page(), "run: python -m regulars.language.reference"


@_each
def test_the_example_of_a_row_is_about_it(row: Attribute):
    leaves = filters_of(parse(row.example, evaluable=False))

    assert [leaf.attribute for leaf in leaves] == [row.name]
    assert describe(leaves[0], "en") != describe(leaves[0], "ja")


@_each
def test_a_row_speaks_both_languages(row: Attribute):
    assert row.label_en
    assert row.meaning_en.endswith(".")
    assert re.search(r"[ぁ-んァ-ン一-龥]", row.label_ja)
    assert row.meaning_ja.endswith(("。", ")。"))
    assert row.say_en.yes
    assert row.say_ja.yes
    for known in row.parameters:
        assert known.meaning_en.endswith(".")
        assert known.meaning_ja.endswith("。")
        assert known.previous_only or ("{value}" in known.say_en and "{value}" in known.say_ja)


@_each
def test_a_choice_names_its_values_in_both_languages(row: Attribute):
    assert set(row.value_names) == set(row.values)
    assert (row.kind is Kind.ENUM) == bool(row.values)


@_each
def test_only_what_shopify_keeps_to_itself_is_refused(row: Attribute):
    told_elsewhere = row.name.startswith(("shopify_email.", "storefront.")) or row.name in (
        "created_by_app_id",
        "abandoned_checkout_date",
    )

    assert isinstance(row.source, Unavailable) == told_elsewhere


def _tables() -> dict[str, set[str]]:
    """Read the tables and columns that the warehouse's schema names."""
    source = (_ROOT / "src/regulars/warehouse/schema.sql").read_text(encoding="utf-8")
    source = re.sub(r"--[^\n]*", "", source)
    tables = {}
    for name, body in re.findall(r"CREATE TABLE (\w+) \((.*?)\n?\);", source, re.DOTALL):
        columns = re.findall(r"(?:^|,)\s*(\w+)\s+[A-Z]", body)
        tables[name] = set(columns)
    return tables


@_each
def test_the_source_of_a_row_is_in_the_warehouse(row: Attribute):
    tables = _tables()
    match row.source:
        case Value(column):
            assert column in tables["customers"]
        case Labels(table, column):
            assert column in tables[table]


@_each
def test_names_of_ours_are_marked_and_parameters_have_one_role(row: Attribute):
    for known in row.parameters:
        assert known.role in Role
        if known.previous_only is not None:
            assert row.parameter(known.means) is not None


def test_the_language_imports_nothing_but_the_standard_library_and_itself():
    import sys

    for path in (_ROOT / "src/regulars/language").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            for name in names:
                ours = name.startswith(("regulars.language", "regulars.errors"))
                assert ours or name.split(".")[0] in sys.stdlib_module_names, f"{path}: {name}"
