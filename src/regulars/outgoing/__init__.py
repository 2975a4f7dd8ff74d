"""Telling other programs: signed webhooks and Shopify Flow, for joins, leaves, tags and trackings.

What happened is found by comparing: the membership log from where an endpoint left off, and the
states it was last told of. So a stop loses nothing, and no feature has to know that anybody
listens. Starting the work is the jobs' work.
"""

from regulars.outgoing.collecting import State, collect, remember
from regulars.outgoing.endpoints import (
    change_endpoint,
    create_endpoint,
    delete_endpoint,
    find_endpoint,
    forget_old,
    is_told,
    list_deliveries,
    list_endpoints,
    listening,
    replay,
    seal_anew,
    test_endpoint,
)
from regulars.outgoing.events import EVENTS, FLOW_EVENTS
from regulars.outgoing.sending import SIGNATURE, Flow, Sender, Senders, signature

__all__ = [
    "EVENTS",
    "FLOW_EVENTS",
    "SIGNATURE",
    "Flow",
    "Sender",
    "Senders",
    "State",
    "change_endpoint",
    "collect",
    "create_endpoint",
    "delete_endpoint",
    "find_endpoint",
    "forget_old",
    "is_told",
    "list_deliveries",
    "list_endpoints",
    "listening",
    "remember",
    "replay",
    "seal_anew",
    "signature",
    "test_endpoint",
]
