"""Shopify: the client, our documents, sync and sign-in. Knows facts, not the office."""

from regulars.shopify.answers import (
    AnswerLost,
    InputRefused,
    Refusal,
    ShopClosed,
    TooExpensive,
)
from regulars.shopify.auth import (
    Grant,
    RotatingToken,
    SessionClaims,
    TokenDoor,
    authorize_url,
    verify_callback,
    verify_install_query,
    verify_session_token,
)
from regulars.shopify.backfilling import Allow, Backfilled, Step, allow_all, backfill, compare
from regulars.shopify.catching_up import TooMuchChanged, catch_up, read_again
from regulars.shopify.client import ShopifyClient
from regulars.shopify.documents import API_VERSION, API_VERSION_OLDEST
from regulars.shopify.http import open_http, shop_domain
from regulars.shopify.reading import gid_of, id_of
from regulars.shopify.shop import ShopInfo, known_tags, read_shop
from regulars.shopify.subscriptions import Subscribed, subscribe, unsubscribe
from regulars.shopify.tokens import FixedToken, TokenSource
from regulars.shopify.webhooks import facts_from_webhook, is_known_topic, to_read_again, verify

__all__ = [
    "API_VERSION",
    "API_VERSION_OLDEST",
    "Allow",
    "AnswerLost",
    "Backfilled",
    "FixedToken",
    "Grant",
    "InputRefused",
    "Refusal",
    "RotatingToken",
    "SessionClaims",
    "ShopClosed",
    "ShopInfo",
    "ShopifyClient",
    "Step",
    "Subscribed",
    "TokenDoor",
    "TokenSource",
    "TooExpensive",
    "TooMuchChanged",
    "allow_all",
    "authorize_url",
    "backfill",
    "catch_up",
    "compare",
    "facts_from_webhook",
    "gid_of",
    "id_of",
    "is_known_topic",
    "known_tags",
    "open_http",
    "read_again",
    "read_shop",
    "shop_domain",
    "subscribe",
    "to_read_again",
    "unsubscribe",
    "verify",
    "verify_callback",
    "verify_install_query",
    "verify_session_token",
]
