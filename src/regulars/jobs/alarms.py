"""Alarms: what a person has to look at, counted for /health and told the operator by mail.

The pages show each of them where it belongs; here is only how many there are.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from regulars import support
from regulars.clock import is_over
from regulars.jobs import comparing, keeping, notices, proving, queue
from regulars.jobs.run import JobRun
from regulars.office.models.inbox import InboxEvent
from regulars.office.models.shops import Shop
from regulars.settings import Settings

log = logging.getLogger(__name__)

#: An alarm that stays is told again after this time.
EVERY = timedelta(days=1)
#: What each kind says in a letter.
WORDS = {
    "parked_webhooks": "webhooks that could not be applied / 適用できなかったWebhook",
    "failed_proofs": "shops with members that differ from their rule"
    " / メンバーが条件と一致しないストア",
    "stopped_comparisons": "comparisons with Shopify that stopped / 停止したShopifyとの照合",
    "failed_backups": "backups that were not made or cannot be used"
    " / 作成できなかった、または使用できないバックアップ",
}


def counts(session: Session) -> dict[str, int]:
    """Return how many alarms of each kind there are; kinds without any are left out."""
    parked = select(func.count()).where(InboxEvent.state == "quarantined")
    shops = session.scalars(select(Shop)).all()
    backup = keeping.last_backup(session)
    last = [comparing.last_comparison(session, shop) for shop in shops]
    found = {
        "parked_webhooks": session.scalar(parked) or 0,
        "failed_proofs": sum(bool(proving.found_wrong(session, shop)) for shop in shops),
        "failed_backups": int(backup is not None and backup.state == "given_up"),
        "stopped_comparisons": sum(one is not None and one.state == "given_up" for one in last),
    }
    return {kind: count for kind, count in found.items() if count}


def enqueue_due(session: Session, now: datetime, settings: Settings) -> None:
    """Have the operator written to where there are alarms that were not told lately."""
    if not settings.smtp_url:
        return
    last = queue.last_asked(session, "tell_of_alarms")
    if is_over(last, EVERY, now) and counts(session):
        queue.enqueue(session, shop_id=None, kind="tell_of_alarms", now=now)


def tell_of_alarms(run: JobRun) -> timedelta | None:
    """Write to the operator what needs attention."""
    server = support.MailServer.of_url(run.runtime.settings.smtp_url)
    if server is None:
        return None
    with run.runtime.office.reading() as session:
        found, addresses = counts(session), notices.operator_addresses(session)
    if not found:
        return None
    try:
        for address in addresses:
            support.send(server, _letter(run, address, found))
    except support.MailNotSent as error:
        log.warning("no letter was sent: %s", error)
        return notices.PAUSE
    return None


def _letter(run: JobRun, address: str, found: Mapping[str, int]) -> support.Letter:
    lines = "\n".join(f"{count} {WORDS[kind]}" for kind, count in found.items())
    text = f"{lines}\n\n{run.runtime.settings.address}/sync\n"
    subject = "Regulars: needs attention / 確認が必要です"
    return support.Letter(address, subject, text, run.runtime.clock())
