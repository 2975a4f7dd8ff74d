"""A deleted segment stands in the trash and comes back with one press."""

from __future__ import annotations


def test_a_deleted_segment_comes_back(visitor, world):
    made = world.segment("Gone", "number_of_orders >= 1")
    visitor.press(visitor.get(f"/segments/{made}/delete"), "Delete")
    trash = visitor.get("/segments/trash")
    assert "Gone" in trash.text

    back = visitor.press(trash, "Restore")

    assert back.heading == "Gone"
    assert "Gone" not in visitor.get("/segments/trash").text
