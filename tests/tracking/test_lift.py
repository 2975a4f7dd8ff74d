"""The lift over held-out customers, against figures worked out from the published formulas."""

from __future__ import annotations

import pytest

from regulars.tracking.lift import Spending, lift, smallest_effect, student


@pytest.mark.parametrize(
    ("freedom", "quantile"), [(5, 2.571), (10, 2.228), (30, 2.042), (120, 1.980)]
)
def test_the_quantile_agrees_with_the_printed_table(freedom, quantile):
    assert student(0.975, freedom) == pytest.approx(quantile, abs=0.001)


def test_the_interval_is_welchs():
    # Variances 9 and 16 over 10 and 8 customers: error √2.9, 12.7 degrees of freedom. The table
    # prints 2.1604 for 13 and 2.1788 for 12.
    found = lift(Spending(10, 30.0, 9.0), Spending(8, 25.0, 16.0))

    assert found.difference == 5.0
    assert 2.1604 < (found.high - found.difference) / 2.9**0.5 < 2.1788
    assert found.high - found.difference == pytest.approx(found.difference - found.low)


def test_one_customer_on_a_side_tells_nothing():
    assert lift(Spending(10, 30.0, 9.0), Spending(1, 25.0, 0.0)) is None
    assert smallest_effect(Spending(10, 30.0, 9.0), 10, 1) is None


def test_the_smallest_effect_follows_the_spread_and_the_sizes():
    # (1.95996 + 0.84162) × √(100 × (1/50 + 1/50))
    assert smallest_effect(Spending(100, 0.0, 100.0), 50, 50) == pytest.approx(5.6032, abs=0.001)
