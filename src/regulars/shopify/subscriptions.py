"""Webhook subscriptions: make what is missing, point all to our address, make deleted ones anew.

Shopify deletes a subscription after eight failures in a row, so this is run again and again.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from regulars.shopify.answers import InputRefused
from regulars.shopify.client import ShopifyClient
from regulars.shopify.shop import read_shop
from regulars.shopify.webhooks import SUBSCRIBED, topic_enum

PAGE = 100


@dataclass(slots=True)
class Subscribed:
    """What was found and done, by topic."""

    kept: list[str] = field(default_factory=list)
    created: list[str] = field(default_factory=list)
    #: Pointed to another address before.
    moved: list[str] = field(default_factory=list)
    #: Topics whose scope the app lacks; the scope is the value.
    without_scope: dict[str, str] = field(default_factory=dict)
    #: Topics that Shopify did not accept, and what it said.
    refused: dict[str, str] = field(default_factory=dict)

    @property
    def is_complete(self) -> bool:
        """Whether every topic that we may have is subscribed to."""
        return not self.refused


def subscribe(client: ShopifyClient, address: str) -> Subscribed:
    """Make our subscriptions of the shop what they should be, all to `address`.

    Doing it twice changes nothing. A topic that Shopify refuses does not stop the others.
    """
    scopes = read_shop(client).scopes
    done = Subscribed()
    existing = _existing(client)
    for topic, scope in SUBSCRIBED.items():
        if scope is not None and not {scope, scope.replace("read_", "write_")} & scopes:
            done.without_scope[topic] = scope
            continue
        try:
            _subscribe(client, topic, address, existing.get(topic_enum(topic), []), done)
        except InputRefused as refused:
            done.refused[topic] = "; ".join(refusal.message for refusal in refused.refusals)
    return done


def unsubscribe(client: ShopifyClient) -> int:
    """Take all of this app's subscriptions off; return how many there were."""
    gone = [node_id for found in _existing(client).values() for node_id, _ in found]
    for node_id in gone:
        client.run("webhook_delete", {"id": node_id})
    return len(gone)


def _subscribe(
    client: ShopifyClient,
    topic: str,
    address: str,
    existing: list[tuple[str, str]],
    done: Subscribed,
) -> None:
    if any(uri == address for _, uri in existing):
        done.kept.append(topic)
    elif existing:
        node_id, _ = existing[0]
        client.run("webhook_update", {"id": node_id, "webhookSubscription": {"uri": address}})
        done.moved.append(topic)
    else:
        wanted = {"uri": address, "format": "JSON"}
        client.run("webhook_create", {"topic": topic_enum(topic), "webhookSubscription": wanted})
        done.created.append(topic)


def _existing(client: ShopifyClient) -> dict[str, list[tuple[str, str]]]:
    found: dict[str, list[tuple[str, str]]] = {}
    for node_id, topic, uri in _listed(client):
        found.setdefault(topic, []).append((node_id, uri))
    return found


def _listed(client: ShopifyClient) -> Iterator[tuple[str, str, str]]:
    after: str | None = None
    while True:
        page = client.run("webhook_list", {"first": PAGE, "after": after})["webhookSubscriptions"]
        for node in page["nodes"]:
            yield node["id"], node["topic"], node["uri"]
        if not page["pageInfo"]["hasNextPage"]:
            return
        after = page["pageInfo"]["endCursor"]
