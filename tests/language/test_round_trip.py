"""Text → tree → text, over Shopify's own examples and random trees, in both forms."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regulars.errors import QueryError
from regulars.language import check, describe, parse, parse_with_notes, print_query
from regulars.language.keys import filter_key, mentions_time, positive
from regulars.language.tree import Node, filters_of
from tests.exploring import looking
from tests.language.trees import filters, trees

_LINES = (Path(__file__).parent / "shopify_queries.tsv").read_text(encoding="utf-8").splitlines()
_CASES = [line.split("\t") for line in _LINES if not line.startswith("#")]
READ = [(form, json.loads(query)) for verdict, form, query in _CASES if verdict == "reads"]
REFUSED = [(form, json.loads(query)) for verdict, form, query in _CASES if verdict == "refused"]


def test_the_collected_queries_are_all_there():
    assert len(READ) == 135
    assert len(REFUSED) == 33


@pytest.mark.parametrize(("form", "query"), READ)
def test_a_query_that_shopify_takes_is_read_in_its_form_and_in_any(form: str, query: str):
    tree = parse(query, form, evaluable=False)

    assert tree == parse(query, "any", evaluable=False)
    assert tree == parse(print_query(tree), "matches", evaluable=False)


@pytest.mark.parametrize("query", [query for form, query in READ if form == "previous"])
def test_a_query_of_the_previous_form_prints_back_in_it(query: str):
    tree = parse(query, evaluable=False)

    assert tree == parse(print_query(tree, "previous"), "previous", evaluable=False)


@pytest.mark.parametrize(("form", "query"), REFUSED)
def test_a_query_that_shopify_refuses_is_refused(form: str, query: str):
    for dialect in {form, "any"}:
        with pytest.raises(QueryError) as refusal:
            parse(query, dialect, evaluable=False)

        for found in refusal.value.problems:
            assert found.message
            assert found.start is None or 0 <= found.start <= len(query)


@looking(15)
@given(trees)
def test_a_tree_prints_and_reads_back_as_itself(tree: Node):
    check(tree, evaluable=False)
    text = print_query(tree)

    again = parse(text, "matches", evaluable=False)

    assert tree == again
    assert text == print_query(again)


@looking(15)
@given(trees)
def test_the_previous_form_says_a_tree_exactly_or_not_at_all(tree: Node):
    try:
        text = print_query(tree, "previous")
    except QueryError as refusal:
        codes = {found.code for found in refusal.problems} - {"more_problems"}
    else:
        codes = {"not_in_previous_form"}
        assert tree == parse(text, "previous", evaluable=False)

    assert codes == {"not_in_previous_form"}


@looking(15)
@given(trees)
def test_spans_mark_the_text_of_each_filter(tree: Node):
    text = print_query(tree)

    for leaf in filters_of(parse(text, evaluable=False)):
        marked = text[leaf.span.start : leaf.span.end]
        assert leaf == parse(marked, evaluable=False)


@looking(15)
@given(trees, st.sampled_from(["en", "ja"]), st.sampled_from(["JPY", "USD", "CHF"]))
def test_every_tree_has_a_sentence(tree: Node, language: str, currency: str):
    sentence = describe(tree, language, currency)

    assert sentence.strip()
    # A place of a template left open would show as a bracket that no text put there.
    if "{" not in print_query(tree):
        assert "{" not in sentence


@looking(15)
@given(st.one_of(st.text(), st.text("()'=<>!ANDORNTIS amount_spent,:-70d.", max_size=60)))
def test_any_text_is_read_or_refused(text: str):
    for dialect in ("any", "matches", "previous"):
        try:
            parse_with_notes(text, dialect)
        except QueryError as refusal:
            for found in refusal.problems:
                found.message.encode("utf-8")


@looking(15)
@given(trees, st.data())
def test_a_damaged_query_is_read_or_refused(tree: Node, data: st.DataObject):
    text = print_query(tree)
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, min(len(text), start + 5)))
    damaged = text[:start] + data.draw(st.text(max_size=3)) + text[end:]

    try:
        parse(damaged)
    except QueryError as refusal:
        for found in refusal.problems:
            found.message.encode("utf-8")


@looking(15)
@given(filters())
def test_a_filter_and_its_negation_share_their_key(leaf):
    made, _ = positive(leaf)

    assert filter_key(leaf) == filter_key(made)
    assert positive(made) == (made, False)
    assert filter_key(leaf) == filter_key(parse(print_query(leaf), evaluable=False))
    assert mentions_time(leaf) == mentions_time(made)
