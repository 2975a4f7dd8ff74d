"""One installation for each file of tests: opening one takes most of a second."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.web.visitor import Visitor
from tests.web.world import World, open_world


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with open_world(tmp_path_factory.mktemp("world")) as opened:
        yield opened


@pytest.fixture
def visitor(world: World) -> Visitor:
    """Somebody who is signed in as the owner."""
    found = Visitor(world.app)
    found.sign_in(world.sign_in_token())
    return found
