"""One installation for all tests of the room, each test with a shop state of its own making."""

from __future__ import annotations

import httpx
import pytest

from tests.outgoing.receiver import Receiver
from tests.web.world import open_world


@pytest.fixture
def world(tmp_path):
    with open_world(tmp_path) as opened:
        yield opened


@pytest.fixture
def receiver(world):
    found = Receiver()
    world.runtime.outside = httpx.Client(transport=found)
    return found
