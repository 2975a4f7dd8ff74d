"""What was acknowledged is there after a power cut, and on a disk that refuses to write."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.exploring import DEEP
from tests.jobs import disk

#: Of the writes and syncs between 64 webhooks; as many cuts are looked at of each kind of disk.
CUTS = 2000 if DEEP else 60


@pytest.fixture(scope="module")
def found(tmp_path_factory) -> dict[str, dict[str, int]]:
    if not disk.watches_this_python():
        pytest.skip("this Python has SQLite built in, so its disk cannot be looked at")
    folder = tmp_path_factory.mktemp("cuts")
    command = [sys.executable, "-m", "tests.jobs.power_cuts", str(folder), str(CUTS)]
    played = subprocess.run(command, check=True, capture_output=True, text=True)
    told: dict[str, dict[str, int]] = json.loads(played.stdout)
    return told


@pytest.mark.parametrize("played", ["ours", "refusing"])
def test_no_acknowledged_webhook_is_lost_and_no_file_is_broken(found, played):
    told = found[played]

    assert (told["lost"], told["broken"]) == (0, 0)
    assert told["cuts"] >= 60


def test_a_full_disk_acknowledges_only_what_it_keeps(found):
    """Else the refusals above would prove nothing."""
    assert 0 < found["refusing"]["acknowledged"] < found["refusing"]["brought"]


def test_with_fewer_syncs_webhooks_would_be_lost(found):
    """Else the cuts above would prove nothing."""
    assert found["normal"]["lost"] > 0
