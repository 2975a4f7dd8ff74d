"""The bench that kills the app, played small: it can fail, and it passes."""

from __future__ import annotations

import pytest
from bench.kill import play

pytestmark = pytest.mark.slow


def test_an_app_that_is_killed_inside_a_tag_job_ends_it_without_a_difference():
    outcome = play(1_200, kills=2)

    assert outcome.kill_count == 2
    assert outcome.wrong_after_giving == 0
    assert outcome.wrong_after_removing == 0
