"""East Asian names stand family first, read by Python and by the bulk load alike."""

from __future__ import annotations

import duckdb
import pytest

from regulars.warehouse.personal_names import family_first
from regulars.warehouse.sql import statements

NAMES = [
    ("葵 竹見", "竹見 葵"),
    ("さくら 佐々木", "佐々木 さくら"),
    ("ケンジ タナカ", "タナカ ケンジ"),
    ("민준 김", "김 민준"),
    ("Ana Sato", "Ana Sato"),
    ("Ana 佐藤", "Ana 佐藤"),
    ("竹見葵", "竹見葵"),
    ("山田 太郎 様", "山田 太郎 様"),
    ("", ""),
    (None, None),
]


@pytest.mark.parametrize(("given", "shown"), NAMES)
def test_a_name_is_read_in_the_order_of_its_writing(given, shown):
    assert family_first(given) == shown


def test_the_bulk_load_reads_names_the_same_way():
    text = statements("stage")["customers"]
    (line,) = [one.strip() for one in text.splitlines() if "AS display_name" in one]
    expression = line.removesuffix(" AS display_name,")
    with duckdb.connect() as connection:
        rows = connection.execute(
            f"SELECT {expression} FROM (SELECT unnest($names) AS displayName)",
            {"names": [given for given, _shown in NAMES]},
        ).fetchall()

    assert [row[0] for row in rows] == [shown for _given, shown in NAMES]
