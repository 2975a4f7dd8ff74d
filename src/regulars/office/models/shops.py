"""Shops and their Shopify tokens: the tenants. Every other row of a shop carries `shop_id`."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from regulars.office.models.base import Base, RowNumber


class Shop(Base):
    """One Shopify store that installed the app, or one whose files were imported."""

    __tablename__ = "shops"

    id: Mapped[int] = mapped_column(RowNumber, primary_key=True)
    #: The short name that `--shop` and addresses take: lowercase letters, digits, hyphens.
    name: Mapped[str] = mapped_column(String(63), unique=True)
    title: Mapped[str] = mapped_column(String(255))
    #: `x.myshopify.com`; None for a shop made of imported files.
    domain: Mapped[str | None] = mapped_column(String(255), unique=True)
    #: IANA name; days of this shop begin at midnight there.
    time_zone: Mapped[str] = mapped_column(String(64))
    #: ISO 4217.
    currency: Mapped[str] = mapped_column(String(3))
    #: Who is looked at: "all" customers, or "buyers" with an order that is not cancelled.
    universe: Mapped[str] = mapped_column(String(16), default="all")
    #: "shopify" or "imported".
    kind: Mapped[str] = mapped_column(String(16))
    created_at: Mapped[datetime]
    #: When the first full copy was complete; None while it is still to come.
    loaded_at: Mapped[datetime | None]
    #: The last shop day for which time-driven changes were worked out.
    day_changed_on: Mapped[date | None]
    #: Everything that Shopify changed before this instant has been asked for.
    caught_up_at: Mapped[datetime | None]
    #: Set when the app was uninstalled or its token is refused; work for the shop rests.
    disconnected_at: Mapped[datetime | None]

    @property
    def zone(self) -> ZoneInfo:
        """The time zone of the shop's days."""
        return ZoneInfo(self.time_zone)


class ShopToken(Base):
    """The Admin API token of a shop. Texts are sealed; `office.shops` opens them."""

    __tablename__ = "shop_tokens"

    shop_id: Mapped[int] = mapped_column(
        ForeignKey("shops.id", ondelete="CASCADE"), primary_key=True
    )
    access_token: Mapped[bytes]
    refresh_token: Mapped[bytes | None]
    #: None: the token does not expire.
    expires_at: Mapped[datetime | None]
    refresh_expires_at: Mapped[datetime | None]
    #: Comma-separated access scopes as granted.
    scopes: Mapped[str] = mapped_column(String(2000), default="")
    saved_at: Mapped[datetime]
