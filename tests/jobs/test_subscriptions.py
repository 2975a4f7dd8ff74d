"""Subscriptions: what is missing at Shopify is asked for again with the next look, by the clock."""

from __future__ import annotations

from regulars.office import Shop
from tests.contract.shop import open_place


def test_a_subscription_missing_at_shopify_is_made_again_within_a_quarter_of_an_hour(at_work):
    place = open_place()
    at_work.runtime._clients[at_work.shop.id] = place.client
    at_work.runtime.settings.public_url = "https://regulars.example.com"
    with at_work.runtime.office.session() as session:
        shop = session.get_one(Shop, at_work.shop.id)
        shop.kind, shop.domain = "shopify", place.shop.domain
        # Loaded and looked at a moment ago, so that nothing else is due.
        shop.loaded_at = shop.caught_up_at = at_work.clock()
    kept = place.simulator.webhooks.subscriptions
    at_work.later(minutes=15)
    wanted = sorted(one.topic for one in kept.values())
    assert wanted

    lost = next(iter(kept))
    topic = kept.pop(lost).topic
    at_work.later(minutes=14)
    assert topic not in {one.topic for one in kept.values()}
    at_work.later(minutes=1)

    assert sorted(one.topic for one in kept.values()) == wanted
    assert {one.uri for one in kept.values()} == {"https://regulars.example.com/webhooks/shopify"}
    place.simulator.close()
