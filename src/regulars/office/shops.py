"""Shops: create, find, keep their tokens. Connecting to Shopify itself is `shopify`'s work."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from regulars.errors import InputError, NotFoundError, Problem, problem
from regulars.office.models.audit import AuditEntry
from regulars.office.models.shops import Shop, ShopToken
from regulars.sealing import Sealer

NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
CURRENCY = re.compile(r"[A-Z]{3}")


@dataclass(frozen=True, slots=True)
class Token:
    """The opened Admin API token of a shop."""

    access_token: str
    refresh_token: str | None = None
    #: None: does not expire.
    expires_at: datetime | None = None
    refresh_expires_at: datetime | None = None
    scopes: str = ""


def create_shop(
    session: Session,
    *,
    name: str,
    now: datetime,
    title: str | None = None,
    domain: str | None = None,
    time_zone: str = "UTC",
    currency: str = "USD",
    kind: str = "imported",
) -> Shop:
    """Add a shop; raises InputError where the name, zone or currency cannot be used."""
    _check(session, name, time_zone, currency)
    shop = Shop(
        id=_free_number(session),
        name=name,
        title=title or name,
        domain=domain,
        time_zone=time_zone,
        currency=currency,
        universe="all",
        kind=kind,
        created_at=now,
    )
    session.add(shop)
    session.flush()
    return shop


def _free_number(session: Session) -> int:
    """Return a number that no shop had before: the audit log still speaks of erased ones."""
    newest = session.scalar(select(func.max(Shop.id))) or 0
    told = session.scalar(select(func.max(AuditEntry.shop_id))) or 0
    return max(newest, told) + 1


def _check(session: Session, name: str, time_zone: str, currency: str) -> None:
    problems = []
    if not NAME.fullmatch(name):
        template = (
            "A shop's name has lowercase letters, digits and hyphens, at most 63 of them; "
            '"{name}" does not fit.'
        )
        problems.append(problem("shop_name", template, name=name, field="shop"))
    elif session.scalar(select(Shop.id).where(Shop.name == name)):
        template = 'There is already a shop "{name}".'
        problems.append(problem("shop_exists", template, name=name, field="shop"))
    try:
        ZoneInfo(time_zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        template = 'There is no time zone "{zone}". Write one like Asia/Tokyo or America/New_York.'
        problems.append(problem("time_zone", template, zone=time_zone, field="timezone"))
    if not CURRENCY.fullmatch(currency):
        template = '"{currency}" is not a currency. Write three capital letters, like JPY or USD.'
        problems.append(problem("currency", template, currency=currency, field="currency"))
    if problems:
        raise InputError(*problems)


def find_shop(session: Session, name: str) -> Shop:
    """Return the shop with this short name or `.myshopify.com` domain; raises NotFoundError."""
    column = Shop.domain if name.endswith(".myshopify.com") else Shop.name
    shop = session.scalar(select(Shop).where(column == name))
    if shop is None:
        raise NotFoundError(no_shop(name))
    return shop


def no_shop(name: str) -> Problem:
    """Return what is told where there is no shop of a name."""
    template = 'There is no shop "{name}".'
    return problem("no_shop", template, name=name, field="shop", command="regulars shops list")


def list_shops(session: Session) -> Sequence[Shop]:
    """Return all shops by name."""
    return session.scalars(select(Shop).order_by(Shop.name)).all()


def save_token(session: Session, sealer: Sealer, shop: Shop, token: Token, now: datetime) -> None:
    """Store the token of a shop, sealed, in place of an earlier one."""
    row = session.get(ShopToken, shop.id) or ShopToken(shop_id=shop.id)
    row.access_token = sealer.seal(token.access_token, _about(shop.id, "access_token"))
    row.refresh_token = (
        sealer.seal(token.refresh_token, _about(shop.id, "refresh_token"))
        if token.refresh_token
        else None
    )
    row.expires_at = token.expires_at
    row.refresh_expires_at = token.refresh_expires_at
    row.scopes = token.scopes
    row.saved_at = now
    session.add(row)


def read_token(session: Session, sealer: Sealer, shop_id: int) -> Token | None:
    """Return the opened token of a shop, or None where it has none."""
    row = session.get(ShopToken, shop_id)
    if row is None:
        return None
    return Token(
        access_token=sealer.open(row.access_token, _about(shop_id, "access_token")),
        refresh_token=sealer.open(row.refresh_token, _about(shop_id, "refresh_token"))
        if row.refresh_token
        else None,
        expires_at=row.expires_at,
        refresh_expires_at=row.refresh_expires_at,
        scopes=row.scopes,
    )


def _about(shop_id: int, column: str) -> str:
    return f"shop_tokens/{shop_id}/{column}"
