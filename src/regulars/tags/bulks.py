"""Large tag work: read the whole shop, store what will be done, one bulk mutation, its outcome.

Each stage is a state of a row, so that nothing is waited for inside a worker and a stop in the
middle finds the operation again. A shop has one such operation at a time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from regulars.errors import Unavailable
from regulars.office.models.tags import TagBulk
from regulars.tags import log, tasks
from regulars.tags.ledger import parts, present_tags
from regulars.tags.port import Answer
from regulars.tags.run import Run
from regulars.tags.tasks import Task

#: Customers of one bulk mutation: about 8 MB of Shopify's 100 MB, and a stop repeats no more.
BULK_CUSTOMERS_MAX = 100_000
#: How often a bulk operation is asked how far it is.
BULK_PAUSE = timedelta(seconds=2)

# Built once: every step of the work asks for it.
_OPEN = select(TagBulk).where(TagBulk.shop_id == bindparam("shop"), TagBulk.state != "done")
_OPEN = _OPEN.order_by(TagBulk.id).limit(1)


def open_bulk(session: Session, shop_id: int) -> TagBulk | None:
    """Return the operation that the shop's tag work has under way."""
    return session.scalar(_OPEN, {"shop": shop_id})


def start(run: Run, task: Task) -> None:
    """Begin with the open customers of a task: giving needs their present tags first."""
    with run.writing() as session:
        ids = run.desk(session, task).open_ids(BULK_CUSTOMERS_MAX)
        bulk = TagBulk(
            shop_id=run.shop_id,
            work=task.kind,
            work_id=task.id,
            tag_key=task.key,
            customer_ids=ids,
            state="reading",
            done_count=0,
            created_at=run.clock(),
        )
        session.add(bulk)
    run.checkpoint("bulk opened")
    follow(run, bulk, task)


def follow(run: Run, bulk: TagBulk, task: Task) -> None:
    """Move an operation on by one stage, if Shopify is through with the last."""
    if bulk.state == "reading":
        if not task.adds:
            _intend(run, bulk, task, {})
        elif bulk.operation_gid is None:
            _start_reading(run, bulk)
        elif run.port.is_read(bulk.operation_gid):
            _intend(run, bulk, task, _read(run, bulk, bulk.operation_gid))
    elif bulk.state in {"made", "doubted"}:
        _find_or_send(run, bulk, task)
    else:
        _collect(run, bulk, task)


def _start_reading(run: Run, bulk: TagBulk) -> None:
    gid = run.port.start_reading()
    run.checkpoint("bulk reading started")
    with run.writing() as session:
        session.get_one(TagBulk, bulk.id).operation_gid = gid


def _read(run: Run, bulk: TagBulk, operation_gid: str) -> Mapping[str, Sequence[str]]:
    try:
        tags = present_tags(run.port.readings(operation_gid), bulk.customer_ids)
    except Unavailable:
        # A result that was given up or is no longer served is asked for anew.
        with run.writing() as session:
            session.get_one(TagBulk, bulk.id).operation_gid = None
        raise
    run.checkpoint("bulk read")
    return tags


def _intend(run: Run, bulk: TagBulk, task: Task, tags: Mapping[str, Sequence[str]]) -> None:
    due: list[str] = []
    with run.writing() as session:
        row = session.get_one(TagBulk, bulk.id)
        if tasks.is_open(session, task):
            desk = run.desk(session, task)
            # Of the row as it is now: a merge may have taken somebody out since the reading.
            for part in parts(row.customer_ids):
                due += desk.intend(part, tags)
        row.customer_ids, row.operation_gid = due, None
        # From here on a lost answer may mean that the mutation runs.
        row.state, row.created_at = "made" if due else "done", run.clock()
    run.checkpoint("bulk intent stored")
    if due:
        _send(run, row, task)


def _find_or_send(run: Run, bulk: TagBulk, task: Task) -> None:
    """Go on where a start was not answered: the operation may be there already."""
    gid = _find(run, bulk, task)
    if gid is not None:
        _set_running(run, bulk, task, gid)
    elif bulk.state == "made":
        _send(run, bulk, task)
    else:
        with run.writing() as session:
            session.get_one(TagBulk, bulk.id).state = "reading"


def _send(run: Run, bulk: TagBulk, task: Task) -> None:
    gid = run.port.start_bulk(bulk.customer_ids, task.tag, add=task.adds)
    run.checkpoint("bulk started")
    _set_running(run, bulk, task, gid)


def _set_running(run: Run, bulk: TagBulk, task: Task, gid: str) -> None:
    with run.writing() as session:
        row = session.get_one(TagBulk, bulk.id)
        row.state, row.operation_gid = "running", gid
        count = len(bulk.customer_ids)
        log.note(session, task.assignment_id, "bulk_started", run.clock(), customers=count)


def _find(run: Run, bulk: TagBulk, task: Task) -> str | None:
    with run.office.reading() as session:
        known = session.scalars(select(TagBulk.operation_gid).where(TagBulk.shop_id == run.shop_id))
        gids = {gid for gid in known if gid is not None}
    return run.port.find_bulk(add=task.adds, since=bulk.created_at, known=gids)


def _collect(run: Run, bulk: TagBulk, task: Task) -> None:
    state = run.port.look_at_bulk(str(bulk.operation_gid))
    run.checkpoint("bulk looked at")
    if not state.is_finished:
        with run.writing() as session:
            session.get_one(TagBulk, bulk.id).done_count = state.done_count
        return
    answers: dict[str, Answer] = {
        one: state.answers[line]
        for line, one in enumerate(bulk.customer_ids)
        if state.answers is not None and line in state.answers
    }
    for part in parts(list(answers)):
        with run.writing() as session:
            run.desk(session, task).store_answers({one: answers[one] for one in part})
        run.checkpoint("bulk outcome stored")
    with run.writing() as session:
        session.get_one(TagBulk, bulk.id).state = "done"
        count = len(answers)
        log.note(session, task.assignment_id, "bulk_over", run.clock(), customers=count)
    if not answers:
        raise Unavailable("Shopify gave a bulk operation up. It is started again.")
