"""Who joined and left, when and why: what the pages, the API and the files of it share.

A customer's history is the same log, narrowed to one customer instead of one segment.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, cast, get_args
from urllib.parse import urlencode

from starlette.responses import Response

from regulars.engine.days import day_start
from regulars.errors import InputError, NotFoundError, problem
from regulars.office import Shop
from regulars.segments import Cause, list_segments
from regulars.web.api.shapes import instant_of
from regulars.web.deps import ToldProblem, Visit
from regulars.web.figures import Member, find_customers, people
from regulars.web.files import customers_file
from regulars.web.i18n import N_

if TYPE_CHECKING:
    from regulars.runtime import Runtime

CAUSES: Final[Mapping[Cause, str]] = {
    "order": N_("an order, a refund or a cancellation"),
    "profile": N_("a change of profile, tags or consent"),
    "product": N_("a product that was bought changed"),
    "created": N_("the segment was made"),
    "restored": N_("the segment came back from the trash"),
    "edited": N_("the rule was edited"),
    "day_change": N_("a new day began"),
    "universe": N_("who counts as everybody was changed"),
    "loaded": N_("the shop's data was loaded again"),
    "upload": N_("an uploaded file changed the list"),
    "awaited": N_("a customer whom the list waited for appeared"),
    "part_changed": N_("a segment that this one is made of changed"),
    "merged": N_("the customer was merged with another"),
    "deleted": N_("the customer was deleted"),
}
WHAT: Final = {"joined": N_("joined"), "left": N_("left")}
#: The rows of a page, the most customers that words of a search stand for, the rows of a file that
#: are read at a time.
PAGE_ROWS: Final = 50
FOUND_MAX: Final = 200
_FILE_ROWS: Final = 5_000
#: What an address narrows the log by, beside a customer.
FILTERS: Final = ("since", "until", "what", "cause")
#: The heads of a file; a program reads them.
FILE_HEADS: Final = ("Time", "What", "Customer ID", "Segment", "Cause")


@dataclass(frozen=True, slots=True)
class Narrowed:
    """What is asked of the log; the texts of since and until as they were written."""

    segment_id: int | None = None
    customer_nos: Sequence[int] | None = None
    #: From the beginning of this day on, or from an instant.
    since: str = ""
    #: To the end of this day, or to an instant.
    until: str = ""
    what: str = ""
    cause: str = ""

    def terms(self, shop: Shop) -> Mapping[str, Any]:
        """Return what the log takes; raises InputError for what is no day, word or cause."""
        _check("what", self.what, WHAT)
        _check("cause", self.cause, get_args(Cause))
        since, until = _since(shop, self.since), _until(shop, self.until)
        if since and until and until < since:
            text = "The last day lies before the first one. Exchange them."
            raise InputError(problem("days_reversed", text, field="until"))
        return {
            "segment_id": self.segment_id,
            "customer_nos": self.customer_nos,
            "since": since,
            "until": until,
            "joined": self.what == "joined" if self.what else None,
            "cause": self.cause or None,
        }


@dataclass(frozen=True, slots=True)
class Move:
    """One customer joined or left one segment."""

    key: int
    at: datetime
    customer: Member
    segment_id: int
    #: None for a segment that is gone for good.
    segment: str | None
    is_in_trash: bool
    joined: bool
    cause: Cause
    version: int

    @property
    def what(self) -> str:
        """Whether it was joined or left, in a word."""
        return "joined" if self.joined else "left"


def moves(
    runtime: Runtime, shop: Shop, asked: Narrowed, *, before: int | None, most: int
) -> tuple[Sequence[Move], int | None]:
    """Return a page of the log, newest first, and where the next one continues."""
    warehouse = runtime.warehouse(shop)
    terms = asked.terms(shop)
    entries = warehouse.log_entries(**terms, before=before, limit=most + 1)
    shown = entries[:most]
    who = people(warehouse, {one.customer_no for one in shown})
    live, trashed = _named(runtime, shop)
    told = [
        Move(
            key=one.key,
            at=one.at,
            customer=who[one.customer_no],
            segment_id=one.segment_id,
            segment=live.get(one.segment_id) or trashed.get(one.segment_id),
            is_in_trash=one.segment_id in trashed,
            joined=one.joined,
            cause=cast("Cause", one.cause),
            version=one.version,
        )
        for one in shown
    ]
    return told, shown[-1].key if len(entries) > most else None


def file_rows(runtime: Runtime, shop: Shop, asked: Narrowed) -> Iterator[Sequence[str]]:
    """Yield a heading and a row per move, newest first: words of the API, times of the shop."""
    # What cannot be asked for is told before the first row is sent.
    asked.terms(shop)
    return _file_rows(runtime, shop, asked)


def _file_rows(runtime: Runtime, shop: Shop, asked: Narrowed) -> Iterator[Sequence[str]]:
    yield FILE_HEADS
    before: int | None = None
    while True:
        told, before = moves(runtime, shop, asked, before=before, most=_FILE_ROWS)
        for one in told:
            at = one.at.astimezone(shop.zone).isoformat(timespec="seconds")
            yield at, one.what, one.customer.customer_id, one.segment or "", one.cause
        if before is None:
            return


def customer_number(runtime: Runtime, shop: Shop, customer_id: str) -> int:
    """Return the number of a customer by their id; raises NotFoundError."""
    found = runtime.warehouse(shop).customer_nos([customer_id]).get(customer_id)
    if found is None:
        text = "There is no customer {customer} in this shop."
        raise NotFoundError(problem("no_customer", text, customer=customer_id))
    return found


def log_values(
    visit: Visit, asked: Narrowed, *, address: str, file: str, tab: str = "", words: str = ""
) -> dict[str, Any]:
    """Return what the table of the log shows, for a page's filters; what is wrong stands there.

    `address` is the page's own, `tab` what chooses the log on it, `file` the same rows as CSV.
    """
    visit.note_look()
    query = visit.request.query_params
    before = query.get("before", "")
    wrong: Sequence[ToldProblem] = ()
    told: Sequence[Move] = ()
    further: int | None = None
    at = int(before) if before.isdecimal() and len(before) <= 18 else None
    try:
        told, further = moves(visit.runtime, visit.shop, asked, before=at, most=PAGE_ROWS)
    except InputError as error:
        wrong = visit.problems(error)
    state = _state(asked, words)

    def page_address(at: int | None = None, *, plain: bool = False) -> str:
        texts = [tab, "" if plain else state, f"before={at}" if at else ""]
        return f"{address}?{'&'.join(filter(None, texts))}"

    return {
        "moves": told,
        "asked": asked,
        "words": words,
        "problems_of": lambda field: [one for one in wrong if one.field == field],
        "state": state,
        "address": address,
        "page_address": page_address,
        "file": file,
        "further": further,
        "is_first": at is None,
        "is_narrowed": bool(asked.since or asked.until or asked.what or asked.cause or words),
        "causes": CAUSES,
        "causes_shown": _choices(visit, visit.say("Any reason"), CAUSES),
        "what_shown": _choices(visit, visit.say("Joined and left"), WHAT),
    }


def narrowed(visit: Visit, **fixed: Any) -> Narrowed:
    """Read a page's filters from its address."""
    query = visit.request.query_params
    texts: dict[str, Any] = {name: query.get(name, "").strip() for name in FILTERS}
    return Narrowed(**texts, **fixed)


def found_customers(visit: Visit, words: str) -> Sequence[int] | None:
    """Return the numbers of the customers that words stand for; None where there are no words."""
    if not words:
        return None
    found = find_customers(visit.runtime.warehouse(visit.shop), words, most=FOUND_MAX)
    return [one.customer_no for one in found]


def log_download(visit: Visit, asked: Narrowed, name: str) -> Response:
    """Send the log as it is narrowed, and keep in the audit log that it was sent."""
    rows = file_rows(visit.runtime, visit.shop, asked)
    title = f"{name} {visit.say('Joined & left')}"
    about = name if asked.segment_id is not None else ""
    return customers_file(visit, visit.shop, title, rows, act="log_exported", about=about)


def _state(asked: Narrowed, words: str) -> str:
    given = {name: getattr(asked, name) for name in FILTERS} | {"customer": words}
    return urlencode({name: text for name, text in given.items() if text})


def _choices(visit: Visit, every: str, words: Mapping[Any, str]) -> Sequence[tuple[str, str]]:
    return [("", every), *((key, visit.say(text)) for key, text in words.items())]


def _named(runtime: Runtime, shop: Shop) -> tuple[Mapping[int, str], Mapping[int, str]]:
    with runtime.office.reading() as session:
        live = list_segments(session, shop)
        trashed = list_segments(session, shop, in_trash=True)
    return {one.id: one.name for one in live}, {one.id: one.name for one in trashed}


def _check(field: str, given: str, known: Iterable[str]) -> None:
    if given and given not in known:
        template = '"{text}" cannot be asked for here. Choose one of: {choices}.'
        choices = ", ".join(known)
        code = "no_such_choice"
        raise InputError(problem(code, template, text=given, choices=choices, field=field))


def _until(shop: Shop, text: str) -> datetime | None:
    return instant_of(shop, text, "until") if text else None


def _since(shop: Shop, text: str) -> datetime | None:
    if not text:
        return None
    last = instant_of(shop, text, "since")
    # A day is given by its end; from a day on means from its beginning on.
    is_day = "T" not in text and ":" not in text
    return day_start(last.astimezone(shop.zone).date(), shop.zone) if is_day else last
