"""What other programs ask of the jobs: look for what happened, and send it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from regulars import outgoing
from regulars.clock import is_over
from regulars.errors import Refused
from regulars.jobs import queue
from regulars.jobs.run import JobRun
from regulars.office import Shop
from regulars.office.models.jobs import Job
from regulars.office.models.tags import TagAssignment
from regulars.office.models.trackings import RevenueTracking
from regulars.runtime import Runtime
from regulars.tracking.period import reached
from regulars.tracking.trackings import Status, standing

if TYPE_CHECKING:
    from regulars.jobs.jobs import Jobs

#: What may be worth telling of.
TOPICS: Final = frozenset({"segments", "tags", "trackings", "day"})
#: News may be missed; this long after the last look another one is due anyway.
LOOK_PAUSE = timedelta(hours=1)

_TAG_EVENTS: Final[Mapping[str, str]] = {
    "assigned": "tag.assigned",
    "partly_failed": "tag.assigned",
    "failed": "tag.failed",
    "removed": "tag.removed",
    "partly_removed": "tag.removed",
}
_TRACKING_EVENTS: Final[Mapping[str, str]] = {
    "in_progress": "tracking.started",
    "finished": "tracking.finished",
    "cancelled": "tracking.cancelled",
}


def listen(jobs: Jobs) -> None:
    """Have a look taken whenever something happened that somebody wants to be told of."""
    jobs.start_on(TOPICS, "tell_outside", outgoing.is_told)


def enqueue_due(session: Session, shop: Shop, now: datetime) -> None:
    """Enqueue a look where none was taken for long; asking twice adds nothing."""
    if not outgoing.is_told(session, shop.id):
        return
    if is_over(queue.last_asked(session, "tell_outside", shop_id=shop.id), LOOK_PAUSE, now):
        queue.enqueue(session, shop_id=shop.id, kind="tell_outside", now=now)


def tell_outside(run: JobRun) -> None:
    """Keep what happened as deliveries, and have them sent."""
    runtime, shop = run.runtime, run.shop
    while True:
        with runtime.office.reading() as session:
            states = list(states_of(session, shop, runtime.clock()))
        is_more = outgoing.collect(
            runtime.office, runtime.warehouse(shop), shop, states, runtime.clock()
        )
        if not is_more:
            break
        run.report(note="Following the membership log")
    with runtime.office.session() as session:
        for endpoint in outgoing.listening(session, shop.id):
            deliver_later(run.jobs, session, shop, endpoint.id)


def deliver_later(jobs: Jobs, session: Session, shop: Shop, endpoint_id: int) -> Job:
    """Have what waits for an endpoint sent."""
    arguments: dict[str, object] = {"endpoint_id": endpoint_id}
    return jobs.later(session, "deliver_outside", shop, key=str(endpoint_id), arguments=arguments)


def deliver_outside(run: JobRun) -> timedelta | None:
    """Send what is due to one endpoint."""
    runtime, shop = run.runtime, run.shop
    senders = outgoing.Senders(
        runtime.outside, lambda handle, payload: _to_flow(runtime, shop, handle, payload)
    )
    endpoint_id = int(str(run.arguments["endpoint_id"]))
    sender = outgoing.Sender(runtime.office, runtime.sealer, senders, runtime.clock)
    return sender.run(endpoint_id)


def _to_flow(runtime: Runtime, shop: Shop, handle: str, payload: Mapping[str, object]) -> None:
    told = runtime.shopify(shop).run("flow_trigger", {"handle": handle, "payload": dict(payload)})
    wrong = told["flowTriggerReceive"]["userErrors"]
    if wrong:
        raise Refused("; ".join(str(one["message"]) for one in wrong)[:400])


def states_of(session: Session, shop: Shop, now: datetime) -> Iterator[outgoing.State]:
    """Yield where the shop's tag assignments and trackings stand."""
    assignments = select(TagAssignment).where(
        TagAssignment.shop_id == shop.id, TagAssignment.kind != "legacy"
    )
    for assignment in session.scalars(assignments):
        data = {
            "assignment": {
                "id": assignment.id,
                "tag": assignment.tag,
                "segment": {"id": assignment.segment_id, "name": assignment.segment_name},
                "status": assignment.status,
                "targeted_count": assignment.targeted_count,
            }
        }
        event = _TAG_EVENTS.get(assignment.status)
        yield outgoing.State("tag", assignment.id, assignment.status, event, data)
    at = reached(shop, now)
    trackings = select(RevenueTracking).where(RevenueTracking.shop_id == shop.id)
    for one in session.scalars(trackings):
        yield _state_of(one, standing(one, at).status)


def _state_of(one: RevenueTracking, status: Status) -> outgoing.State:
    data = {
        "tracking": {
            "id": one.id,
            "name": one.name,
            "segment": {"id": one.segment_id, "name": one.segment_name},
            "starts_on": one.starts_on.isoformat(),
            "ends_on": one.ends_on.isoformat(),
            "status": status,
        }
    }
    return outgoing.State("tracking", one.id, status, _TRACKING_EVENTS.get(status), data)
