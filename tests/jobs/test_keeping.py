"""Backups by themselves: once a day, so many kept, each read again, failures told."""

from __future__ import annotations

from datetime import timedelta

import pytest

from regulars.errors import InputError
from regulars.jobs import alarms, keeping
from regulars.runtime.backups import back_up, check, list_backups
from regulars.web.health import look
from tests.web.world import open_world


@pytest.fixture
def world(tmp_path):
    with open_world(tmp_path) as opened:
        yield opened


def pass_a_day(world) -> None:
    world.runtime.clock.instant += timedelta(days=1)
    world.jobs._tick()
    world.work()


def kept(world) -> int:
    return len(list_backups(world.runtime.settings.home_folder / "backups"))


def test_a_copy_is_made_each_day_and_the_newest_are_kept(world):
    pass_a_day(world)
    assert kept(world) == 0

    world.runtime.settings.backups_kept = 2
    counts = []
    for _ in range(3):
        pass_a_day(world)
        world.jobs._tick()
        world.work()
        counts.append(kept(world))
    told = look(world.runtime, 0)

    assert counts == [1, 2, 2]
    assert told.backup_checked_at is not None
    assert (told.backup_problem, told.backups_kept) == (None, 2)


def test_a_copy_that_cannot_be_used_is_found(world):
    copy = back_up(world.runtime)
    check(copy)
    for name, words in (("office.db", "not what was written"), ("shops/1.duckdb", "not what was")):
        path = copy.folder / name
        whole = path.read_bytes()
        path.write_bytes(bytes(255 - one for one in whole))
        with pytest.raises(InputError, match=words):
            check(copy)
        path.write_bytes(whole)


def test_a_backup_that_failed_is_told(world):
    world.runtime.settings.backups_kept = 1
    (world.runtime.settings.home_folder / "backups").write_text("in the way")
    pass_a_day(world)
    with world.runtime.office.reading() as session:
        last = keeping.last_backup(session)
        counts = alarms.counts(session)

    assert last is not None
    assert last.state == "given_up"
    assert counts["failed_backups"] == 1
    assert "could not be written" in look(world.runtime, 0).backup_problem
