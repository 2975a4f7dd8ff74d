"""Faults of the pretend Shopify: switched on by name, struck by a seeded generator.

A fault has a rate (how often it strikes where it can) and may have a number of strikes left.
"""

from __future__ import annotations

import random
import threading
from dataclasses import dataclass

#: What each fault does, for the page and for `describe`.
FAULTS: dict[str, str] = {
    "throttled": "requests are answered THROTTLED although the bucket has points",
    "slow": "answers take several seconds",
    "unavailable": "requests are answered 503 and nothing happens",
    "lost_response": "the request is carried out and its answer is lost",
    "garbage_body": "the request is carried out and the answer is not JSON",
    "duplicate_webhook": "webhooks are delivered twice",
    "out_of_order": "webhooks are delivered in another order",
    "late": "webhooks are delivered minutes late",
    "dropped_webhooks": "webhooks are never delivered",
    "deleted_subscription": "a subscription is gone when its next event happens",
    "expired_token": "requests are answered 401 although the token was good",
    "half_applied": "bulk mutations stop half-way and fail",
    "bulk_failed": "bulk queries fail with part of their data",
    "expired_url": "addresses of bulk results no longer work",
    "customer_deleted_meanwhile": "a customer is deleted before a tag change reaches it",
}


@dataclass(slots=True)
class Fault:
    """One fault that is switched on."""

    name: str
    rate: float = 1.0
    #: How often it still strikes; None: until switched off.
    times: int | None = None
    strikes: int = 0


class Faults:
    """The faults of one simulator. The same seed and calls strike the same way."""

    def __init__(self, seed: int = 0) -> None:
        self.random = random.Random(seed)  # noqa: S311 - faults must repeat, not be secret
        self.on: dict[str, Fault] = {}
        self.lock = threading.Lock()

    def switch_on(self, name: str, *, rate: float = 1.0, times: int | None = None) -> None:
        """Let a fault strike, always or at a rate, for ever or a number of times."""
        if name not in FAULTS:
            raise ValueError(f"there is no fault {name!r}; the faults are {', '.join(FAULTS)}")
        if not 0 < rate <= 1:
            raise ValueError(f"a rate is above 0 and at most 1, not {rate}")
        with self.lock:
            self.on[name] = Fault(name, rate, times)

    def switch_off(self, name: str | None = None) -> None:
        """Stop one fault, or all."""
        with self.lock:
            if name is None:
                self.on.clear()
            else:
                self.on.pop(name, None)

    def strikes(self, name: str) -> bool:
        """Tell whether the fault strikes here and now, and count it."""
        with self.lock:
            fault = self.on.get(name)
            if fault is None or (fault.rate < 1 and self.random.random() >= fault.rate):
                return False
            fault.strikes += 1
            if fault.times is not None:
                fault.times -= 1
                if fault.times <= 0:
                    del self.on[name]
            return True
