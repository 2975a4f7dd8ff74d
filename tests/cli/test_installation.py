"""A backup is made while the app runs, comes back whole into an empty home, and nowhere else."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest

from regulars.bootstrap import open_runtime
from regulars.bootstrap.restoring import restore
from regulars.errors import ConflictError, InputError
from regulars.jobs import keeping
from regulars.office import Token, find_shop, read_token, save_token
from regulars.runtime.backups import MANIFEST, back_up, keep_newest, list_backups
from regulars.settings import Settings
from tests.web.world import World, open_world


@pytest.fixture
def world(tmp_path):
    with open_world(tmp_path) as opened:
        opened.segment("Big", "amount_spent >= 30000")
        with opened.runtime.office.session() as session:
            token = Token("shpat_planted_secret", refresh_token="shprt_planted_secret")
            save_token(session, opened.runtime.sealer, opened.shop, token, opened.now)
        yield opened


def opened_again(home: Path) -> tuple[int, int, str | None]:
    """Return customers, members of "Big" and the token of a restored home."""
    with open_runtime(settings=Settings(home=home)) as runtime:
        with runtime.office.reading() as session:
            shop = find_shop(session, "demo")
            token = read_token(session, runtime.sealer, shop.id)
        memberships = runtime.memberships(shop)
        count = memberships.count(1)
        return runtime.warehouse(shop).customer_count(), count, token and token.access_token


def test_what_was_there_is_there_again(world: World, tmp_path):
    key = world.runtime.settings.home_folder / "secret.key"
    made = back_up(world.runtime, tmp_path / "copies")
    world.order("bo", 90_000, order_id="later")
    done = restore(made.folder, settings=Settings(home=tmp_path / "new"), key=key)

    assert done.shops == {"demo": 44}
    assert opened_again(tmp_path / "new") == (44, 14, "shpat_planted_secret")


def test_a_copy_made_between_two_orders_is_of_one_instant(world: World, tmp_path):
    """Somebody reads an older state, so the log cannot be folded in: it is copied as well."""
    with world.runtime.warehouse(world.shop).reader() as cursor:
        cursor.execute("SELECT count(*) FROM orders").fetchall()
        world.order("bo", 90_000, order_id="in the log")
        made = back_up(world.runtime, tmp_path / "copies", with_key=True)
    restore(made.folder, settings=Settings(home=tmp_path / "new"))

    assert opened_again(tmp_path / "new") == (44, 15, "shpat_planted_secret")


def test_without_the_key_the_copy_tells_no_secret_and_comes_back_without_tokens(world, tmp_path):
    made = back_up(world.runtime, tmp_path / "copies")
    whole = b"".join(path.read_bytes() for path in made.folder.rglob("*") if path.is_file())
    assert b"planted_secret" not in whole

    done = restore(made.folder, settings=Settings(home=tmp_path / "new"))
    assert not done.has_key
    assert opened_again(tmp_path / "new") == (44, 14, None)


def test_a_home_that_holds_anything_is_left_alone(world: World, tmp_path):
    made = back_up(world.runtime, tmp_path / "copies")
    home = tmp_path / "full"
    home.mkdir()
    (home / "office.db").write_text("mine")
    with pytest.raises(ConflictError, match="is not empty"):
        restore(made.folder, settings=Settings(home=home))

    assert (home / "office.db").read_text() == "mine"


def test_a_changed_copy_is_refused_and_nothing_is_made(world: World, tmp_path):
    made = back_up(world.runtime, tmp_path / "copies")
    for name in ("office.db", "shops/1.duckdb"):
        path = made.folder / name
        whole = path.read_bytes()
        path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
        with pytest.raises(InputError, match=f"file {name} is missing or was changed"):
            restore(made.folder, settings=Settings(home=tmp_path / "new"))
        path.write_bytes(whole)
    manifest = made.folder / MANIFEST
    told = json.loads(manifest.read_text())
    manifest.write_text(json.dumps(told)[:-5])
    with pytest.raises(InputError, match="not a backup"):
        restore(made.folder, settings=Settings(home=tmp_path / "new"))

    assert not (tmp_path / "new").exists()


def test_only_the_newest_copies_are_kept(world: World, tmp_path):
    folder = tmp_path / "copies"
    made = []
    for _number in range(3):
        made.append(back_up(world.runtime, folder).folder.name)
        world.runtime.clock.instant = world.now.replace(minute=world.now.minute + 1)
    (folder / "notes").mkdir()

    assert keep_newest(folder, 2) == 1
    assert [one.folder.name for one in list_backups(folder)] == [made[2], made[1]]
    assert (folder / "notes").is_dir()


def test_secrets_open_after_the_key_was_renewed_and_the_old_key_is_gone(world: World):
    path = world.runtime.settings.home_folder / "secret.key"
    old = path.read_text()
    assert keeping.renew_key(world.runtime, "ana") == 1

    assert old.strip() not in path.read_text()
    with world.runtime.office.reading() as session:
        token = read_token(session, world.runtime.sealer, world.shop.id)
    assert token is not None
    assert token.access_token == "shpat_planted_secret"


def test_by_command_on_the_same_home(regulars, basic, tmp_path):
    told = regulars("backup", "--to", tmp_path / "copies", "--keep", 1, "--json")
    folder = Path(json.loads(told.out)["folder"])
    assert sqlite3.connect(folder / "office.db").execute("PRAGMA integrity_check").fetchone() == (
        "ok",
    )
    refused = regulars("restore", folder)
    assert refused.code == 2
    assert "not empty" in refused.err
    assert "basic" in regulars("health").out
    assert regulars("renew-key").code == 0
    assert regulars("audit", "verify").code == 0
