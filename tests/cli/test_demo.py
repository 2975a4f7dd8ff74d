"""The main job, end to end: the demo as a person starts it, worked through the command line."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
import webbrowser
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import httpx
import pytest

from regulars.bootstrap.serving import free_port
from regulars.cli.demo import open_browser

#: Generous: two busy cores start an interpreter, make a shop and load it in a few seconds.
PATIENCE_SECONDS = 120
THREE = "number_of_orders >= 3"


class Demo:
    """A running demo and the commands that go through it."""

    def __init__(self, folder: Path) -> None:
        self.url = f"http://127.0.0.1:{free_port('127.0.0.1', 0)}"
        self._environment = {
            **os.environ,
            "N": "150",
            "PORT": self.url.rpartition(":")[2],
            "BROWSER": "no",
            "REGULARS_HOME": str(folder / ".demo"),
        }
        self._told = folder / "told.txt"
        with self._told.open("w") as told:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "regulars", "demo"],
                cwd=folder,
                env=self._environment,
                stdout=told,
                stderr=subprocess.STDOUT,
            )

    def told(self, pattern: str) -> str:
        """Wait until the demo prints the pattern, and return its one group."""
        return self.until(lambda: re.search(pattern, self._told.read_text()))[1]

    def until(self, question):
        """Ask until the answer is true; fail with what the demo printed when it never is."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not (answer := question()):
            assert self.process.poll() is None, self._told.read_text()
            assert time.monotonic() < deadline, self._told.read_text()
            threading.Event().wait(0.1)
        return answer

    def is_ready(self) -> bool:
        try:
            return httpx.get(f"{self.url}/health").status_code == 200
        except httpx.TransportError:
            return False

    def regulars(self, *words: str):
        """Run a command of a person and return its JSON answer."""
        done = subprocess.run(
            [sys.executable, "-m", "regulars", *words, "--json"],
            env=self._environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)


@pytest.fixture
def demo(tmp_path):
    running = Demo(tmp_path)
    yield running
    running.process.send_signal(signal.SIGINT)
    assert running.process.wait(PATIENCE_SECONDS) == 0


def tags_in(shopify: str, customer_id: str) -> list[str]:
    page = httpx.get(f"{shopify}/customers/{customer_id}").text
    return re.findall(r'class="tag">([^<]+)<', page)


@pytest.mark.slow
@pytest.mark.enable_socket
def test_a_segment_gets_a_tag_loses_it_and_follows_an_order(demo):
    demo.until(demo.is_ready)
    shopify = demo.told(r"Pretend Shopify:\s+(\S+)")
    shop = demo.regulars("shops", "list")["shops"][0]
    on_shop = ("--shop", shop["name"])

    demo.regulars("segments", "create", *on_shop, "--name", "VIP", "--query", THREE)
    members = demo.regulars("segments", "members", "VIP", *on_shop)
    counted = demo.regulars("count", THREE, *on_shop)
    assert members["count"] == counted["count"] > 0
    member = members["customers"][0]["id"]

    assigned = demo.regulars(
        "tags", "assign", *on_shop, "--segment", "VIP", "--tag", "regulars-vip", "--wait"
    )
    assert assigned["targeted_count"] == members["count"]
    assert "regulars-vip" in tags_in(shopify, member)
    demo.regulars("tags", "remove", str(assigned["id"]), *on_shop, "--wait")
    assert "regulars-vip" not in tags_in(shopify, member)

    now = datetime.fromisoformat(counted["as_of"]).astimezone(ZoneInfo(shop["time_zone"]))
    today = now.date().isoformat()
    tracking = demo.regulars(
        "tracking", "create", *on_shop, "--segment", "VIP", "--from", today, "--to", today
    )
    almost = ("--name", "Two orders", "--query", "number_of_orders = 2")
    demo.regulars("segments", "create", *on_shop, *almost)
    newcomer = demo.regulars("segments", "members", "Two orders", *on_shop)["customers"][0]
    product = re.search(r'<option value="(\d+)"', httpx.get(f"{shopify}/customers/{member}").text)
    for customer_id in (member, newcomer["id"]):
        placed = httpx.post(
            f"{shopify}/customers/{customer_id}/orders",
            data={"product": product[1], "quantity": "1", "amount": "4321"},
        )
        assert placed.is_redirect, placed.text

    def joined() -> bool:
        now = demo.regulars("segments", "members", "VIP", *on_shop)
        return now["count"] == members["count"] + 1

    demo.until(joined)
    figures = demo.regulars("tracking", "show", str(tracking["id"]), *on_shop)
    # The order by which the newcomer joined is a line of its own.
    assert (figures["orders"], figures["revenue"]) == (1, "4321")
    assert (figures["joining"]["orders"], figures["joining"]["revenue"]) == (1, "4321")


@pytest.mark.parametrize(("told", "left"), [("yes", None), ("firefox", "firefox")])
def test_a_yes_is_not_taken_for_the_name_of_a_browser(monkeypatch, told, left):
    opened = []
    monkeypatch.setenv("BROWSER", told)
    monkeypatch.setattr(
        webbrowser, "open", lambda link: opened.append((link, os.environ.get("BROWSER")))
    )

    open_browser("http://127.0.0.1:1/")

    assert opened == [("http://127.0.0.1:1/", left)]
