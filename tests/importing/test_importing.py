"""Importing files as people have them: every row is in the warehouse or beside its reason."""

import csv
import gzip
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from regulars.errors import InputError, UploadError
from regulars.importing import ImportReport, import_files
from regulars.importing.rejects import guarded
from regulars.importing.rows import ROW_CHARACTERS_MAX, open_rows
from regulars.importing.values import UnreadableError, instant_of
from regulars.warehouse import Warehouse, Warehouses, WarehouseSettings

AT = datetime(2024, 6, 1, tzinfo=UTC)
TOKYO = ZoneInfo("Asia/Tokyo")
CDNOW = Path(__file__).parents[3] / "shared" / "data" / "cdnow.csv.gz"

SHOPIFY_ORDERS = """\
Name,Email,Financial Status,Currency,Subtotal,Total,Discount Code,Created at,Lineitem quantity,\
Lineitem name,Lineitem price,Lineitem sku,Cancelled at,Refunded Amount,Vendor,Id,Tags,Source,\
Lineitem discount,Phone
#1001,ana@example.com,paid,USD,30.00,33.50,WELCOME,2024-01-01 10:00:00 +0900,2,Green tea,10.00,\
T1,,5.00,Kyoto,'5001,"gift, VIP",web,0.00,
#1001,ana@example.com,,,,,,2024-01-01 10:00:00 +0900,1,Cup,10.00,C1,,,Kyoto,,,,1.50,
#1002,New@Example.com,paid,USD,9.99,9.99,,2024-01-02 10:00:00 +0900,1,Cup,9.99,C1,\
2024-01-03 09:00:00 +0900,0.00,Kyoto,5002,,pos,0.00,
"""
SHOPIFY_CUSTOMERS = """\
Customer ID,First Name,Last Name,Email,Accepts Email Marketing,Default Address City,\
Default Address Province Code,Default Address Country Code,Default Address Zip,Phone,\
Accepts SMS Marketing,Total Spent,Total Orders,Note,Tax Exempt,Tags
'71,Ana,Sato,Ana@example.com,yes,Kyoto,JP-26,JP,600,'+81901,no,28.50,1,,no,"VIP, tea"
72,Bo,,,no,,,,,,no,0.00,0,,no,
"""


@pytest.fixture
def warehouse(tmp_path: Path) -> Iterator[Warehouse]:
    warehouses = Warehouses(tmp_path / "shops", WarehouseSettings(threads=1, memory_limit="500MB"))
    yield warehouses.of(1)
    warehouses.close()


def bring(
    warehouse: Warehouse, orders: str | bytes, customers: str | None = None, at: datetime = AT
) -> ImportReport:
    folder = warehouse.path.parent
    order_file, customer_file = folder / "orders.csv", folder / "customers.csv"
    order_file.write_bytes(orders if isinstance(orders, bytes) else orders.encode())
    if customers is not None:
        customer_file.write_text(customers)
    return import_files(
        warehouse,
        orders=order_file,
        customers=None if customers is None else customer_file,
        currency="USD",
        zone=TOKYO,
        rejects=folder / "rejects.csv",
        at=at,
    )


def reasons(report: ImportReport) -> list[tuple[str, str]]:
    assert report.rejects is not None
    with report.rejects.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.reader(file))
    return [(row[1], row[2]) for row in rows[1:]]


def orders_of(warehouse: Warehouse) -> list[tuple[object, ...]]:
    with warehouse.reader() as cursor:
        rows = cursor.execute(
            "SELECT customer_id, processed_at, total_amount FROM orders"
            " LEFT JOIN customers USING (customer_no) ORDER BY ALL"
        ).fetchall()
    return [(customer_id, at.replace(tzinfo=UTC), amount) for customer_id, at, amount in rows]


def test_a_generic_file_is_one_order_per_row(warehouse: Warehouse) -> None:
    report = bring(
        warehouse,
        "customer_id,date,amount,quantity,product\n"
        "00001,2024-01-01,11.77,1,Tea\n"
        "00002,2024-01-01T10:00:00+00:00,12,2,\n",
    )

    assert (report.orders.kind, report.orders.rows, report.order_count) == ("orders", 2, 2)
    assert orders_of(warehouse) == [
        # A day alone is the shop's midnight.
        ("00001", datetime(2023, 12, 31, 15, tzinfo=UTC), 1177),
        ("00002", datetime(2024, 1, 1, 10, tzinfo=UTC), 1200),
    ]
    (one, _) = warehouse.records([0, 1])
    assert [(line.product_id, line.quantity) for line in one.orders[0].lines] == [("Tea", 1)]


def test_the_same_file_again_changes_nothing_and_equal_rows_stay_apart(
    warehouse: Warehouse,
) -> None:
    rows = "customer_id,date,amount\n" + "1,2024-01-01,5\n" * 3
    bring(warehouse, rows)
    bring(warehouse, rows, at=datetime(2024, 7, 1, tzinfo=UTC))

    assert [amount for _, _, amount in orders_of(warehouse)] == [500, 500, 500]


def test_shopifys_order_export_is_read_with_its_lines(warehouse: Warehouse) -> None:
    report = bring(warehouse, SHOPIFY_ORDERS, SHOPIFY_CUSTOMERS)
    records = {record.customer_id: record for record in warehouse.records(range(9))}

    (first,) = records["71"].orders
    (second,) = records["new@example.com"].orders

    assert (report.orders.rows, report.orders.kept_rows, report.order_count) == (3, 3, 2)
    assert (first.order_id, first.name, first.total_amount) == ("5001", "#1001", 3350)
    assert first.processed_at == datetime(2024, 1, 1, 1, tzinfo=UTC)
    assert [(line.title, line.quantity, line.amount) for line in first.lines] == [
        ("Green tea", 2, 2000),
        ("Cup", 1, 850),
    ]
    assert (first.tag_keys, first.discount_code_keys) == ({"gift", "vip"}, {"welcome"})
    assert [refund.amount for refund in first.refunds] == [500]
    assert second.cancelled_at == datetime(2024, 1, 3, tzinfo=UTC)


def test_shopifys_customer_export_is_read(warehouse: Warehouse) -> None:
    report = bring(warehouse, SHOPIFY_ORDERS, SHOPIFY_CUSTOMERS)
    records = {record.customer_id: record for record in warehouse.records(range(9))}

    ana = records["71"]

    assert report.customers is not None
    assert (report.customers.rows, report.customers.rejected_rows) == (2, 0)
    assert (ana.values["display_name"], ana.values["email"]) == ("Ana Sato", "ana@example.com")
    assert ana.values["email_subscription_status"] == "SUBSCRIBED"
    assert ana.values["sms_subscription_status"] == "NOT_SUBSCRIBED"
    assert ana.values["phone"] == "+81901"
    assert ana.tags == ("tea", "VIP")
    assert [place.city_key for place in ana.places] == ["JP-26-Kyoto"]
    assert (ana.values["unseen_order_count"], ana.values["unseen_spent_amount"]) == (0, 0)


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (",2024-01-01,5,1", "the id is empty"),
        ("1,yesterday,5,1", '"yesterday" is not a date'),
        ("1,2024-02-30,5,1", "is not a day"),
        ("1,1800-01-01,5,1", "between 1970 and 2200"),
        ("1,2024-01-01,five,1", '"five" is not an amount'),
        ("1,2024-01-01,5.005,1", "more decimals"),
        ("1,2024-01-01,-5,1", "negative"),
        ("1,2024-01-01,1e309,1", "not an amount"),
        ("1,2024-01-01,NaN,1", "not an amount"),
        ("1,2024-01-01,5,1.5", "not a whole number"),
        ("1,2024-01-01,5", "3 values, but the header names 4"),
        ('1,2024-01-01,"5"x,1', "not CSV"),
    ],
)
def test_an_unreadable_row_is_written_beside_its_reason_and_the_others_are_kept(
    warehouse: Warehouse, row: str, reason: str
) -> None:
    good = "2,2024-01-01,7,1"
    report = bring(warehouse, f"customer_id,date,amount,quantity\n{good}\n{row}\n{good}\n")

    ((line, said),) = reasons(report)

    assert (report.orders.rows, report.orders.kept_rows, report.orders.rejected_rows) == (3, 2, 1)
    assert line == "3"
    assert reason in said


def test_a_line_that_cannot_be_read_leaves_its_order_standing(warehouse: Warehouse) -> None:
    report = bring(warehouse, SHOPIFY_ORDERS.replace(",1,Cup,10.00", ",some,Cup,10.00", 1))

    assert (report.orders.rows, report.orders.rejected_rows, report.order_count) == (3, 1, 2)
    assert sorted(amount for _, _, amount in orders_of(warehouse)) == [999, 3350]


def test_an_order_whose_first_row_cannot_be_read_is_left_out_whole(warehouse: Warehouse) -> None:
    report = bring(warehouse, SHOPIFY_ORDERS.replace("33.50", "much"))

    assert [line for line, _ in reasons(report)] == ["2", "3"]
    assert (report.orders.rows, report.orders.kept_rows, report.order_count) == (3, 1, 1)


def test_orders_in_another_currency_are_left_out(warehouse: Warehouse) -> None:
    report = bring(warehouse, SHOPIFY_ORDERS.replace("paid,USD,30.00", "paid,EUR,30.00"))

    assert "EUR" in reasons(report)[0][1]


HEADER = "customer_id,date,amount,product\n"


@pytest.mark.parametrize(
    ("content", "encoding", "separator"),
    [
        ((HEADER + "1,2024-01-01,5,緑茶\n").encode(), "utf-8", ","),
        ((HEADER + "1,2024-01-01,5,緑茶\n").encode("utf-8-sig"), "utf-8", ","),
        ((HEADER + "1,2024-01-01,5,緑茶\n").encode("cp932"), "cp932", ","),
        ((HEADER + "1,2024-01-01,5,緑茶\n").encode("utf-16"), "utf-16", ","),
        ((HEADER + "1,2024-01-01,5,緑茶\n").replace(",", "\t").encode(), "utf-8", "\t"),
        ((HEADER + "1,2024-01-01,5,緑茶\n").replace(",", ";").encode(), "utf-8", ";"),
        (gzip.compress((HEADER + "1,2024-01-01,5,緑茶\r\n").encode("cp932")), "cp932", ","),
    ],
)
def test_encoding_separator_and_packing_are_found(
    warehouse: Warehouse, content: bytes, encoding: str, separator: str
) -> None:
    report = bring(warehouse, content)

    (record,) = warehouse.records([0])

    assert (report.orders.encoding, report.orders.separator) == (encoding, separator)
    assert record.orders[0].lines[0].title == "緑茶"


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "no_header"),
        (b"\n\n", "no_header"),
        (b"a,b,c\n1,2,3\n", "unknown_orders_file"),
        (HEADER.encode() + b'1,2024-01-01,5,"open\n1,2024-01-01,5,x\n', "unclosed_quote"),
        (HEADER.encode() + b'1,2024-01-01,5,"' + b"x\n" * ROW_CHARACTERS_MAX, "row_too_long"),
        (HEADER.encode() + b"1,2024-01-01,5,\x00\n", "nul_character"),
        (b",".join([b"a"] * 1_000_001), "too_many_columns"),
        (b",".join([b"a"] * 201) + b"\n", "too_many_columns"),
        (HEADER.encode() + b"\xff\x81\x20\n", "unknown_encoding"),
        (b"PK\x03\x04rest", "packed_as_zip"),
        (gzip.compress(b"0" * 50_000_000), "row_too_long"),
        (gzip.compress(HEADER.encode() * 1000)[:-20], "gzip_damaged"),
    ],
)
def test_a_hostile_file_is_refused_and_nothing_is_changed(
    warehouse: Warehouse, content: bytes, code: str
) -> None:
    before = warehouse.data_version
    with pytest.raises(UploadError) as refused:
        bring(warehouse, content)

    assert refused.value.code == code
    assert orders_of(warehouse) == []
    assert warehouse.data_version == before


def test_the_row_of_an_unclosed_quote_is_named(warehouse: Warehouse) -> None:
    with pytest.raises(UploadError, match="line 3"):
        bring(warehouse, HEADER + '1,2024-01-01,5,x\n1,2024-01-01,5,"open\n1,2024-01-01,5,x\n')


def test_a_huge_cell_is_a_row_that_cannot_be_read(warehouse: Warehouse) -> None:
    report = bring(warehouse, HEADER + "1,2024-01-01,5," + "x" * 200_000 + "\n1,2024-01-01,5,x\n")

    assert (report.orders.kept_rows, report.orders.rejected_rows) == (1, 1)


def test_a_missing_file_and_an_unknown_currency_are_named(warehouse: Warehouse) -> None:
    common = {"zone": TOKYO, "rejects": warehouse.path.with_name("r.csv"), "at": AT}
    with pytest.raises(UploadError, match=r"no file .*nowhere\.csv"):
        import_files(warehouse, orders=Path("nowhere.csv"), currency="USD", **common)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="no currency"):
        import_files(warehouse, orders=Path("nowhere.csv"), currency="XXX", **common)  # type: ignore[arg-type]


def test_progress_ends_with_all_rows_and_all_bytes(warehouse: Warehouse) -> None:
    path = warehouse.path.with_name("orders.csv")
    path.write_text("customer_id,date,amount\n" + "1,2024-01-01,5\n" * 11_000)
    told: list[tuple[int, int, int]] = []
    import_files(
        warehouse,
        orders=path,
        currency="USD",
        zone=TOKYO,
        rejects=path.with_name("r.csv"),
        at=AT,
        progress=lambda *now: told.append(now),
    )
    size = path.stat().st_size

    assert told == sorted(told)
    assert told[-1] == (11_000, size, size)


def test_no_written_cell_is_a_formula() -> None:
    for text in ("=1+1", "+81", "-5", "@x", "\uff1d1", "\u30001".replace("1", "=1"), "\t=1"):
        assert guarded(text).startswith("'")
    assert guarded("ana=1") == "ana=1"


def test_days_are_read_in_the_shops_zone_also_where_midnight_is_skipped() -> None:
    brazil = ZoneInfo("America/Sao_Paulo")
    # Clocks went from 23:59:59 to 01:00.
    skipped = instant_of("2018-11-04", brazil)

    assert skipped.astimezone(brazil).date().isoformat() == "2018-11-04"
    with pytest.raises(UnreadableError):
        instant_of("2024-13-01", brazil)


@pytest.mark.slow
@pytest.mark.skipif(not CDNOW.exists(), reason="the CDNOW purchases are not beside this checkout")
def test_the_real_purchases_of_cdnow_are_imported_whole(warehouse: Warehouse) -> None:
    report = import_files(
        warehouse,
        orders=CDNOW,
        currency="USD",
        zone=ZoneInfo("America/New_York"),
        rejects=warehouse.path.with_name("rejects.csv"),
        at=AT,
    )
    with warehouse.reader() as cursor:
        ((orders, customers, amount),) = cursor.execute(
            "SELECT count(*), count(DISTINCT customer_no), sum(total_amount) FROM orders"
        ).fetchall()
    with gzip.open(CDNOW, "rt") as file:
        cents = sum(round(float(row["amount"]) * 100) for row in csv.DictReader(file))

    assert (report.orders.rows, report.rejects) == (69_659, None)
    assert (orders, customers, amount) == (69_659, 23_570, cents)


def test_an_encoding_that_nobody_knows_is_refused_with_those_there_are(tmp_path: Path) -> None:
    path = tmp_path / "orders.csv"
    path.write_text("customer_id,date,amount\n")

    with pytest.raises(UploadError, match="utf-8, cp932, utf-16"), open_rows(path, encoding="x"):
        pass
