"""A whole installation with one small shop: real parts, and a clock that stands still."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from fastapi import FastAPI

from regulars.bootstrap import open_runtime
from regulars.clock import Clock, SettableClock
from regulars.jobs import Jobs
from regulars.office import Shop, create_shop
from regulars.runtime import Runtime
from regulars.segments import create_segment
from regulars.settings import Settings
from regulars.warehouse.facts import AddressFact, CustomerFact, LineFact, OrderFact
from regulars.web import create_app, sessions

NOW = datetime(2026, 11, 20, 3, 0, tzinfo=UTC)  # noon in Tokyo

#: (name, orders as (days ago, yen)); others are made up by number.
CAST = {
    "Ana": ((2, 20_000), (40, 15_000)),
    "Bo": ((5, 4_000),),
    "Cleo": ((200, 50_000), (300, 8_000)),
    "Dee": (),
}
OTHERS = 40


class World:
    """An open installation with its app."""

    def __init__(self, runtime: Runtime, jobs: Jobs, shop: Shop) -> None:
        self.runtime = runtime
        self.jobs = jobs
        self.shop = shop
        self.app: FastAPI = create_app(runtime, jobs)

    @property
    def now(self) -> datetime:
        return self.runtime.clock()

    def sign_in_token(self) -> str:
        with self.runtime.office.session() as session:
            owner = sessions.ensure_owner(session, self.now)
            return sessions.create_sign_in_link(session, owner, self.now)

    def segment(self, name: str, query: str) -> int:
        """Make a segment and count it."""
        with self.runtime.office.session() as session:
            segment = create_segment(
                session, self.shop, name=name, query=query, author="Owner", now=self.now
            )
            self.jobs.refresh_segment_later(session, self.shop, segment.id, "created")
            segment_id = segment.id
        self.work()
        return segment_id

    def work(self) -> None:
        """Do what is due."""
        self.jobs.run_until_idle()

    def order(self, customer: str, amount: int, *, order_id: str) -> None:
        """Let an order arrive, as a webhook would."""
        from regulars.jobs import live

        fact = order_fact(order_id, customer.lower(), self.now, amount)
        live.apply_facts(self.runtime, self.shop, [fact], now=self.now)


def order_fact(order_id: str, customer_id: str, at: datetime, amount: int) -> OrderFact:
    line = LineFact(product_id="100", title="Tea", quantity=1, amount=amount)
    return OrderFact(
        order_id=order_id,
        customer_id=customer_id,
        processed_at=at,
        total_amount=amount,
        name=f"#{order_id}",
        lines=(line,),
    )


def facts(now: datetime) -> Iterator[CustomerFact | OrderFact]:
    for name, orders in CAST.items():
        key = name.lower()
        yield customer_fact(key, name, now)
        for number, (days, amount) in enumerate(orders):
            yield order_fact(f"{key}-{number}", key, now - timedelta(days=days), amount)
    for number in range(OTHERS):
        key = f"c{number:03}"
        yield customer_fact(key, f"Customer {number:03}", now)
        for order in range(number % 4):
            at = now - timedelta(days=number * 3 + order * 30 + 1)
            yield order_fact(f"{key}-{order}", key, at, 1_000 + 700 * number)


def customer_fact(key: str, name: str, now: datetime) -> CustomerFact:
    return CustomerFact(
        customer_id=key,
        display_name=name,
        email=f"{key}@shop.example",
        added_at=now - timedelta(days=400),
        tags=("vip",) if key == "ana" else (),
        addresses=(AddressFact(country_code="JP"),),
        updated_at=now - timedelta(days=1),
    )


@contextmanager
def open_world(folder: Path, clock: Clock | None = None) -> Iterator[World]:
    """Open an installation whose shop "demo" holds the cast and some others."""
    settings = Settings(home=folder / "home")
    with open_runtime(settings=settings, clock=clock or SettableClock(NOW)) as runtime:
        now = runtime.clock()
        with runtime.office.session() as session:
            shop = create_shop(
                session,
                name="demo",
                title="Demo shop",
                now=now,
                time_zone="Asia/Tokyo",
                currency="JPY",
            )
            shop.loaded_at = shop.caught_up_at = now
            shop.day_changed_on = now.astimezone(shop.zone).date()
        runtime.warehouse(shop).apply(facts(now), at=now)
        yield World(runtime, Jobs(runtime), shop)
