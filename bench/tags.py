"""How fast customers are tagged, beside what Shopify's points allow, in the pretend shop's time.

The pretend Shopify answers at once and counts points as the real one; the clock moves only by
waiting. So the figures say how well the points are used, not how fast a network is.
"""

from __future__ import annotations

import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
from sqlalchemy import event

from bench.report import Options, Section, Table, number
from regulars.clock import SettableClock
from regulars.office import Office, create_shop
from regulars.office.models import load_all
from regulars.office.models.segments import Segment
from regulars.shopify.client import ShopifyClient
from regulars.shopify.tokens import FixedToken
from regulars.simulator.shop import Shop
from regulars.simulator.simulator import DEMO_TOKEN, Simulator
from regulars.simulator.transport import transport
from regulars.tags import Worker, acts
from regulars.tags.pricing import POINTS_PER_CHANGE
from regulars.tags.shopify_side import ShopifyTags

START = datetime(2026, 11, 21, tzinfo=UTC)
#: Seconds' worth of points that a full bucket starts with, left out of the limit.
WARM_CUSTOMERS = 260


class Place:
    """One pretend shop with customers, an office and a worker; time moves by waiting."""

    def __init__(self, folder: Path, name: str, rate: float, customers: int) -> None:
        self.clock = SettableClock(START)
        self.simulator = Simulator(
            Shop(clock=self.clock, created=int(START.timestamp()) - 86_400), rate=rate
        )
        self.shopify = self.simulator.shop
        self.ids = [
            str(self.shopify.create_customer(first_name=f"C{n}").id) for n in range(customers)
        ]
        self.office = Office(f"sqlite:///{folder / name}.db")
        event.listen(
            self.office.engine, "connect", lambda one, _: one.execute("PRAGMA synchronous=OFF")
        )
        load_all().metadata.create_all(self.office.engine)
        client = ShopifyClient(
            self.shopify.domain,
            FixedToken(DEMO_TOKEN),
            http=httpx.Client(transport=transport(self.simulator)),
            clock=self.clock,
            sleep=self.sleep,
            random=lambda: 1.0,
        )
        self.bucket = client.bucket
        self.port = ShopifyTags(client, calls_at_once=1)
        with self.office.session() as session:
            self.shop = create_shop(session, name=name, now=START, domain=self.shopify.domain)

    def sleep(self, seconds: float) -> None:
        self.clock.instant += timedelta(seconds=seconds)

    def tag(self, ids: list[str], *, bulk: bool = False) -> float:
        """Give a tag to these customers; return the seconds of the shop's time it took."""
        began_at = self.clock()
        segment = Segment(id=1, shop_id=self.shop.id, name="All")
        with self.office.session() as session:
            acts.assign(session, self.shop, segment, "bench", ids, author="bench", now=began_at)
        least = 0 if bulk else len(ids)
        while True:
            worker = Worker(
                self.office, self.shop.id, self.port, self.clock, bulk_customers_min=least
            )
            pause = worker.run()
            if pause is None:
                return (self.clock() - began_at).total_seconds()
            self.clock.instant += pause


def measure(options: Options) -> list[Section]:
    """Measure single calls at three plans, and a bulk mutation."""
    section = Section("Tags, beside Shopify's own limit")
    table = Table(
        ("points a second", "customers", "shop's seconds", "customers/s", "of Shopify's limit")
    )
    with tempfile.TemporaryDirectory(prefix="regulars-bench-") as named:
        folder = Path(named)
        for rate in (100, 200, 1000):
            place = Place(folder, f"at-{rate}", rate, WARM_CUSTOMERS * rate // 100 + 5 * rate)
            # The full bucket of the start is spent first.
            warm = WARM_CUSTOMERS * rate // 100
            place.tag(place.ids[:warm])
            saved = place.bucket.available
            seconds = place.tag(place.ids[warm:])
            done = len(place.ids) - warm
            speed = done / seconds
            # Points that were there at the start, less those left, are no merit of the work.
            points = rate * seconds + saved - place.bucket.available
            table.add(
                f"{rate:,}",
                f"{done:,}",
                number(seconds),
                number(speed),
                f"{done * POINTS_PER_CHANGE / points:.1%}",
            )
        section.show(table)
        many = max(2_000, options.customers // 10)
        place = Place(folder, "bulk", 100, many)
        start = time.perf_counter()
        shop_seconds = place.tag(place.ids, bulk=True)
        took = time.perf_counter() - start
        section.say(
            f"A bulk mutation of {many:,} customers: {number(shop_seconds)} s of waiting, and "
            f"{number(took)} s of computing on both sides ({number(many / took)} customers/s)."
        )
    section.say(
        "Shopify takes 10 points for each customer that is tagged and gives back the points a "
        "second of the shop's plan: a tenth of that is the limit. Whether the tag was there before "
        "is looked at for every customer and counted in; a page of them costs 2 points and twice "
        "its logarithm. Points saved up before count as spent. A bulk mutation costs no points for "
        "its customers."
    )
    return [section]
