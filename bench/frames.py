"""The reference rules over Polars data frames in memory: a peer that is used where it is installed.

Polars is no part of the product: `make bench` installs it. It reads the same rows, once, before
anything is timed, and runs on as many threads as DuckDB.
"""

from __future__ import annotations

import importlib.util
import os
import re
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from bench.postgres import TABLES as POSTGRES_TABLES
from regulars.warehouse.warehouse import Warehouse

#: The columns of the tables that the rules look at.
TABLES = {
    name: [one.split()[0] for one in columns.split(", ")]
    for name, columns in POSTGRES_TABLES.items()
}
#: Rows read at once: texts come as Python objects, which take much room.
ROWS = 500_000
#: What the methods of the rules are called.
RULE = re.compile(r"_r[0-9]{2}")
YEAR = "2025-11-19T15:00:00"


def is_there() -> bool:
    """Whether Polars can be imported here."""
    return importlib.util.find_spec("polars") is not None


class Frames:
    """The shop's tables as frames, and the rules as lazy queries over them."""

    def __init__(self, warehouse: Warehouse, threads: int) -> None:
        os.environ.setdefault("POLARS_MAX_THREADS", str(threads))
        import polars as pl

        self.pl = pl
        self.version = pl.__version__
        cursor = warehouse._connection.cursor()  # noqa: SLF001 - the peer gets the same rows
        for name, columns in TABLES.items():
            setattr(self, name, self._read(cursor, name, columns).lazy())
        self.rules: dict[str, Callable[[], Any]] = {
            name[1:].upper(): getattr(self, name) for name in dir(self) if RULE.fullmatch(name)
        }

    def _read(self, cursor: Any, name: str, columns: Sequence[str]) -> Any:
        ((rows,),) = cursor.execute(f"SELECT count(*) FROM {name}").fetchall()
        parts = []
        for first in range(0, rows, ROWS):
            found = cursor.execute(
                f"SELECT {', '.join(columns)} FROM {name} WHERE rowid >= $first AND rowid < $last",
                {"first": first, "last": first + ROWS},
            ).fetchnumpy()
            parts.append(self.pl.DataFrame([self._column(*one) for one in found.items()]))
        return self.pl.concat(parts, rechunk=True)

    def _column(self, name: str, values: Any) -> Any:
        if values.dtype.kind == "O":
            return self.pl.Series(name, values.tolist(), dtype=self.pl.String)
        if values.dtype.kind == "M" and isinstance(values, np.ma.MaskedArray):
            values = values.filled(np.datetime64("NaT"))
        plain = not isinstance(values, np.ma.MaskedArray) or not values.mask.any()
        return self.pl.Series(name, np.asarray(values) if plain else values.tolist())

    def ids(self, name: str) -> np.ndarray:
        """Return the customers of a rule, by the first word of its name."""
        found = self.rules[name]().select("customer_no").collect()
        return found["customer_no"].to_numpy()

    # -- parts that rules share ------------------------------------------------------------------

    def is_(self, name: str, value: str) -> Any:
        return self.pl.col(name) == value

    def since(self, text: str, name: str = "processed_at") -> Any:
        return self.pl.col(name) >= self.pl.lit(text).str.to_datetime()

    def counted(self) -> Any:
        return self.orders.filter(~self.pl.col("is_test") & self.pl.col("cancelled_at").is_null())

    def bought(self, *kept: Any) -> Any:
        kept_lines = self.lines.filter(*kept) if kept else self.lines
        return kept_lines.join(self.counted(), on="order_id", how="semi")

    def tagged(self, tag: str, lines: Any) -> Any:
        products = self.product_tags.filter(self.is_("tag_key", tag))
        return lines.join(products, on="product_id", how="semi")

    def without(self, some: Any, others: Any) -> Any:
        return some.join(others, on="customer_no", how="anti")

    def among(self, some: Any, others: Any) -> Any:
        return some.join(others, on="customer_no", how="semi")

    def grouped(self, rows: Any, total: Any) -> Any:
        return rows.group_by("customer_no").agg(total.alias("total"))

    def subscribed(self) -> Any:
        return self.customers.filter(self.is_("email_subscription_status", "SUBSCRIBED"))

    def in_japan(self) -> Any:
        return self.addresses.filter(self.is_("country_code", "JP"))

    def days(self, name: str) -> Any:
        return (self.pl.col(name) + self.pl.duration(hours=9)).dt.date()

    # -- the rules -------------------------------------------------------------------------------

    def _r01(self) -> Any:
        return self.among(self.subscribed(), self.in_japan())

    def _r02(self) -> Any:
        return self.customer_tags.filter(self.is_("tag_key", "t17"))

    def _r03(self) -> Any:
        return self.without(self.subscribed(), self.customer_tags.filter(self.is_("tag_key", "t1")))

    def _r04(self) -> Any:
        return self.customers.filter(self.pl.col("order_count") >= 3)

    def _r05(self) -> Any:
        return self.customers.filter(self.pl.col("spent_amount").is_between(10_000, 50_000))

    def _r06(self) -> Any:
        return self.customers.filter(~self.since("2026-08-21T15:00:00", "last_order_at"))

    def _r07(self) -> Any:
        until = ~self.since("2025-03-31T15:00:00", "first_order_at")
        return self.customers.filter(self.since("2025-02-28T15:00:00", "first_order_at") & until)

    def _r08(self) -> Any:
        rows = self.bought(self.is_("product_id", "7"), self.since("2026-05-23T15:00:00"))
        orders = self.grouped(rows, self.pl.col("order_id").n_unique())
        return orders.filter(self.pl.col("total") >= 2)

    def _r09(self) -> Any:
        return self.without(self.customers, self.tagged("tag5", self.bought()))

    def _r10(self) -> Any:
        return self.without(
            self.bought(self.is_("product_id", "3")), self.bought(self.is_("product_id", "4"))
        )

    def _r11(self) -> Any:
        rows = self.bought(self.is_("vendor", "v3"), self.since(YEAR))
        return self.grouped(rows, self.pl.col("amount").sum()).filter(self.pl.col("total") > 10_000)

    def _r12(self) -> Any:
        count = self.pl.col("order_count")
        return self.customers.filter((count > 0) & (self.pl.col("spent_amount") > 15_000.0 * count))

    def _r13(self) -> Any:
        apart = (self.days("last_order_at") - self.days("first_order_at")).dt.total_days()
        count = self.pl.col("order_count").cast(self.pl.Int64)
        return self.customers.filter((count >= 2) & (apart < 30 * (count - 1)))

    def in_order(self) -> Any:
        return self.counted().sort("customer_no", "processed_at", "order_id")

    def _r14(self) -> Any:
        day = self.days("processed_at")
        gap = (day - day.shift(1).over("customer_no")).dt.total_days()
        return self.in_order().filter(gap > 180)

    def _r15(self) -> Any:
        number = self.pl.int_range(self.pl.len()).over("customer_no")
        second = self.in_order().filter(number == 1)
        return self.tagged("tag9", self.lines.join(second, on="order_id", how="semi"))

    def _r16(self) -> Any:
        pl = self.pl
        often = (pl.col("order_count") >= 2) & (pl.col("spent_amount") > 20_000)
        pending = self.is_("email_subscription_status", "PENDING")
        enabled = pl.col("account_status").ne_missing(pl.lit("DISABLED"))
        return self.customers.filter(
            pl.col("language").is_in(["ja", "en"]), often | pending, enabled
        )

    def _r17(self) -> Any:
        counted = self.counted().filter(self.is_("source_name", "pos"))
        often = self.grouped(counted, self.pl.len()).filter(self.pl.col("total") >= 3)
        bought = self.tagged("tag2", self.bought(self.since(YEAR)))
        either = self.pl.concat([bought.select("customer_no"), often.select("customer_no")])
        return self.without(either, self.bought(self.is_("vendor", "v7")))

    def _r18(self) -> Any:
        counted = self.counted().filter(self.since("2026-09-20T15:00:00"))
        return self.grouped(counted, self.pl.len()).filter(self.pl.col("total") >= 2)

    def _r19(self) -> Any:
        pl = self.pl
        old = ~self.since("2026-08-21T15:00:00", "last_order_at")
        spent = self.customers.filter(pl.col("spent_amount").is_between(10_000, 50_000))
        either = pl.concat([self._r01().select("customer_no"), spent.select("customer_no")])
        return self.without(either, self.customers.filter(old))

    def _r20(self) -> Any:
        rows = self.counted().filter(self.is_("app_id", "502"), self.since(YEAR))
        spent = self.pl.col("total_amount") - self.pl.col("refunded_amount")
        return self.grouped(rows, spent.sum()).filter(self.pl.col("total") >= 30_000)

    def _r21(self) -> Any:
        region = self.pl.col("region_code").str.to_lowercase() == "jp-3"
        people = self.customers.filter(self.is_("email_domain", "gmail.com"))
        return self.among(people, self.addresses.filter(region))

    def _r22(self) -> Any:
        rows = self.tagged("tag11", self.bought(self.since(YEAR)))
        return self.grouped(rows, self.pl.col("quantity").sum()).filter(self.pl.col("total") >= 3)
