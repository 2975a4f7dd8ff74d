"""Uploaded lists: the checked rows of a file, the rows of each list, whom they stand for.

Everything here works on whole files at once and inside the caller's transaction. What a cell
means is segments' work.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Final, Literal, NamedTuple

import duckdb
import numpy as np
from pyroaring import BitMap

from regulars.warehouse.columns import Shape, given, inside
from regulars.warehouse.membership import bitmap_of, set_of
from regulars.warehouse.sql import statements

Mode = Literal["replace", "add", "remove"]

_LISTS: Final[Shape] = {"list_id": "whole"}
_PEOPLE: Final[Shape] = {"id_key": "text", "email_key": "text", "phone_key": "text"}

#: What each way of uploading does, one statement after the other.
_STEPS: Final[Mapping[Mode, Sequence[str]]] = {
    "replace": (
        "take_out_unnamed_members",
        "take_out_unnamed_waiting",
        "add_members",
        "add_waiting",
    ),
    "add": ("add_members", "add_waiting"),
    "remove": ("take_out_named_members", "take_out_named_waiting"),
}


class Keys(NamedTuple):
    """What a row or a customer is recognized by; None where it has none."""

    id_key: str | None
    email_key: str | None
    phone_key: str | None


class CheckedRow(NamedTuple):
    """A row of a checked file that is no member: the line it begins on, and why."""

    line: int
    outcome: str
    reason: str | None
    shown: str | None
    email_key: str | None
    phone_key: str | None


class ListRows:
    """The lists' tables over one cursor; writing needs that of a transaction."""

    def __init__(self, cursor: duckdb.DuckDBPyConnection) -> None:
        self._cursor = cursor
        self._sql = statements("lists")

    def _run(self, name: str, **values: object) -> duckdb.DuckDBPyConnection:
        return self._cursor.execute(self._sql[name], values)

    # -- a file ----------------------------------------------------------------------------------

    def check(self, upload_id: int, keys: Path, calling_code: str) -> None:
        """Take a file of keys, the next part of an upload, and find out whom each row stands for.

        What a transaction puts into temporary tables is in memory until it ends: a part each.
        """
        self._run("take_keys", path=str(keys))
        self._fit(calling_code)
        self._run("take_told")
        self._run("find_alike", upload_id=upload_id)
        self._run("keep_checked", upload_id=upload_id)

    def counts(self, upload_id: int) -> dict[str, int]:
        """Return the rows of a checked file by outcome."""
        return dict(self._run("count_checked", upload_id=upload_id).fetchall())

    def checked_members(self, upload_id: int) -> BitMap:
        """Return the customers that a checked file names."""
        return bitmap_of(self._run("checked_members", upload_id=upload_id))

    def checked_page(
        self, upload_id: int, *, outcome: str | None = None, after: int = 0, most: int = 100
    ) -> list[CheckedRow]:
        """Return rows that are no members, in the file's order; `after` is a line."""
        values = {"upload_id": upload_id, "outcome": outcome, "after": after, "most": most}
        return [CheckedRow(*row) for row in self._run("checked_page", **values).fetchall()]

    def same_people(self, keys: Iterable[str]) -> dict[str, list[str]]:
        """Return the ids of all customers who have one of these e-mails or phones, by it."""
        rows = [(key,) for key in sorted(set(keys))]
        found: defaultdict[str, list[str]] = defaultdict(list)
        with given(self._cursor, "given_keys", {"key": "text"}, rows):
            for customer_id, email, phone in self._run("same_people").fetchall():
                for key in (email, phone):
                    if key is not None:
                        found[key].append(customer_id)
        return found

    def forget_checked(self, upload_id: int) -> None:
        """Forget the rows of a file."""
        self._run("forget_checked", upload_id=upload_id)

    # -- a list ----------------------------------------------------------------------------------

    def members(self, list_id: int) -> BitMap:
        """Return the customers of a list."""
        return bitmap_of(self._run("members", list_id=list_id))

    def count_waiting(self, list_id: int) -> int:
        """Return how many rows of a list wait for their customer."""
        ((count,),) = self._run("count_waiting", list_id=list_id).fetchall()
        return int(count)

    def waiting_kept(self, list_id: int, upload_id: int) -> tuple[int, int, int]:
        """Return how many rows wait on the list, in the checked file, and in both."""
        ((listed, told, both),) = self._run(
            "waiting_kept", list_id=list_id, upload_id=upload_id
        ).fetchall()
        return listed, told, both

    def apply(self, list_id: int, upload_id: int, mode: Mode) -> None:
        """Change a list by a checked file. Done twice it is done once."""
        self.undo(list_id, upload_id)
        self._run("forget_removed", list_id=list_id)
        for step in _STEPS[mode]:
            values = {"list_id": list_id, "upload_id": upload_id}
            self._run(step, **values)

    def undo(self, list_id: int, upload_id: int) -> None:
        """Take back what an upload did to a list."""
        self._run("take_back_added", list_id=list_id, upload_id=upload_id)
        self._run("bring_back_removed", list_id=list_id, upload_id=upload_id)

    def drop(self, list_id: int) -> None:
        """Forget a list."""
        self._run("drop_list", list_id=list_id)

    def pages(self, list_id: int, *, rows: int = 5_000) -> Iterator[Sequence[Keys]]:
        """Yield a list as keys: its customers by id, then what waits."""
        self._run("list_page", list_id=list_id)
        while page := self._cursor.fetchmany(rows):
            yield [Keys(*row) for row in page]

    def waiting_page(self, list_id: int, most: int) -> list[Keys]:
        """Return rows that wait for their customer."""
        values = {"list_id": list_id, "most": most}
        return [Keys(*row) for row in self._run("waiting_page", **values).fetchall()]

    # -- whom rows stand for ---------------------------------------------------------------------

    def marks(self, list_ids: Collection[int]) -> BitMap:
        """Return a mark of each key that waits on one of these lists."""
        with given(self._cursor, "given_lists", _LISTS, [(one,) for one in list_ids]):
            return bitmap_of(self._run("waiting_marks"))

    def claim(
        self,
        list_ids: Collection[int],
        calling_code: str,
        people: Sequence[Keys] | None = None,
    ) -> dict[int, BitMap]:
        """Let waiting rows stand for their customers who are there now; return them by list.

        `people` narrows the search to rows that name one of them.
        """
        with given(self._cursor, "given_lists", _LISTS, [(one,) for one in list_ids]):
            if people is None:
                self._run("take_waiting")
            else:
                with given(self._cursor, "given_people", _PEOPLE, people):
                    self._run("take_waiting_for")
        self._fit(calling_code)
        found: defaultdict[int, BitMap] = defaultdict(BitMap)
        for list_id, customer_no in self._run("newly_fitted").fetchall():
            found[list_id].add(customer_no)
        if found:
            self._run("settle_fitted")
        return found

    def _fit(self, calling_code: str) -> None:
        ((with_emails, with_phones),) = self._run("kinds_given").fetchall()
        values = {"with_emails": with_emails, "with_phones": with_phones}
        self._run("fit", calling_code=calling_code, **values)

    def follow_merges(self, list_id: int) -> None:
        """Let the rows of merged customers be those of whom they were merged into."""
        self._run("follow_merges", list_id=list_id)

    def move(self, removed_no: int, kept_no: int) -> None:
        """Let the rows of a merged customer be the other's."""
        self._run("move", removed_no=removed_no, kept_no=kept_no)

    def erase(self, customer_no: int) -> None:
        """Forget a customer on every list."""
        self._run("erase", customer_no=customer_no)
        self._run("erase_log", customer_no=customer_no)

    # -- who was on a list -----------------------------------------------------------------------

    def log(self, list_id: int, joined: BitMap, left: BitMap, at: datetime) -> None:
        """Write down who came onto a list and who went, at an instant."""
        for has_joined, who in ((True, joined), (False, left)):
            if who:
                numbers = {"customer_no": np.array(who.to_array(), np.uint32)}
                self._cursor.register("given_flips", numbers)
                try:
                    self._run("log", list_id=list_id, at=inside(at), joined=has_joined)
                finally:
                    self._cursor.unregister("given_flips")

    def members_at(self, list_id: int, instant: datetime) -> BitMap:
        """Return who was on a list at an instant; who was merged since is the other."""
        changed = self._run("changed_since", list_id=list_id, at=inside(instant)).fetchnumpy()
        came = changed["joined"]
        # What first happened to somebody afterwards tells what was before.
        since = set_of(changed["customer_no"][came])
        back = set_of(changed["customer_no"][~came])
        return (self.members(list_id) - since) | self._merged(back)

    def _merged(self, numbers: BitMap) -> BitMap:
        while numbers:
            into = dict(self._run("merged_into", numbers=list(numbers)).fetchall())
            if not into:
                break
            numbers = BitMap(into.get(one, one) for one in numbers)
        return numbers
