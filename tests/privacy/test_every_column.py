"""Every column of the office that could say something about a customer is known, and redacted.

A new column that can hold words belongs to one of the two lists below, or this fails.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import Boolean, Date, DateTime, Float, Integer, Table, select

from regulars import privacy
from regulars.office.models.base import Base, Instant
from regulars.office.models.inbox import InboxEvent
from regulars.office.models.installation import KeptAnswer
from regulars.office.models.jobs import Job
from regulars.office.models.outgoing import Delivery, Endpoint
from regulars.office.models.segments import Segment
from regulars.office.models.support import Conversation, Message
from regulars.office.models.tags import (
    TagAssignment,
    TagAudience,
    TagBulk,
    TagDriftCheck,
    TagEvent,
    TagHoldout,
    TagLedger,
    TagRemoval,
    TagRemovalRow,
)
from regulars.office.models.trackings import RevenueTracking
from regulars.office.models.uploads import Upload
from regulars.web import sessions
from tests.web.world import open_world

PERSON, OTHER = "7001", "7002"
#: What people and programs write.
WORDS = f"Customers {PERSON} and {OTHER}"

#: Columns about a customer, and what a redaction does with them.
PERSONAL = {
    "deliveries.body": "the number is taken out of the list",
    "deliveries.problem": "what names them is taken out",
    "inbox_events.body": "gone once applied; parked ones that name the customer are deleted",
    "inbox_events.problem": "what names them is taken out",
    "jobs.cursor": "what names them is taken out once the work has ended",
    "jobs.note": "what names them is taken out",
    "jobs.problem": "what names them is taken out",
    "kept_answers.body": "answers that name the customer are deleted",
    "messages.page": "what names them is taken out",
    "messages.text": "what names them is taken out",
    "privacy_requests.customer_id": "stays: it says for whom the request was carried out",
    "tag_audience.customer_id": "replaced by a word that leads to nobody",
    "tag_audience.problem": "cleared",
    "tag_bulks.customer_ids": "replaced",
    "revenue_trackings.note": "what names them is taken out",
    "segments.description": "what names them is taken out",
    "tag_drift_checks.found": "replaced",
    "tag_events.note": "what names them is taken out",
    "tag_holdouts.customer_id": "replaced",
    "tag_ledger.customer_id": "the row is deleted",
    "tag_removal_rows.customer_id": "replaced",
    "tag_removal_rows.problem": "cleared",
    "uploads.header": "what names them is taken out",
    "uploads.problem": "what names them is taken out",
}
#: Columns about the shop, its staff, its definitions, its work; customers are counted there.
IMPERSONAL = {
    "api_keys": "name token_hash scope",
    "audit_entries": "author act about details previous_hash hash",
    "choices": "name value",
    "conversations": "",
    "csv_lists": "name name_key created_by",
    "deliveries": "event_id event state",
    "dismissals": "name",
    "endpoints": "kind address events secret created_by problem",
    "inbox_events": "topic event_id state",
    "invitations": "token_hash login role shop_ids invited_by",
    "jobs": "kind key arguments state",
    "kept_answers": "caller key fingerprint media_type",
    "messages": "author client_key",
    "privacy_requests": "kind event_id author state done_by",
    "recovery_codes": "code_hash",
    "revenue_trackings": (
        "segment_name query name name_key time_zone currency population author kind members_before"
    ),
    "segment_groups": "name name_key",
    "segment_versions": "query author",
    "segments": "name name_key icon kind query state problem created_by shopify_gid",
    "shop_tokens": "access_token refresh_token scopes",
    "shops": "name title domain time_zone currency universe kind",
    "sign_in_attempts": "login address",
    "sign_in_links": "token_hash",
    "sign_in_steps": "token_hash",
    "staff": "login name password_hash factor_secret role language",
    "staff_sessions": "token_hash",
    "static_phase": "phase changed_by",
    "static_segments": "name name_key source counts imported_by converted_by deleted_by",
    "static_tags": "tag",
    "static_trackings": "name status",
    "tag_assignments": "segment_name tag tag_key kind status author problem reason",
    "tag_audience": "tag_key outcome",
    "tag_bulks": "work state operation_gid tag_key",
    "tag_events": "kind author reason",
    "tag_ledger": "tag_key told",
    "tag_removal_rows": "outcome",
    "tag_removals": "status author problem reason",
    "tag_rules": "tag tag_key drift tier_group author",
    "told_states": "kind state",
    "uploads": (
        "state file_name wished_encoding encoding separator columns counts mode effect author"
    ),
}


def speaking(table: Table) -> set[str]:
    """The columns that can hold words: what is no number, truth value or time."""
    silent = (Integer, Float, Boolean, Date, DateTime, Instant)
    return {one.name for one in table.c if not isinstance(one.type, silent)}


def test_every_column_that_can_hold_words_is_known():
    known = {f"{table}.{name}" for table, names in IMPERSONAL.items() for name in names.split()}
    found = {
        f"{table.name}.{name}" for table in Base.metadata.sorted_tables for name in speaking(table)
    }

    assert known & set(PERSONAL) == set()
    assert found == known | set(PERSONAL)


@pytest.fixture
def world(tmp_path):
    with open_world(tmp_path) as opened:
        yield opened


def furnish(session, shop, now: datetime) -> None:
    """Put both persons into every personal column but that of the request itself."""
    when = {"created_at": now, "shop_id": shop.id}
    tag = {"tag": "vip", "tag_key": "vip"}
    session.add(
        TagAssignment(
            id=1, segment_id=1, segment_name="VIP", author="a", targeted_count=2, **tag, **when
        )
    )
    session.add(Endpoint(id=1, kind="webhook", address="a", events=[], created_by="a", **when))
    session.flush()
    session.add(TagRemoval(id=1, assignment_id=1, author="a", **when))
    both = [PERSON, OTHER]
    session.add(TagBulk(work="removal", work_id=1, customer_ids=both, **when))
    told = {"tag": "vip", "missing_count": 2, "missing": both, "foreign": [PERSON]}
    session.add(TagDriftCheck(shop_id=shop.id, checked_at=now, customer_count=9, found=[told]))
    body = {"event": "customers.joined", "data": {"customer_ids": both, "customer_count": 2}}
    session.add(
        Delivery(
            endpoint_id=1,
            event_id="1",
            event="e",
            body=body,
            next_attempt_at=now,
            problem=WORDS,
            **when,
        )
    )
    parked = {"topic": "orders/create", "triggered_at": now, "received_at": now}
    raw = f'{{"customer": {{"id": {PERSON}}}}}'.encode()
    session.add(InboxEvent(shop_id=shop.id, event_id="1", body=raw, state="quarantined", **parked))
    applied = {"state": "applied", "problem": WORDS}
    session.add(InboxEvent(shop_id=shop.id, event_id="2", body=None, **applied, **parked))
    for number, one in enumerate(both):
        key = {"customer_id": one, "shop_id": shop.id}
        session.flush()
        session.add(TagAudience(assignment_id=1, tag_key="vip", problem=f"of {one}", **key))
        session.add(TagHoldout(assignment_id=1, since=now - timedelta(days=1), **key))
        session.add(TagLedger(tag_key="vip", had_before=False, told="given", **key))
        session.add(TagRemovalRow(removal_id=1, customer_id=one, problem=f"of {one}"))
        answer = f'{{"customers": [{{"id": "{one}"}}]}}'.encode()
        session.add(
            KeptAnswer(caller="c", key=str(number), fingerprint=b"f", body=answer, created_at=now)
        )


def furnish_texts(session, shop, now: datetime) -> None:
    """Write of both persons wherever somebody may write what they like."""
    when = {"created_at": now, "shop_id": shop.id}
    named = {"name": "A", "name_key": "a", "query": "number_of_orders >= 1"}
    owner = sessions.ensure_owner(session, now)
    session.add(Segment(id=1, description=WORDS, created_by="a", updated_at=now, **named, **when))
    session.add(Conversation(id=1, staff_id=owner.id, updated_at=now, **when))
    session.flush()
    chat = {"conversation_id": 1, "author": "a", "by_operator": False, "sent_at": now}
    session.add(Message(shop_id=shop.id, text=WORDS, page=f"/customers/{PERSON}?{OTHER}", **chat))
    session.add(TagEvent(assignment_id=1, at=now, kind="stood_still", note=WORDS))
    days = {"starts_on": now.date(), "ends_on": now.date(), "time_zone": "Asia/Tokyo"}
    session.add(
        RevenueTracking(
            segment_id=1,
            segment_name="A",
            segment_version=1,
            note=WORDS,
            currency="JPY",
            author="a",
            **days,
            **named,
            **when,
        )
    )
    one = {"kind": "customers", "attribute": "customer_tags", "ours": "a", "theirs": "b"}
    result = {"examples": [{"id": PERSON, **one}, {"id": OTHER, **one}]}
    work = {"due_at": now, "finished_at": now, "note": WORDS, "problem": WORDS, **when}
    session.add(Job(kind="compare", state="succeeded", cursor={"result": result}, **work))
    looks = {"encoding": "utf-8", "separator": ",", "columns": ["email"], "file_name": "a.csv"}
    session.add(Upload(state="failed", problem=WORDS, header=[WORDS], author="a", **looks, **when))


def said(session) -> dict[str, str]:
    """Everything that the office says, by column."""
    return {
        f"{table.name}.{name}": str(
            [
                one.decode() if isinstance(one, bytes) else one
                for one in session.scalars(select(table.c[name]))
            ]
        )
        for table in Base.metadata.sorted_tables
        for name in speaking(table) & {name.partition(".")[2] for name in PERSONAL}
    }


def test_a_redaction_reaches_every_personal_column_and_no_other_person(world):
    with world.runtime.office.session() as session:
        furnish(session, world.shop, world.now)
        furnish_texts(session, world.shop, world.now)
    with world.runtime.office.reading() as session:
        before = said(session)
    with world.runtime.office.session() as session:
        privacy.redact_texts(session, world.shop, privacy.Traces(PERSON))
        privacy.redact_office(session, world.shop, PERSON, world.now)
    with world.runtime.office.reading() as session:
        after = said(session)
        check = session.scalars(select(TagDriftCheck)).one()
        delivery = session.scalars(select(Delivery)).one()
        compared = session.scalars(select(Job)).one().cursor["result"]["examples"]

    held = {name for name, text in before.items() if PERSON in text}
    assert held == set(PERSONAL) - {"privacy_requests.customer_id"}
    assert {name for name, text in after.items() if PERSON in text} == set()
    assert {name for name, text in after.items() if OTHER in text} == {
        name for name, text in before.items() if OTHER in text
    }
    assert (check.found[0]["missing_count"], len(check.found[0]["missing"])) == (2, 2)
    assert delivery.body["data"]["customer_count"] == 2
    assert [one["ours"] for one in compared] == [None, "a"]
