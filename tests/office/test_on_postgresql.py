"""The office on PostgreSQL: the same tables, and everything that lives in them.

Runs where `initdb` and `pg_ctl` are on the PATH, as with Debian's package; SQLite is what all other
tests have.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta

import orjson
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from bench.postgres import Postgres
from bench.webhooks import order
from rich.console import Console
from sqlalchemy import select

from regulars.jobs import inbox
from regulars.office import Office, Shop
from regulars.office.models import load_all
from regulars.office.models.inbox import InboxEvent
from regulars.web import pages as page_room
from tests.jobs.at_work import open_shop
from tests.tags.rules_at_work import RulesAtWork
from tests.web.described import CREATED
from tests.web.test_pages_and_api import routes
from tests.web.test_who_saw import api
from tests.web.visitor import Visitor
from tests.web.world import open_world

pytestmark = [pytest.mark.slow, pytest.mark.enable_socket]
#: Never ends.
NOT_ASKED = {"/help/stream"}


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    with Postgres.started(True, Console(quiet=True)) as started:
        if started is None:
            pytest.skip("PostgreSQL's initdb and pg_ctl are not on PATH, or nobody may run them")
        yield started


@pytest.fixture
def url(server, request, monkeypatch) -> str:
    """The address of an empty database, which whatever is opened takes for its office."""
    name = re.sub(r"\W", "_", request.node.name.lower())[:60]
    server.run(f"CREATE DATABASE {name}")
    address = f"postgresql+psycopg://bench@/{name}?host={server.host}"
    monkeypatch.setenv("REGULARS_OFFICE_URL", address)
    return address


def test_the_migrations_end_where_the_models_are(url):
    office = Office(url)
    office.migrate()
    office.migrate()
    with office.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        differences = compare_metadata(context, load_all().metadata)
    office.close()

    assert differences == []


def test_every_page_answers(url, tmp_path):
    with open_world(tmp_path) as world:
        assert world.runtime.office.url == url
        world.segment("VIP", "amount_spent >= 30000")
        with world.runtime.office.session() as session:
            session.get_one(Shop, world.shop.id).domain = "demo.myshopify.com"
        visitor = Visitor(world.app)
        visitor.sign_in(world.sign_in_token())
        wrong = []
        for path, asked in CREATED:
            status = api(visitor, "POST", f"/shops/demo{path}", asked).status
            wrong += [(path, status)] if status >= 300 and path != "/conversation" else []
        world.order("bo", 40_000, order_id="another")
        world.work()
        for method, path in routes(page_room):
            if method == "GET" and path not in NOT_ASKED:
                place = re.sub(r"\{[^}]*\}", "1", path)
                status = visitor.get(place).status
                wrong += [(path, status)] if status >= 500 else []
        members = visitor.get("/segments/1").text

    assert wrong == []
    assert "Bo" in members


def test_webhooks_are_kept_once_and_applied(url, tmp_path):
    at_work = open_shop(tmp_path / "home")
    buyers = at_work.segment("Buyers", "number_of_orders >= 1")
    now, box = at_work.clock(), at_work.jobs.inbox
    told = [
        inbox.Event(
            at_work.shop.id, "orders/create", f"event-{one}", now, orjson.dumps(order(one, 5, now))
        )
        for one in (1, 2, 3, 3)
    ]
    box.put_all(told[:2])
    box.put_all(told)
    box.apply_all()
    with at_work.runtime.office.reading() as session:
        states = session.scalars(select(InboxEvent.state)).all()
    count = at_work.runtime.memberships(at_work.shop).count(buyers)
    with at_work.runtime.warehouse(at_work.shop).reader() as cursor:
        ((orders,),) = cursor.execute("SELECT count(*) FROM orders").fetchall()
    at_work.runtime.close()

    assert states == ["applied"] * 3
    assert orders == 3
    assert 1 <= count <= 3


def test_tags_follow_and_come_off(url, tmp_path):
    at_work = open_shop(tmp_path / "home")
    shop = RulesAtWork(at_work)
    shop.customers("ana", "bo")
    shop.rule(at_work.segment("Buyers", "number_of_orders >= 1"), "buyer", grace_days=1)
    shop.order(1, "ana")
    shop.order(2, "bo")
    shop.work()
    first = shop.having("buyer")
    at_work.clock.instant += timedelta(seconds=1)
    shop.order(1, "ana", cancelled_at=at_work.clock())
    shop.work()
    at_work.clock.instant += timedelta(days=2)
    shop.work()
    at_work.runtime.close()

    assert (first, shop.having("buyer")) == ({"ana", "bo"}, {"bo"})
