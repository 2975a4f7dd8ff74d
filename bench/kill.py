"""Kills the running app inside a tag job, again and again, and compares every customer's tags.

The app is a process of its own that gets SIGKILL at random moments; the pretend Shopify outlives
it. Half of the deaths are while the tag is given, half while it is taken back. A fifth of the
customers had the tag before, in other capitals: they must keep it.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from bench.report import Options, Section, Table, number
from regulars.bootstrap.client import find_running
from regulars.bootstrap.serving import bind, free_port
from regulars.simulator.serve import Pretend, PretendShop, open_app, served
from regulars.simulator.simulator import DEMO_TOKEN

KILLS = 20
TAG = "Killed"
SHOP = "bench"
#: Of the customers, who had the tag before.
EARLIER_SHARE = 0.2
#: An app that does not come up, or a job that does not end, within this is a failure.
DEADLINE_SECONDS = 600.0
POLL_SECONDS = 0.05


@dataclass
class Outcome:
    """What one run of deaths came to."""

    customer_count: int
    kill_count: int = 0
    #: Deaths by what the assignment said last before.
    during: dict[str, int] = field(default_factory=dict)
    #: Customers whose tags are not what they ought to be, after giving and after taking back.
    wrong_after_giving: int = 0
    wrong_after_removing: int = 0
    seconds: float = 0.0


class App:
    """The app as a child process on a home folder of its own."""

    def __init__(self, home: Path, shopify: Pretend) -> None:
        tokens = shopify.simulator.tokens
        self._home = home
        # The same at each start: Shopify sends its webhooks there.
        self._port = free_port("127.0.0.1", 0)
        self._environment = {
            **os.environ,
            "REGULARS_HOME": str(home),
            "REGULARS_SIMULATOR_URL": shopify.url,
            "REGULARS_API_KEY": tokens.client_id,
            "REGULARS_API_SECRET": tokens.client_secret,
            "REGULARS_PUBLIC_URL": f"http://127.0.0.1:{self._port}",
        }
        self._process: subprocess.Popen[bytes] | None = None
        self._client: httpx.Client | None = None

    def start(self) -> None:
        """Start the app and return once it answers."""
        (self._home / "run.json").unlink(missing_ok=True)
        command = [sys.executable, "-m", "regulars", "serve", "--port", str(self._port)]
        with (self._home / "serve.log").open("ab") as log:
            self._process = subprocess.Popen(command, env=self._environment, stdout=log, stderr=log)
        for _ in waiting("the app to answer"):
            running = find_running(self._home)
            if running is not None and _answers(running.url):
                break
        self._client = httpx.Client(
            base_url=f"{running.url}/api/v1/shops/{SHOP}",
            headers={"Authorization": f"Bearer {running.token}"},
            timeout=DEADLINE_SECONDS,
            trust_env=False,
        )

    def kill(self) -> None:
        """Take the process away without a word."""
        process, client = self._process, self._client
        if process is None or client is None:
            raise LookupError("the app was never started")
        process.send_signal(signal.SIGKILL)
        process.wait()
        client.close()
        self._process = self._client = None

    def ask(self, method: str, path: str, body: object = None) -> Any:
        """Send a request of the API and return its answer."""
        if self._client is None:
            raise LookupError("the app is not running")
        answer = self._client.request(method, path, json=body)
        answer.raise_for_status()
        return answer.json()

    def close(self) -> None:
        """End the process, if it is there."""
        if self._process is not None:
            self.kill()


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/health", timeout=5, trust_env=False).is_success
    except httpx.HTTPError:
        return False


def waiting(what: str, *, every: float = POLL_SECONDS) -> Iterator[None]:
    """Yield now and then until the deadline, beyond which it raises TimeoutError."""
    ends_at = time.monotonic() + DEADLINE_SECONDS
    while time.monotonic() < ends_at:
        yield
        time.sleep(every)
    raise TimeoutError(f"waited {DEADLINE_SECONDS:g} s for {what}")


@contextmanager
def opened(
    folder: Path, customers: int, rate: float, *, hears: bool = False
) -> Iterator[tuple[App, Pretend]]:
    """Open a pretend Shopify with customers, of whom some have the tag, and the app beside it.

    Unless the app `hears`, webhooks are lost: of a job of everybody they would be all there is.
    """
    made = open_app(PretendShop(customers, rate=rate))
    if not hears:
        made.state.simulator.faults.switch_on("dropped_webhooks")
    chance = random.Random(7)
    shop = made.state.simulator.shop
    for customer in shop.customers.values():
        if chance.random() < EARLIER_SHARE:
            shop.add_tags(customer, [TAG.upper()])
    with served(made, bind("127.0.0.1", 0)) as shopify:
        app = App(folder, shopify)
        try:
            app.start()
            asked = {"domain": shop.domain, "token": DEMO_TOKEN}
            job = app.ask("PUT", "/connection", asked)["job"]
            for _ in waiting("the shop to be loaded"):
                state = app.ask("GET", f"/jobs/{job['id']}")["state"]
                if state == "succeeded":
                    break
            yield app, shopify
        finally:
            app.close()


def play(customers: int, kills: int, *, rate: float = 1000.0, seed: int = 1) -> Outcome:
    """Give a tag to everybody and take it back, with so many deaths on the way."""
    chance = random.Random(seed)
    began = time.monotonic()
    outcome = Outcome(customers)
    with (
        tempfile.TemporaryDirectory(prefix="regulars-kill-") as named,
        opened(Path(named), customers, rate) as (app, shopify),
    ):
        before = tags_of(shopify)
        segment = app.ask("POST", "/segments", {"name": "All", "query": "number_of_orders >= 0"})
        for _ in waiting("the segment to be counted"):
            if app.ask("GET", f"/segments/{segment['id']}")["state"] == "ready":
                break
        asked = {"segment": str(segment["id"]), "tag": TAG}
        made = app.ask("POST", "/tags", asked)
        job = f"/tags/{made['id']}"
        _kill(app, outcome, job, kills // 2, chance)
        _end(app, job, "assigned")
        for one, tags in tags_of(shopify).items():
            intended = before[one] | {TAG.lower()}
            outcome.wrong_after_giving += tags != intended
        app.ask("POST", f"{job}/removal")
        _kill(app, outcome, job, kills - kills // 2, chance)
        _end(app, job, "removed")
        after = tags_of(shopify)
        outcome.wrong_after_removing = sum(after[one] != before[one] for one in before)
    outcome.seconds = time.monotonic() - began
    return outcome


def _kill(app: App, outcome: Outcome, job: str, kills: int, chance: random.Random) -> None:
    """Kill the app while a job runs, and start it again."""
    for _ in range(kills):
        # The work takes up again within a second; a death may come at any point of it.
        time.sleep(chance.uniform(0.05, 2.5))
        told = app.ask("GET", job)
        app.kill()
        outcome.kill_count += 1
        outcome.during[told["status"]] = outcome.during.get(told["status"], 0) + 1
        app.start()


def _end(app: App, job: str, status: str) -> None:
    for _ in waiting(f"the tag to be {status}"):
        if app.ask("GET", job)["status"] == status:
            return


def tags_of(shopify: Pretend) -> Mapping[int, frozenset[str]]:
    """Return everybody's tags, without case."""
    return {
        number: frozenset(tag.lower() for tag in customer.tags)
        for number, customer in shopify.simulator.shop.customers.items()
    }


def measure(options: Options) -> list[Section]:
    """Kill the app twenty times inside a tag job of everybody."""
    outcome = play(options.customers, KILLS)
    section = Section("Tags, killed on the way")
    table = Table(
        ("customers", "kills", "while", "wrong after giving", "wrong after removing", "s")
    )
    table.add(
        f"{outcome.customer_count:,}",
        str(outcome.kill_count),
        ", ".join(f"{status} {count}" for status, count in sorted(outcome.during.items())),
        str(outcome.wrong_after_giving),
        str(outcome.wrong_after_removing),
        number(outcome.seconds),
    )
    section.show(table)
    section.say(
        "The app is a process of its own and dies by SIGKILL at random moments of a tag job of "
        "everybody; a fifth of the customers had the tag before and must keep it. Wrong is every "
        "customer whose tags at the pretend Shopify are not exactly the intended ones."
    )
    return [section]
