"""What pages and API do with endpoints alike; each act is in the audit log by itself."""

from __future__ import annotations

from collections.abc import Sequence

from regulars import outgoing
from regulars.jobs.telling import states_of
from regulars.office import Shop
from regulars.office.models.outgoing import Delivery, Endpoint
from regulars.web.deps import ApiCall, Visit

Asker = ApiCall | Visit


def create(
    asker: Asker, shop: Shop, *, kind: str, address: str, events: Sequence[str]
) -> tuple[Endpoint, str | None]:
    """Make an endpoint that is told of what happens from now on."""
    runtime = asker.runtime
    key = runtime.warehouse(shop).last_log_key()
    with asker.office() as session:
        outgoing.remember(session, shop, states_of(session, shop, asker.now))
        return outgoing.create_endpoint(
            session,
            runtime.sealer,
            shop,
            kind=kind,
            address=address,
            events=events,
            followed_key=key,
            author=asker.author,
            now=asker.now,
            loopback_allowed=bool(runtime.settings.simulator_url),
        )


def change(
    asker: Asker,
    shop: Shop,
    endpoint_id: int,
    *,
    events: Sequence[str] | None = None,
    is_on: bool | None = None,
) -> Endpoint:
    """Choose other events, switch off, or on again."""
    key = asker.runtime.warehouse(shop).last_log_key()
    with asker.office() as session:
        row = outgoing.find_endpoint(session, shop, endpoint_id)
        if is_on and row.disabled_at is not None:
            outgoing.remember(session, shop, states_of(session, shop, asker.now))
        outgoing.change_endpoint(
            session, row, now=asker.now, followed_key=key, events=events, is_on=is_on
        )
        if is_on:
            asker.jobs.deliver_later(session, shop, row.id)
    return row


def delete(asker: Asker, shop: Shop, endpoint_id: int) -> None:
    """Take an endpoint away."""
    with asker.office() as session:
        outgoing.delete_endpoint(session, outgoing.find_endpoint(session, shop, endpoint_id))


def test(asker: Asker, shop: Shop, endpoint_id: int) -> Delivery:
    """Have a test event sent."""
    with asker.office() as session:
        row = outgoing.find_endpoint(session, shop, endpoint_id)
        sent = outgoing.test_endpoint(session, shop, row, asker.now)
        asker.jobs.deliver_later(session, shop, row.id)
    return sent


def replay(asker: Asker, shop: Shop, endpoint_id: int, delivery_id: int | None = None) -> int:
    """Send one delivery again, or all that failed."""
    with asker.office() as session:
        row = outgoing.find_endpoint(session, shop, endpoint_id)
        count = outgoing.replay(session, row, asker.now, delivery_id)
        asker.jobs.deliver_later(session, shop, row.id)
    return count
