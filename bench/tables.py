"""The reference rules over pandas tables in memory: a peer that is used where it is installed.

pandas is no part of the product: `make bench` installs it. It reads the same rows, once, before
anything is timed. Texts are categories and order ids whole numbers in their order, which is its
quickest way.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from typing import Any

import numpy as np

from bench.frames import ROWS, RULE, TABLES, YEAR
from regulars.warehouse.warehouse import Warehouse


def is_there() -> bool:
    """Whether pandas can be imported here."""
    return importlib.util.find_spec("pandas") is not None


class Tables:
    """The shop's tables, and the rules over them."""

    def __init__(self, warehouse: Warehouse) -> None:
        import pandas as pd

        self.pd = pd
        self.version = pd.__version__
        cursor = warehouse._connection.cursor()  # noqa: SLF001 - the peer gets the same rows
        for name, columns in TABLES.items():
            setattr(
                self, name, pd.DataFrame({one: self._read(cursor, name, one) for one in columns})
            )
        ids = self.orders["order_id"].cat.categories
        self.lines["order_id"] = ids.get_indexer(self.lines["order_id"])
        self.orders["order_id"] = self.orders["order_id"].cat.codes
        self.rules: dict[str, Callable[[], Any]] = {
            name[1:].upper(): getattr(self, name) for name in dir(self) if RULE.fullmatch(name)
        }

    def _read(self, cursor: Any, table: str, column: str) -> Any:
        """Read one column; texts in parts, because each comes as an object of its own."""
        ((rows,),) = cursor.execute(f"SELECT count(*) FROM {table}").fetchall()
        parts = []
        for first in range(0, rows, ROWS):
            found = cursor.execute(
                f"SELECT {column} FROM {table} WHERE rowid >= $first AND rowid < $last",
                {"first": first, "last": first + ROWS},
            ).fetchnumpy()[column]
            parts.append(self._part(found))
        if parts and isinstance(parts[0], self.pd.Categorical):
            return self.pd.api.types.union_categoricals(parts, sort_categories=True)
        return np.concatenate(parts)

    def _part(self, values: Any) -> Any:
        if values.dtype.kind == "O":
            listed = values.filled(None) if isinstance(values, np.ma.MaskedArray) else values
            return self.pd.Categorical(listed)
        if not isinstance(values, np.ma.MaskedArray):
            return values
        if values.dtype.kind == "M":
            return values.filled(np.datetime64("NaT"))
        return values.astype(np.float64).filled(np.nan) if values.mask.any() else values.data

    def ids(self, name: str) -> np.ndarray:
        """Return the customers of a rule, by the first word of its name."""
        found = self.rules[name]()
        return np.asarray(found if isinstance(found, self.pd.Index) else found["customer_no"])

    # -- parts that rules share ------------------------------------------------------------------

    def since(self, table: Any, text: str, name: str = "processed_at") -> Any:
        return table[name] >= np.datetime64(text)

    def before(self, table: Any, text: str, name: str) -> Any:
        return table[name] < np.datetime64(text)

    def counted(self) -> Any:
        return self.orders[~self.orders["is_test"] & self.orders["cancelled_at"].isna()]

    def bought(self, kept: Any = None) -> Any:
        lines = self.lines if kept is None else self.lines[kept]
        return lines[lines["order_id"].isin(self.counted()["order_id"])]

    def tagged(self, tag: str, lines: Any) -> Any:
        products = self.product_tags[self.product_tags["tag_key"] == tag]["product_id"]
        return lines[lines["product_id"].isin(products)]

    def without(self, some: Any, others: Any) -> Any:
        return some[~some["customer_no"].isin(others["customer_no"])]

    def among(self, some: Any, others: Any) -> Any:
        return some[some["customer_no"].isin(others["customer_no"])]

    def either(self, some: Any, others: Any) -> Any:
        return self.pd.concat([some[["customer_no"]], others[["customer_no"]]])

    def sums(self, rows: Any, values: Any) -> Any:
        return values.groupby(rows["customer_no"], sort=False).sum()

    def counts(self, rows: Any) -> Any:
        return rows.groupby("customer_no", sort=False).size()

    def subscribed(self) -> Any:
        return self.customers[self.customers["email_subscription_status"] == "SUBSCRIBED"]

    def in_japan(self) -> Any:
        return self.addresses[self.addresses["country_code"] == "JP"]

    def days(self, instants: Any) -> Any:
        return (instants + np.timedelta64(9, "h")).dt.floor("D")

    def in_order(self) -> Any:
        return self.counted().sort_values(["customer_no", "processed_at", "order_id"])

    # -- the rules -------------------------------------------------------------------------------

    def _r01(self) -> Any:
        return self.among(self.subscribed(), self.in_japan())

    def _r02(self) -> Any:
        return self.customer_tags[self.customer_tags["tag_key"] == "t17"]

    def _r03(self) -> Any:
        tagged = self.customer_tags[self.customer_tags["tag_key"] == "t1"]
        return self.without(self.subscribed(), tagged)

    def _r04(self) -> Any:
        return self.customers[self.customers["order_count"] >= 3]

    def _r05(self) -> Any:
        return self.customers[self.customers["spent_amount"].between(10_000, 50_000)]

    def _r06(self) -> Any:
        return self.customers[self.before(self.customers, "2026-08-21T15:00:00", "last_order_at")]

    def _r07(self) -> Any:
        people = self.customers
        since = self.since(people, "2025-02-28T15:00:00", "first_order_at")
        return people[since & self.before(people, "2025-03-31T15:00:00", "first_order_at")]

    def _r08(self) -> Any:
        lines = self.lines
        rows = self.bought((lines["product_id"] == "7") & self.since(lines, "2026-05-23T15:00:00"))
        orders = rows.groupby("customer_no", sort=False)["order_id"].nunique()
        return orders.index[orders >= 2]

    def _r09(self) -> Any:
        return self.without(self.customers, self.tagged("tag5", self.bought()))

    def _r10(self) -> Any:
        one, other = (self.bought(self.lines["product_id"] == text) for text in ("3", "4"))
        return self.without(one, other)

    def _r11(self) -> Any:
        rows = self.bought((self.lines["vendor"] == "v3") & self.since(self.lines, YEAR))
        total = self.sums(rows, rows["amount"])
        return total.index[total > 10_000]

    def _r12(self) -> Any:
        people = self.customers
        above = people["spent_amount"] > 15_000.0 * people["order_count"]
        return people[(people["order_count"] > 0) & above]

    def _r13(self) -> Any:
        people = self.customers[self.customers["order_count"] >= 2]
        apart = self.days(people["last_order_at"]) - self.days(people["first_order_at"])
        return people[apart.dt.days < 30 * (people["order_count"].astype(np.int64) - 1)]

    def _r14(self) -> Any:
        rows = self.in_order()
        days = self.days(rows["processed_at"])
        gap = days - days.shift(1)
        same = rows["customer_no"] == rows["customer_no"].shift(1)
        return rows[same & (gap > np.timedelta64(180, "D"))]

    def _r15(self) -> Any:
        rows = self.in_order()
        second = rows[rows.groupby("customer_no", sort=False).cumcount() == 1]
        return self.tagged("tag9", self.lines[self.lines["order_id"].isin(second["order_id"])])

    def _r16(self) -> Any:
        people = self.customers
        often = (people["order_count"] >= 2) & (people["spent_amount"] > 20_000)
        pending = people["email_subscription_status"] == "PENDING"
        speaks = people["language"].isin(["ja", "en"])
        return people[speaks & (often | pending) & (people["account_status"] != "DISABLED")]

    def _r17(self) -> Any:
        counted = self.counted()
        often = self.counts(counted[counted["source_name"] == "pos"])
        people = self.pd.DataFrame({"customer_no": often.index[often >= 3]})
        bought = self.tagged("tag2", self.bought(self.since(self.lines, YEAR)))
        return self.without(self.either(bought, people), self.bought(self.lines["vendor"] == "v7"))

    def _r18(self) -> Any:
        counted = self.counted()
        orders = self.counts(counted[self.since(counted, "2026-09-20T15:00:00")])
        return orders.index[orders >= 2]

    def _r19(self) -> Any:
        people = self.customers
        old = people[self.before(people, "2026-08-21T15:00:00", "last_order_at")]
        return self.without(self.either(self._r01(), self._r05()), old)

    def _r20(self) -> Any:
        counted = self.counted()
        rows = counted[(counted["app_id"] == "502") & self.since(counted, YEAR)]
        total = self.sums(rows, rows["total_amount"] - rows["refunded_amount"])
        return total.index[total >= 30_000]

    def _r21(self) -> Any:
        people = self.customers[self.customers["email_domain"] == "gmail.com"]
        regions = self.addresses["region_code"].cat
        wanted = [one for one in regions.categories if one.lower() == "jp-3"]
        return self.among(people, self.addresses[self.addresses["region_code"].isin(wanted)])

    def _r22(self) -> Any:
        rows = self.tagged("tag11", self.bought(self.since(self.lines, YEAR)))
        total = self.sums(rows, rows["quantity"])
        return total.index[total >= 3]
