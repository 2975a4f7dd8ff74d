"""Loading the files of Shopify's bulk operations: JSON lines, children after their parents.

The shop's own file is shut in and cannot read other files, so a load has two steps. *Staging* reads
the JSON with a DuckDB of its own into a file in the `incoming` folder, without holding up the
writer. *Merging* attaches that file and takes its rows over in one transaction: everything or
nothing.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Literal

import duckdb

from regulars.errors import UploadError, problem
from regulars.money import digits
from regulars.warehouse.applying import apply_facts
from regulars.warehouse.columns import given, inside, outside
from regulars.warehouse.differing import CHOSEN, Difference, differences, note
from regulars.warehouse.facts import (
    AddressFact,
    CustomerDeleted,
    CustomerFact,
    Fact,
    MetafieldFact,
    StoreCreditFact,
)
from regulars.warehouse.memory import Memory
from regulars.warehouse.opening import WarehouseSettings, file_problems
from regulars.warehouse.places import folded
from regulars.warehouse.sql import statements
from regulars.warehouse.writing import Writer

LoadKind = Literal["customers", "orders", "products"]
#: Told how much of the load is done, from 0 to 1.
Progress = Callable[[float], None]

_MERGE: Final[dict[str, tuple[str, ...]]] = {
    "customers": (
        "fresh_customers",
        "number_customers",
        "taken_customers",
        "drop_taken_customers",
        "add_taken_customers",
        "drop_taken_versions",
        "drop_taken_tag_marks",
        "drop_taken_tags",
        "add_taken_tags",
        "drop_taken_companies",
        "add_taken_companies",
        "drop_taken_addresses",
        "add_taken_addresses",
        "drop_taken_metafields",
        "add_taken_metafields",
        "drop_taken_store_credit",
        "add_taken_store_credit",
    ),
    "orders": (
        "fresh_orders",
        "number_buyers",
        "owners",
        "taken_orders",
        "drop_taken_orders",
        "drop_taken_lines",
        "drop_taken_order_tags",
        "drop_taken_codes",
        "fresh_refunds",
        "drop_fresh_refunds",
        "add_fresh_refunds",
        "add_taken_orders",
        "sum_late_refunds",
        "add_taken_lines",
        "add_taken_order_tags",
        "add_taken_codes",
    ),
    "products": (
        "fresh_products",
        "taken_products",
        "drop_taken_products",
        "drop_taken_product_tags",
        "drop_taken_collections",
        "add_taken_products",
        "add_taken_product_tags",
        "add_taken_collections",
    ),
}
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_DATED: Final = frozenset({"fresh_customers", "fresh_orders", "fresh_products"})
_TIDY: Final = (
    "DROP TABLE IF EXISTS temp.fresh",
    "DROP TABLE IF EXISTS temp.taken",
    "DROP TABLE IF EXISTS temp.owners",
    "DROP TABLE IF EXISTS temp.noted",
    "DROP TABLE IF EXISTS temp.noted_texts",
    "DROP VIEW IF EXISTS temp.texts",
    "DROP TABLE IF EXISTS temp.differing",
    "DROP TABLE IF EXISTS temp.fresh_refunds",
    "DROP TABLE IF EXISTS temp.given_nos",
)


#: Told how many of how many would be marked deleted; raises where that is too many.
Allow = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a load did. `rows` = `written` + `merged` + `kept`."""

    kind: LoadKind
    #: Customers, orders or products in the file, each once.
    rows: int
    #: Written as the file tells them.
    written: int
    #: Customers of whom something newer was known: merged field by field.
    merged: int
    #: Left as they were: newer here, or deleted since.
    kept: int
    #: Addresses, metafields, lines and so on in the file.
    children: int
    #: Customers marked as deleted because the file does not list them.
    missing: int = 0
    #: Values that the file told otherwise than they were here, where that was asked: how many, and
    #: the first of them.
    differing: int = 0
    differences: Sequence[Difference] = ()


@contextmanager
def staged(
    path: Path, kind: LoadKind, currency: str, incoming: Path, settings: WarehouseSettings
) -> Iterator[Path]:
    """Read the file into a staging file that is deleted afterwards; give the latter's path.

    Raises UploadError where the file is not what Shopify writes.
    """
    target = incoming / f"{kind}-{uuid.uuid4().hex}.duckdb"
    try:
        with file_problems(target):
            _stage(path, target, kind, currency, settings)
        yield target
    finally:
        target.unlink(missing_ok=True)
        target.with_name(f"{target.name}.wal").unlink(missing_ok=True)


def _stage(
    path: Path, target: Path, kind: LoadKind, currency: str, settings: WarehouseSettings
) -> None:
    sql = statements("stage")
    if not path.is_file():
        raise UploadError(problem("no_such_file", "There is no file {path}.", path=path))
    config: dict[str, Any] = {
        "memory_limit": settings.memory_limit,
        "pandas_analyze_sample": 0,
        # The order of the file decides nothing but customer numbers; keeping it costs memory.
        "preserve_insertion_order": True,
    }
    if settings.threads is not None:
        config["threads"] = settings.threads
    with duckdb.connect(str(target), config=config) as loader:
        values: dict[str, Any] = {"path": str(path)}
        scaled = values | {"scale": 10 ** digits(currency)}
        try:
            loader.execute(sql[kind], values if kind == "products" else scaled)
            children = scaled if kind == "orders" else values
            loader.execute(sql[f"{kind}_children"], children)
        except (duckdb.InvalidInputException, duckdb.ConversionException) as error:
            raise _unreadable(path, error) from error
        loader.execute(sql["texts"])
        if kind == "orders":
            loader.execute(sql["code_texts"])
        texts = [text for (text,) in loader.execute(sql["unfolded"]).fetchall()]
        rows = [(text, folded(text)) for text in texts]
        with given(loader, "given_folds", {"text": "text", "key": "text"}, rows):
            loader.execute(sql["folds"])
        if kind != "products":
            _check_currency(loader, path, currency)


def _check_currency(loader: duckdb.DuckDBPyConnection, path: Path, currency: str) -> None:
    others = loader.execute(statements("stage")["other_currency"], [currency]).fetchall()
    if others:
        raise UploadError(
            problem(
                "other_currency",
                "{file} has amounts in {found}, but this shop counts in {currency}. Nothing was "
                "loaded. Correct the shop's currency and load again.",
                file=path.name,
                found=others[0][0],
                currency=currency,
            )
        )


def _unreadable(path: Path, error: Exception) -> UploadError:
    return UploadError(
        problem(
            "bulk_file_unreadable",
            "{file} is not a complete file of Shopify's bulk operations: {said}. Nothing was "
            "loaded. Fetch it again.",
            file=path.name,
            said=str(error).splitlines()[0][:300],
        )
    )


def merge(
    writer: Writer,
    kind: LoadKind,
    *,
    as_of: datetime | None,
    delete_missing: bool,
    progress: Progress,
    allow: Allow | None = None,
    compares: bool = False,
) -> Loaded:
    """Take the rows of the attached staging file over, inside the open transaction.

    `allow` is told how many customers of how many the file lacks, and raises to keep them.
    `compares` has the values named that the file tells otherwise.
    """
    cursor, sql = writer.cursor, statements("load")
    steps = _MERGE[kind]
    late: list[str] = []
    for place, name in enumerate(steps):
        dated = {"as_of": inside(as_of)} if name in _DATED else {}
        cursor.execute(sql[name], dated or None)
        if compares and name in CHOSEN:
            note(cursor, kind)
        if name == "number_customers":
            late = [i for (i,) in cursor.execute(sql["late_customers"]).fetchall()]
        progress(0.5 + 0.5 * place / len(steps))
    missing = 0
    facts: list[Fact] = list(_late_facts(cursor, late))
    if kind == "customers" and delete_missing and as_of is not None:
        gone = cursor.execute(sql["missing_customers"], {"as_of": inside(as_of)}).fetchall()
        facts += [CustomerDeleted(customer_id, as_of) for (customer_id,) in gone]
        missing = len(gone)
        if allow is not None:
            ((living,),) = cursor.execute(sql["living_customers"]).fetchall()
            allow(missing, living)
    if facts:
        # Each of these facts says when it was true, so the instant of applying decides nothing.
        apply_facts(writer, facts, as_of or _EPOCH, Memory())
    if kind != "products":
        cursor.execute(sql["all_nos"])
        cursor.execute(statements("apply")["keep_sums"])
        cursor.execute(statements("apply")["keep_unseen"])
    loaded = _counts(cursor, kind, merged=len(late), missing=missing)
    if compares and kind != "products":
        count, named = differences(cursor, kind)
        loaded = replace(loaded, differing=count, differences=named)
    for statement in _TIDY:
        cursor.execute(statement)
    return loaded


def _counts(
    cursor: duckdb.DuckDBPyConnection, kind: LoadKind, *, merged: int, missing: int
) -> Loaded:
    sql = statements("load")
    ((rows,),) = cursor.execute(sql["count_fresh"]).fetchall()
    ((written,),) = cursor.execute(sql["count_taken"]).fetchall()
    ((children,),) = cursor.execute("SELECT count(*) FROM incoming.staged_children").fetchall()
    kept = rows - written - merged
    return Loaded(kind, rows, written, merged, kept, children, missing)


def _late_facts(cursor: duckdb.DuckDBPyConnection, ids: list[str]) -> Iterator[CustomerFact]:
    """Return rows of the file as facts, for customers of whom something newer is known."""
    if not ids:
        return
    sql = statements("load")
    children: defaultdict[str, list[Any]] = defaultdict(list)
    with given(cursor, "given_ids", {"id": "text"}, [(i,) for i in ids]):
        rows = cursor.execute(sql["late_rows"]).fetchall()
        names = [column[0] for column in cursor.description or ()]
        for customer_id, *child in cursor.execute(sql["late_children"]).fetchall():
            children[customer_id].append(child)
    for row in rows:
        told = dict(zip(names, row, strict=True))
        theirs = children[told["customer_id"]]
        told["updated_at"] = outside(told.pop("told_at"))
        told["added_at"] = outside(told["added_at"])
        told["tags"] = tuple(told["tags"] or ())
        told["company_ids"] = tuple(i for i in told["company_ids"] or () if i is not None)
        yield CustomerFact(
            **told,
            addresses=tuple(AddressFact(*c[1:7]) for c in theirs if c[0] == "MailingAddress"),
            metafields=tuple(MetafieldFact(*c[7:10]) for c in theirs if c[0] == "Metafield"),
            store_credit=tuple(
                StoreCreditFact(*c[10:12]) for c in theirs if c[0] == "StoreCreditAccount"
            ),
        )
