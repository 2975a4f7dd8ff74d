"""Tag work: assignments, rules, removals, the customers of each, the ledger of what was told.

The ledger is one row per customer and tag: whether the tag was there before we gave it, and what we
last told Shopify. An assignment's rows say for whom it wants the tag; a tag goes away only when no
live row wants it any more and it was not there before us. A rule acts through an assignment of its
own, whose rows follow the segment: so there is one reference count for both.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from regulars.office.models.base import Base, RowNumber

#: Longest text kept of what Shopify said about one customer.
PROBLEM_CHARACTERS_MAX = 500
#: Longest text kept of why work stands still.
HALT_CHARACTERS_MAX = 2000


class TagAssignment(Base):
    """One act: give a tag to an audience that was fixed at that moment."""

    __tablename__ = "tag_assignments"
    __table_args__ = (
        Index("ix_tag_assignments_shop_created", "shop_id", "created_at"),
        Index("ix_tag_assignments_shop_status", "shop_id", "status"),
    )

    id: Mapped[int] = mapped_column(RowNumber, primary_key=True)
    shop_id: Mapped[int] = mapped_column(ForeignKey("shops.id", ondelete="CASCADE"))
    #: The segment at that moment; the row outlives it, so the name is kept as well.
    segment_id: Mapped[int] = mapped_column(RowNumber)
    segment_name: Mapped[str] = mapped_column(String(255))
    #: The text as it was typed, trimmed and composed (NFC), and its identity without case.
    tag: Mapped[str] = mapped_column(String(40))
    tag_key: Mapped[str] = mapped_column(String(80))
    #: "once"; "rule" where a rule keeps the tag equal to a segment; "legacy" for what an earlier
    #: system gave.
    kind: Mapped[str] = mapped_column(String(16), default="once")
    #: The rule that acts through it; None for an act of its own.
    rule_id: Mapped[int | None] = mapped_column(RowNumber, index=True)
    #: waiting, assigning, paused, assigned, partly_failed, failed, cancelling, cancelled, removing,
    #: removed, partly_removed (some customers still have it). Of a rule: syncing (something to do),
    #: in_sync, paused, stopped (switched off, tags left), removed, partly_removed.
    status: Mapped[str] = mapped_column(String(16), default="waiting")
    #: Customers in the audience, fixed when it was assigned; of a rule, those who have it now.
    targeted_count: Mapped[int]
    #: Customers who belong and were left out on purpose, for comparison.
    holdout_count: Mapped[int] = mapped_column(default=0, server_default="0")
    author: Mapped[str] = mapped_column(String(255))
    created_at: Mapped[datetime]
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    #: Why the work stands still (token lost, scope missing), in English; None while it goes on.
    problem: Mapped[str | None] = mapped_column(String(HALT_CHARACTERS_MAX))
    #: The same to be told in any language: code, template, values. None for what earlier versions
    #: wrote; looked at only where there is a problem.
    reason: Mapped[dict[str, Any] | None] = mapped_column(JSON)


class TagAudience(Base):
    """One customer of an assignment: wanted or not, what happened."""

    __tablename__ = "tag_audience"
    __table_args__ = (
        Index("ix_tag_audience_outcome", "assignment_id", "outcome", "customer_id"),
        Index("ix_tag_audience_wanted", "shop_id", "tag_key", "customer_id", "wanted"),
        # Asked after every batch of orders: whose grace time has ended.
        Index(
            "ix_tag_audience_leaves",
            "shop_id",
            "leaves_at",
            sqlite_where=text("leaves_at IS NOT NULL"),
            postgresql_where=text("leaves_at IS NOT NULL"),
        ),
    )

    assignment_id: Mapped[int] = mapped_column(
        ForeignKey("tag_assignments.id", ondelete="CASCADE"), primary_key=True
    )
    customer_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    shop_id: Mapped[int]
    tag_key: Mapped[str] = mapped_column(String(80))
    #: True until the assignment is taken back or cancelled for this customer.
    wanted: Mapped[bool] = mapped_column(default=True)
    #: waiting, told (the effect may have happened), given, had_before, held (by our other work),
    #: gone (no such customer any more), failed, cancelled, taken_away (by others, and respected).
    #: Of a rule also: leaving (to be taken off), taking (that may have happened), removed,
    #: kept_before, kept_wanted.
    outcome: Mapped[str] = mapped_column(String(16), default="waiting")
    told_at: Mapped[datetime | None]
    #: A rule's customer left the segment and keeps the tag until then, unless they come back.
    leaves_at: Mapped[datetime | None]
    problem: Mapped[str | None] = mapped_column(String(PROBLEM_CHARACTERS_MAX))


class TagLedger(Base):
    """What is known and was told about one tag on one customer; outlives the assignments."""

    __tablename__ = "tag_ledger"

    shop_id: Mapped[int] = mapped_column(
        ForeignKey("shops.id", ondelete="CASCADE"), primary_key=True
    )
    tag_key: Mapped[str] = mapped_column(String(80), primary_key=True)
    customer_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    #: The customer had the tag before us: it is never taken off. Stored before the first effect.
    had_before: Mapped[bool]
    #: "before" (never told, was there), "giving" (maybe told), "given", "removing" (maybe told),
    #: "removed".
    told: Mapped[str] = mapped_column(String(16))
    told_at: Mapped[datetime | None]


class TagRemoval(Base):
    """One act: take an assignment's tag back."""

    __tablename__ = "tag_removals"
    __table_args__ = (UniqueConstraint("assignment_id"),)

    id: Mapped[int] = mapped_column(RowNumber, primary_key=True)
    shop_id: Mapped[int] = mapped_column(ForeignKey("shops.id", ondelete="CASCADE"), index=True)
    assignment_id: Mapped[int] = mapped_column(ForeignKey("tag_assignments.id", ondelete="CASCADE"))
    #: waiting, removing, paused, removed, partly_failed, failed, undone (its assignment gives the
    #: tag again; a later removal starts anew in this row).
    status: Mapped[str] = mapped_column(String(16), default="waiting")
    author: Mapped[str] = mapped_column(String(255))
    created_at: Mapped[datetime]
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    problem: Mapped[str | None] = mapped_column(String(HALT_CHARACTERS_MAX))
    reason: Mapped[dict[str, Any] | None] = mapped_column(JSON)


class TagRemovalRow(Base):
    """One customer of a removal: taken off, or kept and why."""

    __tablename__ = "tag_removal_rows"
    __table_args__ = (Index("ix_tag_removal_rows_outcome", "removal_id", "outcome", "customer_id"),)

    removal_id: Mapped[int] = mapped_column(
        ForeignKey("tag_removals.id", ondelete="CASCADE"), primary_key=True
    )
    customer_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    #: waiting, told, removed, kept_before (had it before us), kept_wanted (another live assignment
    #: wants it), not_given (never got it from us), gone, failed, cancelled (it was undone).
    outcome: Mapped[str] = mapped_column(String(16), default="waiting")
    told_at: Mapped[datetime | None]
    problem: Mapped[str | None] = mapped_column(String(PROBLEM_CHARACTERS_MAX))


class TagBulk(Base):
    """One bulk mutation of a tag job, so that a stop in the middle finds it again."""

    __tablename__ = "tag_bulks"
    __table_args__ = (Index("ix_tag_bulks_work", "work", "work_id", "state"),)

    id: Mapped[int] = mapped_column(RowNumber, primary_key=True)
    shop_id: Mapped[int] = mapped_column(ForeignKey("shops.id", ondelete="CASCADE"))
    #: "assignment", "removal" or "leaving", and the id of its rows' owner.
    work: Mapped[str] = mapped_column(String(16))
    work_id: Mapped[int] = mapped_column(RowNumber)
    #: The customers in the order of the uploaded lines.
    customer_ids: Mapped[list[str]] = mapped_column(JSON)
    #: reading (the tags are being read before), made (maybe started at Shopify), doubted (the same,
    #: and somebody of it was merged since), running (operation_gid known), done.
    state: Mapped[str] = mapped_column(String(16), default="made")
    operation_gid: Mapped[str | None] = mapped_column(String(255))
    #: The identity of the tag: nothing else is done with it while the operation is under way.
    tag_key: Mapped[str] = mapped_column(String(80), default="", server_default="")
    #: Lines that Shopify said it has worked through, for the progress on screen.
    done_count: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime]


class TagRule(Base):
    """Keeps one tag equal to one segment: given on joining, taken off on leaving."""

    __tablename__ = "tag_rules"
    __table_args__ = (Index("ix_tag_rules_shop", "shop_id", "is_on"),)

    id: Mapped[int] = mapped_column(RowNumber, primary_key=True)
    shop_id: Mapped[int] = mapped_column(ForeignKey("shops.id", ondelete="CASCADE"))
    segment_id: Mapped[int] = mapped_column(RowNumber, index=True)
    tag: Mapped[str] = mapped_column(String(40))
    tag_key: Mapped[str] = mapped_column(String(80))
    is_on: Mapped[bool] = mapped_column(default=True)
    #: Days for which a customer who left keeps the tag, against flapping.
    grace_days: Mapped[int] = mapped_column(default=0)
    #: A change of more customers than this, or than this share of those who have the tag, waits for
    #: a person. None: no such limit.
    brake_number: Mapped[int | None]
    brake_share: Mapped[float | None]
    #: What is done where others gave or took the tag in Shopify: "respect" or "repair".
    drift: Mapped[str] = mapped_column(String(16), default="respect")
    #: The share of the segment that is left out, from 0 to 1.
    holdout_share: Mapped[float] = mapped_column(default=0.0)
    #: Rules of one tier group share their customers out: each gets the tag of the first rule, by
    #: position, whose segment they belong to. None: the rule stands alone.
    tier_group: Mapped[str | None] = mapped_column(String(80))
    position: Mapped[int] = mapped_column(default=0)
    author: Mapped[str] = mapped_column(String(255))
    created_at: Mapped[datetime]
    switched_off_at: Mapped[datetime | None]
    #: The assignment it acts through; None until its segment was counted.
    assignment_id: Mapped[int | None] = mapped_column(RowNumber)
    #: The last entry of the membership log that was followed; None: everything is compared.
    followed_key: Mapped[int | None] = mapped_column(RowNumber)
    #: The brake holds since; a person lets go or switches off.
    held_at: Mapped[datetime | None]
    held_give_count: Mapped[int] = mapped_column(default=0)
    held_take_count: Mapped[int] = mapped_column(default=0)
    #: A person saw the plan: the next comparison passes the brake.
    is_released: Mapped[bool] = mapped_column(default=True)


class TagRuleStep(Base):
    """One change that a rule made by itself, for the brake's sum over a day."""

    __tablename__ = "tag_rule_steps"
    __table_args__ = (Index("ix_tag_rule_steps_rule", "rule_id", "at"),)

    id: Mapped[int] = mapped_column(RowNumber, primary_key=True)
    rule_id: Mapped[int] = mapped_column(ForeignKey("tag_rules.id", ondelete="CASCADE"))
    at: Mapped[datetime]
    give_count: Mapped[int]
    take_count: Mapped[int]
    #: For how many the rule wanted its tag before.
    member_count: Mapped[int]
    #: A person let the change pass: it does not count against the brake, nor does what came before.
    was_released: Mapped[bool]


class TagEvent(Base):
    """One thing that happened to an assignment: an order, work that stood still or ended."""

    __tablename__ = "tag_events"
    __table_args__ = (Index("ix_tag_events_assignment", "assignment_id", "id"),)

    id: Mapped[int] = mapped_column(RowNumber, primary_key=True)
    assignment_id: Mapped[int] = mapped_column(ForeignKey("tag_assignments.id", ondelete="CASCADE"))
    at: Mapped[datetime]
    #: One of `tags.log.KINDS`.
    kind: Mapped[str] = mapped_column(String(32))
    #: Empty where the app did it by itself.
    author: Mapped[str] = mapped_column(String(255), default="")
    #: Customers concerned; None where that says nothing.
    customer_count: Mapped[int | None]
    #: Why it stood still, in English, and the same to be told in any language.
    note: Mapped[str] = mapped_column(String(HALT_CHARACTERS_MAX), default="")
    reason: Mapped[dict[str, Any] | None] = mapped_column(JSON)


class TagHoldout(Base):
    """A customer who was left out of an assignment or rule on purpose, and since when."""

    __tablename__ = "tag_holdouts"
    __table_args__ = (Index("ix_tag_holdouts_shop", "shop_id", "customer_id"),)

    assignment_id: Mapped[int] = mapped_column(
        ForeignKey("tag_assignments.id", ondelete="CASCADE"), primary_key=True
    )
    customer_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    shop_id: Mapped[int]
    since: Mapped[datetime]
    #: Left the segment, or the rule was switched off; None while left out.
    until: Mapped[datetime | None]


class TagDriftCheck(Base):
    """One comparison of the ledger with the tags at Shopify."""

    __tablename__ = "tag_drift_checks"
    __table_args__ = (Index("ix_tag_drift_checks_shop", "shop_id", "checked_at"),)

    id: Mapped[int] = mapped_column(RowNumber, primary_key=True)
    shop_id: Mapped[int] = mapped_column(ForeignKey("shops.id", ondelete="CASCADE"))
    checked_at: Mapped[datetime]
    #: Customers looked at.
    customer_count: Mapped[int]
    #: Per tag: tag, missing, foreign, repaired, customer ids of some.
    found: Mapped[list[dict[str, object]]] = mapped_column(JSON)


class TagLease(Base):
    """Who works on the tags of a shop: one worker at a time, with a number that only rises."""

    __tablename__ = "tag_leases"

    shop_id: Mapped[int] = mapped_column(
        ForeignKey("shops.id", ondelete="CASCADE"), primary_key=True
    )
    fence: Mapped[int] = mapped_column(default=0)
    leased_until: Mapped[datetime | None]
