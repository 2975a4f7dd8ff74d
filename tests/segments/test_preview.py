"""The save preview says exactly what saving does; differences join to both texts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regulars import segments
from regulars.errors import ConflictError, QueryError
from regulars.office.models.tags import TagRule


def preview(at_work, segment_id, query):
    runtime, shop = at_work.runtime, at_work.shop
    with runtime.office.reading() as session:
        row = segments.find_segment(session, shop, segment_id)
        return segments.preview_edit(
            session,
            shop,
            row,
            query=query,
            memberships=runtime.memberships(shop),
            evaluator=runtime.evaluator(shop),
            now=at_work.clock(),
        )


def test_the_preview_is_what_saving_does(at_work):
    ids = at_work.all_segments(
        {
            "VIP": "amount_spent >= 200",
            "Others": "segment != 'VIP'",
            "Few": "segment = 'Others' AND number_of_orders = 1",
            "Apart": "number_of_orders >= 1",
        }
    )
    at_work.told(
        at_work.order(1, "ana", 100), at_work.order(2, "bo", 300), at_work.order(3, "cleo", 220)
    )
    before = {one: at_work.members(one) for one in ids}

    told = preview(at_work, ids[0], "amount_spent < 250")
    assert {one: at_work.members(one) for one in ids} == before
    at_work.edit(ids[0], "amount_spent < 250")

    names = at_work.runtime.warehouse(at_work.shop).customer_ids
    assert set(names(told.joined).values()) == at_work.members(ids[0]) - before[ids[0]] == {"ana"}
    assert set(names(told.left).values()) == before[ids[0]] - at_work.members(ids[0]) == {"bo"}
    assert [one.name for one in told.others] == ["Others", "Few"]
    for one in told.others:
        now, then = at_work.members(one.segment_id), before[one.segment_id]
        assert set(names(one.joined).values()) == now - then
        assert set(names(one.left).values()) == then - now
    assert [(user.kind, user.name) for user in told.users] == [("segment", "Others")]


def test_the_preview_names_the_tags_and_trackings_of_all_that_change(at_work):
    first, second = at_work.all_segments({"A": "number_of_orders = 1", "B": "segment = 'A'"})
    shop, now = at_work.shop, at_work.clock()
    at_work.told(at_work.order(1, "ana", 100))
    with at_work.runtime.office.session() as session:
        session.add_all(
            TagRule(shop_id=shop.id, segment_id=one, tag=tag, tag_key=tag, author="ana",
                    created_at=now, is_on=is_on, is_released=True, held_give_count=0,
                    held_take_count=0, grace_days=0, drift="respect", holdout_share=0, position=0)
            for one, tag, is_on in [(first, "a", True), (second, "b", True), (second, "off", False)]
        )  # fmt: skip

    told = preview(at_work, first, "number_of_orders = 2")

    users = [(user.kind, user.name) for user in told.users]
    assert users == [("segment", "B"), ("rule", "a")]
    assert [[user.name for user in one.users] for one in told.others] == [["b"]]
    with at_work.runtime.office.session() as session:
        row = segments.find_segment(session, shop, first)
        with pytest.raises(ConflictError, match=r'segments \("B"\) and tag rules \("a"\)'):
            segments.delete_segment(session, shop, row, now=now)


def test_a_preview_of_a_circle_or_of_nonsense_is_refused(at_work):
    first, _second = at_work.all_segments({"A": "number_of_orders = 1", "B": "segment = 'A'"})

    for query in ("segment = 'B'", "number_of_ordrs = 2"):
        with pytest.raises(QueryError):
            preview(at_work, first, query)


def test_an_edit_that_changes_nobody_touches_nothing(at_work):
    first, _second = at_work.all_segments({"A": "number_of_orders = 1", "B": "segment = 'A'"})

    told = preview(at_work, first, "number_of_orders = 2")

    assert (len(told.joined), len(told.left), told.others) == (0, 0, [])


def test_a_difference_shows_the_words_that_changed():
    pieces = segments.difference("amount_spent >= 200", "amount_spent >= 250 AND x = 'a b'")

    assert [(one.kind, one.text) for one in pieces] == [
        ("same", "amount_spent >= "),
        ("removed", "200"),
        ("added", "250 AND x = 'a b'"),
    ]


@given(st.text(max_size=60), st.text(max_size=60))
def test_a_difference_joins_to_both_texts(old, new):
    pieces = segments.difference(old, new)

    assert "".join(one.text for one in pieces if one.kind != "added") == old
    assert "".join(one.text for one in pieces if one.kind != "removed") == new
