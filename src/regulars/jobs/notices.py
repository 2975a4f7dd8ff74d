"""Notices and tidying: letters about unread messages, and forgetting what was kept long enough."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from regulars import outgoing, support
from regulars.jobs.run import JobRun
from regulars.office import audit, choices
from regulars.office.models.installation import KeptAnswer
from regulars.office.models.jobs import Job
from regulars.office.models.staff import Staff
from regulars.office.models.support import Conversation, Message

log = logging.getLogger(__name__)

# Whoever has the page open answers within this time; a letter about it would be noise.
PATIENCE = timedelta(minutes=2)
# A mail server that is away is tried again this often, for a day.
PAUSE = timedelta(minutes=10)
TRIED_FOR = timedelta(days=1)
# As long as a program may repeat a request and get the first answer.
ANSWERS_KEPT = timedelta(days=1)


def tell_of_messages(run: JobRun) -> timedelta | None:
    """Write to the other side of a conversation when it has not seen the latest message."""
    server = support.MailServer.of_url(run.runtime.settings.smtp_url)
    by_operator = bool(run.arguments["by_operator"])
    if server is None:
        return None
    with run.runtime.office.reading() as session:
        conversation = session.get(Conversation, run.arguments["conversation_id"])
        letters = _letters(run, session, conversation, by_operator) if conversation else []
    try:
        for letter in letters:
            support.send(server, letter)
    except support.MailNotSent as error:
        log.warning("no letter was sent: %s", error)
        is_young = run.runtime.clock() - run.job.created_at < TRIED_FOR
        return PAUSE if is_young else None
    return None


def _letters(
    run: JobRun, session: Session, conversation: Conversation, by_operator: bool
) -> list[support.Letter]:
    seen = conversation.seen_by_staff_id if by_operator else conversation.seen_by_operator_id
    unseen = session.scalars(
        select(Message)
        .where(
            Message.conversation_id == conversation.id,
            Message.by_operator == by_operator,
            Message.id > seen,
        )
        .order_by(Message.id)
    ).all()
    if not unseen:
        return []
    if by_operator:
        staff = session.get_one(Staff, conversation.staff_id)
        addresses = [staff.login] if choices.is_email(staff.login) else []
        path = "/help"
    else:
        addresses = operator_addresses(session)
        path = f"/operator/inbox/{conversation.id}"
    # The text itself stays in the app: mail travels through other people's machines.
    text = (
        f"{unseen[-1].author} wrote {len(unseen)} message(s) in the chat of {run.shop.title}.\n"
        f"{unseen[-1].author} さんから、{run.shop.title} のチャットに新着メッセージが"
        f"{len(unseen)}件あります。\n\n{run.runtime.settings.address}{path}\n"
    )
    subject = f"Regulars: {run.shop.title} – new message / 新着メッセージ"
    now = run.runtime.clock()
    return [support.Letter(address, subject, text, now) for address in addresses]


def operator_addresses(session: Session) -> list[str]:
    """Return where the operator is written to: the chosen address, else the owners' logins."""
    chosen = choices.notice_email(session)
    if chosen:
        return [chosen]
    owners = select(Staff.login).where(Staff.role == "owner", Staff.disabled_at.is_(None))
    return [login for login in session.scalars(owners) if choices.is_email(login)]


def forget_old(session: Session, now: datetime) -> None:
    """Forget what was kept for as long as was chosen; work and open conversations stay."""
    chat_before = now - timedelta(days=choices.days(session, "chat_days"))
    session.execute(delete(Conversation).where(Conversation.updated_at < chat_before))
    job_before = now - timedelta(days=choices.days(session, "job_days"))
    session.execute(delete(Job).where(Job.finished_at < job_before))
    outgoing.forget_old(session, now, choices.days(session, "delivery_days"))
    session.execute(delete(KeptAnswer).where(KeptAnswer.created_at < now - ANSWERS_KEPT))
    audit_before = now - timedelta(days=choices.days(session, "audit_days"))
    audit.shorten(session, before=audit_before, now=now)
