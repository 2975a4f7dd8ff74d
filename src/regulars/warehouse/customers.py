"""One customer's state, and what a fact does to it: newest tell wins, field by field.

Pure: no SQL, no clock. Each rule gives the same end whatever the order and however often facts are
told (tests/warehouse/test_any_order.py), which is why each field keeps when it was told.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from regulars.warehouse.columns import inside
from regulars.warehouse.facts import (
    UNSET,
    AddressFact,
    CustomerFact,
    MetafieldFact,
    StoreCreditFact,
)
from regulars.warehouse.places import city_key, folded, region_code

PROFILE: Final = (
    "display_name",
    "email",
    "phone",
    "language",
    "note",
    "account_status",
    "product_subscription_status",
    "predicted_spend_tier",
    "rfm_group",
    "added_at",
)
CONSENT: Final = ("email_subscription_status", "sms_subscription_status")
FIGURES: Final = ("shopify_order_count", "shopify_spent_amount")
#: Kept as columns of `customers`.
VALUES: Final = PROFILE + CONSENT + FIGURES
#: Kept as rows of their own tables, replaced as a whole.
SETS: Final = ("addresses", "company_ids", "metafields", "store_credit")
#: Every field with an instant of its own in `customer_versions`.
FIELDS: Final = (*VALUES, "tags", *SETS)


@dataclass(frozen=True, slots=True)
class Mark:
    """A single tag told as given or taken, and when."""

    tag: str
    is_given: bool
    told_at: datetime


@dataclass(slots=True)
class CustomerState:
    """What is stored about one customer, as facts are merged into it. Instants have no zone."""

    customer_no: int
    customer_id: str
    is_new: bool = False
    values: dict[str, Any] = field(default_factory=dict)
    versions: dict[str, datetime] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    marks: dict[str, Mark] = field(default_factory=dict)
    #: The tags and marks that the tables hold.
    stored_tags: dict[str, str] = field(default_factory=dict)
    stored_marks: dict[str, Mark] = field(default_factory=dict)
    #: Sets told by the facts of this batch; a set that is absent stays as stored.
    sets: dict[str, list[tuple[Any, ...]]] = field(default_factory=dict)
    told_at: datetime | None = None
    consent_updated_at: datetime | None = None
    erased_at: datetime | None = None
    is_erased_forever: bool = False
    merged_into_no: int | None = None
    is_changed: bool = False
    #: Whether Shopify's lifetime figures were told or taken away.
    is_counted_anew: bool = False

    @property
    def is_gone(self) -> bool:
        """Whether the customer was deleted, merged away or redacted, and not told of since."""
        if self.is_erased_forever:
            return True
        if self.erased_at is None:
            return False
        return self.told_at is None or self.told_at <= self.erased_at

    def counts_at(self, instant: datetime) -> bool:
        """Whether something told at `instant` may still change this customer."""
        if self.is_erased_forever:
            return False
        return self.erased_at is None or instant > self.erased_at


def merge_fact(state: CustomerState, fact: CustomerFact, at: datetime) -> None:
    """Take over what the fact tells, where nothing newer was told."""
    told = inside(fact.updated_at or fact.tags_at or fact.consent_at or fact.figures_at or at)
    consent = inside(fact.consent_at) or told
    figures = inside(fact.figures_at) or told
    tagged = inside(fact.tags_at) or told
    for names, version in ((PROFILE, told), (CONSENT, consent), (FIGURES, figures)):
        for name in names:
            value = getattr(fact, name)
            if value is not UNSET and _may_tell(state, name, version):
                plain = inside(value) if isinstance(value, datetime) else value
                if state.values.get(name) != plain:
                    state.values[name] = plain
                    state.is_changed = True
                _tell(state, name, version)
    for name in SETS:
        rows = getattr(fact, name)
        if rows is not UNSET and _may_tell(state, name, told):
            state.sets[name] = [_row_of(row) for row in dict.fromkeys(rows)]
            state.is_changed = True
            _tell(state, name, told)
    if fact.tags is not UNSET:
        _replace_tags(state, fact.tags, tagged)
    for tag in fact.tags_added:
        _mark_tag(state, Mark(tag, is_given=True, told_at=tagged))
    for tag in fact.tags_removed:
        _mark_tag(state, Mark(tag, is_given=False, told_at=tagged))
    _hear(state, told)


def erase(state: CustomerState, at: datetime, *, forever: bool) -> None:
    """Blank all that was told until `at`; `forever` also refuses whatever comes later."""
    instant = inside(at)
    before = (state.erased_at, state.is_erased_forever)
    state.erased_at = max(filter(None, (state.erased_at, instant)))
    state.is_erased_forever = state.is_erased_forever or forever
    if before == (state.erased_at, state.is_erased_forever):
        return
    state.is_changed = True
    for name in FIELDS:
        version = state.versions.get(name)
        if version is None or not state.counts_at(version):
            state.versions.pop(name, None)
            _blank(state, name)
    state.marks = {key: mark for key, mark in state.marks.items() if state.counts_at(mark.told_at)}
    told = {name: state.versions.get(name) for name in CONSENT}
    state.consent_updated_at = max(filter(None, told.values()), default=None)
    if state.told_at is not None and not state.counts_at(state.told_at):
        state.told_at = None


def _blank(state: CustomerState, name: str) -> None:
    if name in VALUES:
        state.values[name] = None
        state.is_counted_anew = state.is_counted_anew or name in FIGURES
    elif name == "tags":
        given = {
            key: mark.tag
            for key, mark in state.marks.items()
            if mark.is_given and state.counts_at(mark.told_at)
        }
        state.tags = given
    else:
        state.sets[name] = []


def _may_tell(state: CustomerState, name: str, version: datetime) -> bool:
    last = state.versions.get(name)
    return state.counts_at(version) and (last is None or version >= last)


def _tell(state: CustomerState, name: str, version: datetime) -> None:
    if state.versions.get(name) != version:
        state.versions[name] = version
        state.is_changed = True
        state.is_counted_anew = state.is_counted_anew or name in FIGURES
    if name in CONSENT and (state.consent_updated_at is None or version > state.consent_updated_at):
        state.consent_updated_at = version
    _hear(state, version)


def _hear(state: CustomerState, instant: datetime) -> None:
    if state.counts_at(instant) and (state.told_at is None or instant > state.told_at):
        state.told_at = instant
        state.is_changed = True


def _replace_tags(state: CustomerState, tags: tuple[str, ...], version: datetime) -> None:
    """Take over the whole set; single tags told after it stay as told."""
    if not _may_tell(state, "tags", version):
        return
    state.marks = {key: mark for key, mark in state.marks.items() if mark.told_at > version}
    # The first spelling of a tag stays, as in Shopify.
    replaced = {folded(tag): tag for tag in reversed(tags)}
    for key, mark in state.marks.items():
        replaced.pop(key, None)
        if mark.is_given:
            replaced[key] = mark.tag
    if replaced != state.tags:
        state.tags = replaced
        state.is_changed = True
    _tell(state, "tags", version)


def _mark_tag(state: CustomerState, mark: Mark) -> None:
    key = folded(mark.tag)
    whole = state.versions.get("tags")
    last = state.marks.get(key)
    if not state.counts_at(mark.told_at) or (whole is not None and mark.told_at <= whole):
        return
    if last is not None and (last.told_at > mark.told_at or last == mark):
        return
    state.marks[key] = mark
    state.is_changed = True
    if mark.is_given:
        state.tags[key] = mark.tag
    else:
        state.tags.pop(key, None)
    _hear(state, mark.told_at)


def _row_of(row: AddressFact | MetafieldFact | StoreCreditFact | str) -> tuple[Any, ...]:
    """Return one row of a set as its table keeps it, without the customer."""
    if isinstance(row, AddressFact):
        region = region_code(row.country_code, row.region_code)
        place = (row.country_code, region, city_key(row))
        return (*place, row.zip, row.latitude, row.longitude)
    if isinstance(row, MetafieldFact):
        return (row.key, row.type, row.value)
    if isinstance(row, StoreCreditFact):
        dates = (inside(row.next_expiry_at), inside(row.last_credit_at))
        return (row.balance, row.currency, *dates)
    return (row,)
