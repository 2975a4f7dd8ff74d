"""RFM: thresholds at the fifths of the morning's customers, and scores that everybody agrees on."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from regulars.engine import Context, SetEvaluator, explain, near_misses
from regulars.engine.rfm import (
    RfmThresholds,
    no_rfm,
    read_thresholds,
    standing,
    thresholds_of,
    write_thresholds,
)
from regulars.language import parse
from regulars.language.attributes import RFM_NAMES
from regulars.language.rfm import group_of, pairs_of
from regulars.warehouse.warehouse import Warehouse
from tests.shops import shop as told_shop

TOKYO = ZoneInfo("Asia/Tokyo")
NOW = datetime(2024, 3, 15, 0, 0, tzinfo=UTC)
MORNING = datetime(2024, 3, 14, 15, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def basic(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    warehouse = told_shop("basic").warehouse(tmp_path_factory.mktemp("basic"))
    yield warehouse
    warehouse.close()


def thresholds(counts: list[int]) -> RfmThresholds:
    days = np.array(["2024-01-01"] * len(counts), dtype="datetime64[us]")
    numbers = np.array(counts, dtype=np.int64)
    return thresholds_of(MORNING, TOKYO, days, numbers, numbers * 100)


@pytest.mark.parametrize(
    ("counts", "ends"),
    [
        # Ten customers: every second one ends a fifth.
        ([10, 9, 8, 7, 6, 5, 4, 3, 2, 1], (2, 4, 6, 8)),
        # Equal values share a score, and so some scores may be nobody's.
        ([1, 1, 1, 1, 1, 1, 1, 2, 2, 5], (1, 1, 1, 2)),
        # Fewer customers than fifths.
        ([3], (3, 3, 3, 3)),
        ([3, 7], (3, 3, 7, 7)),
    ],
)
def test_a_threshold_stands_at_the_customer_who_ends_a_fifth(
    counts: list[int], ends: tuple[int, ...]
) -> None:
    found = thresholds(counts)

    assert ends == found.frequency
    assert tuple(100 * end for end in ends) == found.monetary
    assert len(counts) == found.customer_count


def test_before_anybody_ordered_the_first_customer_is_new() -> None:
    assert standing(date(2024, 3, 15), 1, 10**9, thresholds([])).group == "NEW"


def test_every_pair_of_scores_is_one_group_and_every_group_but_prospects_is_one_pair() -> None:
    pairs = [pair for group in RFM_NAMES for pair in pairs_of(group)]
    names = {group_of(r, f, m) for r in range(1, 6) for f in range(1, 6) for m in range(1, 6)}

    assert [(r, fm) for r in range(1, 6) for fm in range(1, 6)] == sorted(pairs)
    assert set(RFM_NAMES) - {"PROSPECTS"} == names


def test_a_customer_is_shown_the_scores_and_the_thresholds_of_the_morning(basic: Warehouse) -> None:
    evaluator = SetEvaluator(basic)
    context = Context(NOW, TOKYO, "JPY", rfm=evaluator.rfm_thresholds)
    (ana,) = basic.records(basic.customer_nos(["ana"]).values())

    told = explain(parse("rfm_frequency_score >= 3"), ana, context).root

    assert told.standing is not None
    assert (
        told.standing.recency,
        told.standing.frequency,
        told.standing.monetary,
        told.standing.group,
    ) == (5, 5, 5, "CHAMPIONS")
    # Her order of this morning is her own already, and not yet in the thresholds.
    assert (
        told.standing.thresholds.at,
        told.standing.thresholds.customer_count,
        told.standing.thresholds.frequency,
    ) == (MORNING, 3, (1, 1, 1, 2))
    assert told.own is not None
    assert (
        (told.own.unit, told.own.values),
        (told.change.code, told.change.amount) if told.change else None,
    ) == (("orders", (3,)), ("less", 2))


def test_who_has_never_ordered_becomes_somebody_by_one_order(basic: Warehouse) -> None:
    context = Context(NOW, TOKYO, "JPY", rfm=SetEvaluator(basic).rfm_thresholds)
    (dee,) = basic.records(basic.customer_nos(["dee"]).values())

    told = explain(parse("computed_rfm_group = 'PROSPECTS'"), dee, context).root

    assert told.is_true
    assert told.own is not None
    assert told.change is not None
    assert (told.own.values, told.change.code, told.change.amount) == (("PROSPECTS",), "more", 1)
    assert told.standing is None


def test_scores_have_near_misses_in_the_unit_of_their_figure(basic: Warehouse) -> None:
    evaluator = SetEvaluator(basic)
    context = Context(NOW, TOKYO, "JPY", rfm=evaluator.rfm_thresholds)

    (joining, *_) = near_misses(evaluator, basic.records, parse("rfm_monetary_score = 5"), context)

    assert joining.joining
    assert {"money"} == {one.change.unit for one in joining.customers}


def test_the_orders_of_a_day_move_the_thresholds_of_the_next_one(basic: Warehouse) -> None:
    evaluator = SetEvaluator(basic)
    tomorrow = datetime(2024, 3, 15, 15, 0, tzinfo=UTC)

    assert date(2024, 3, 15) not in evaluator.rfm_thresholds(MORNING, TOKYO).recency
    assert date(2024, 3, 15) in evaluator.rfm_thresholds(tomorrow, TOKYO).recency


def test_written_thresholds_read_back(basic: Warehouse) -> None:
    told = SetEvaluator(basic).rfm_thresholds(MORNING, TOKYO)

    assert told == read_thresholds(write_thresholds(told))


def test_without_a_source_of_thresholds_the_way_to_one_is_told() -> None:
    with pytest.raises(LookupError, match="pass rfm="):
        no_rfm(NOW, TOKYO)
