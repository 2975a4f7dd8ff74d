"""Staff and how they prove who they are: passwords, codes, sessions, sign-in links, API keys.

Secrets are kept as hashes only: argon2id for passwords, SHA-256 for random tokens. What codes are
worked out from is sealed.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import JSON, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from regulars.office.models.base import Base, RowNumber


class Staff(Base):
    """A person who uses the screens of a standalone installation."""

    __tablename__ = "staff"

    id: Mapped[int] = mapped_column(RowNumber, primary_key=True)
    #: What the person types to sign in, lowercase: a name or an e-mail address.
    login: Mapped[str] = mapped_column(String(255), unique=True)
    name: Mapped[str] = mapped_column(String(255))
    #: argon2id; None: signs in by link only.
    password_hash: Mapped[str | None] = mapped_column(String(255))
    #: What the codes of the person's authenticator app come from, sealed; None: no second step.
    factor_secret: Mapped[bytes | None]
    #: The half minute since 1970 whose code was used last: no code opens twice.
    factor_used_step: Mapped[int | None]
    #: "owner" or "member".
    role: Mapped[str] = mapped_column(String(16), default="member")
    #: "en" or "ja"; None: as the browser asks.
    language: Mapped[str | None] = mapped_column(String(8))
    #: Whether single-key shortcuts are on.
    shortcuts: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime]
    #: May no longer sign in since.
    disabled_at: Mapped[datetime | None]

    @property
    def has_second_step(self) -> bool:
        """Whether a code is asked for beside the password."""
        return self.factor_secret is not None


class StaffShop(Base):
    """A member may see this shop; an owner sees all."""

    __tablename__ = "staff_shops"

    staff_id: Mapped[int] = mapped_column(
        ForeignKey("staff.id", ondelete="CASCADE"), primary_key=True
    )
    shop_id: Mapped[int] = mapped_column(
        ForeignKey("shops.id", ondelete="CASCADE"), primary_key=True, index=True
    )


class Invitation(Base):
    """An address that lets a person join, once, within seven days."""

    __tablename__ = "invitations"

    id: Mapped[int] = mapped_column(RowNumber, primary_key=True)
    #: SHA-256 of the address's last part.
    token_hash: Mapped[bytes] = mapped_column(unique=True)
    #: What the person will type to sign in, lowercase.
    login: Mapped[str] = mapped_column(String(255))
    #: "owner" or "member".
    role: Mapped[str] = mapped_column(String(16))
    #: The shops a member will see, by row number.
    shop_ids: Mapped[list[int]] = mapped_column(JSON)
    invited_by: Mapped[str] = mapped_column(String(255))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    #: When it was accepted or taken back.
    used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


class StaffSession(Base):
    """One signed-in browser. Removing the row signs it out at once."""

    __tablename__ = "staff_sessions"

    #: SHA-256 of the cookie's value.
    token_hash: Mapped[bytes] = mapped_column(primary_key=True)
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id", ondelete="CASCADE"), index=True)
    #: The shop being looked at; None: the first one.
    shop_id: Mapped[int | None] = mapped_column(ForeignKey("shops.id", ondelete="SET NULL"))
    created_at: Mapped[datetime]
    #: Last use, to the minute.
    seen_at: Mapped[datetime]


class SignInLink(Base):
    """A one-time address that signs a person in without a password."""

    __tablename__ = "sign_in_links"

    token_hash: Mapped[bytes] = mapped_column(primary_key=True)
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id", ondelete="CASCADE"), index=True)
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class SignInStep(Base):
    """A sign-in whose password was right and whose code is waited for."""

    __tablename__ = "sign_in_steps"

    #: SHA-256 of what the form of the second step brings along.
    token_hash: Mapped[bytes] = mapped_column(primary_key=True)
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id", ondelete="CASCADE"), index=True)
    expires_at: Mapped[datetime]
    #: Codes that were tried so far.
    try_count: Mapped[int] = mapped_column(default=0)


class RecoveryCode(Base):
    """A code that stands in once for one of the authenticator app."""

    __tablename__ = "recovery_codes"

    #: SHA-256 of the code's letters.
    code_hash: Mapped[bytes] = mapped_column(primary_key=True)
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id", ondelete="CASCADE"), index=True)
    used_at: Mapped[datetime | None]


class SignInAttempt(Base):
    """One refused sign-in, kept for an hour to slow guessing down."""

    __tablename__ = "sign_in_attempts"
    __table_args__ = (Index("ix_sign_in_attempts_at", "attempted_at"),)

    id: Mapped[int] = mapped_column(RowNumber, primary_key=True)
    login: Mapped[str] = mapped_column(String(255))
    address: Mapped[str] = mapped_column(String(64))
    attempted_at: Mapped[datetime]


class ApiKey(Base):
    """A key for programs, for one shop."""

    __tablename__ = "api_keys"

    id: Mapped[int] = mapped_column(RowNumber, primary_key=True)
    shop_id: Mapped[int] = mapped_column(ForeignKey("shops.id", ondelete="CASCADE"), index=True)
    name: Mapped[str] = mapped_column(String(255))
    #: SHA-256 of the key.
    token_hash: Mapped[bytes] = mapped_column(unique=True)
    #: What it may do, each including those before: "read" (definitions and counts), "customers"
    #: (also who they are), "write" (also change).
    scope: Mapped[str] = mapped_column(String(16), default="read")
    created_at: Mapped[datetime]
    last_used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
