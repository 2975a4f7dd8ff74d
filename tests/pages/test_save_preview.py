"""The editor shows what saving an edited rule would do, before it is saved."""

from __future__ import annotations


def test_the_editor_says_who_would_join_and_leave(visitor, world):
    vip = world.segment("VIP", "amount_spent >= 30000")
    world.segment("Others", "segment != 'VIP'")
    editor = visitor.get(f"/segments/{vip}/edit")
    assert not [one for one in editor.root.all("ul") if "data-effect" in one.attributes]

    told = visitor.post(
        "/segments/preview",
        {"segment": str(vip), "source": "text", "name": "VIP", "query": "amount_spent >= 57000"},
        **{"HX-Request": "true"},
    )

    (effect,) = [one for one in told.root.all("ul") if "data-effect" in one.attributes]
    assert "9 customers leaveCustomer 030, Ana" in effect.text
    assert "Others" in effect.text
