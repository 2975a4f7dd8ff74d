"""Tag work against faults of every kind: at the end exactly the intended tags, no others touched.

One seed is one history (`histories`): assignments, removals and their undoing, cancels, rules with
joins and leaves, renames, tiers, holdouts, brakes, merges, deletions, tags changed by others, bulk
mutations; the process dies before and after effects, answers are lost, Shopify fails.
REGULARS_SEEDS sets how many histories are tried (20,000 for a release), REGULARS_FIRST_SEED where
they begin; a failing seed is printed and repeats exactly.
"""

from __future__ import annotations

import os
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import pytest

from tests.tags.histories import play_seeds

QUICK_SEEDS = 20
FIRST = int(os.environ.get("REGULARS_FIRST_SEED", "0"))
SEEDS = int(os.environ.get("REGULARS_SEEDS", "500"))
PROCESSES = min(4, os.cpu_count() or 1)
#: Histories of one hand-out to a process.
CHUNK = 25


def test_histories_end_with_exactly_the_intended_tags():
    assert play_seeds(FIRST, FIRST + min(QUICK_SEEDS, SEEDS)) == []


@pytest.mark.slow
def test_every_history_ends_with_exactly_the_intended_tags():
    starts = range(FIRST + QUICK_SEEDS, FIRST + SEEDS, CHUNK)
    ends = [min(start + CHUNK, FIRST + SEEDS) for start in starts]
    with ProcessPoolExecutor(PROCESSES, mp_context=get_context("spawn")) as processes:
        wrong = [one for part in processes.map(play_seeds, starts, ends) for one in part]

    assert wrong == []
