"""One run of a shop's tag work under one lease: what each of its steps needs, and how it writes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from sqlalchemy.orm import Session

from regulars.clock import Clock
from regulars.office import Office
from regulars.tags.lease import hold_lease
from regulars.tags.ledger import Desk
from regulars.tags.port import TagPort
from regulars.tags.tasks import Task

#: A named point between two effects. Tests stop the process there.
Checkpoint = Callable[[str], None]


@dataclass
class Run:
    """The rows of one shop, and its tags at Shopify through `port`."""

    office: Office
    shop_id: int
    port: TagPort
    clock: Clock
    checkpoint: Checkpoint = field(default=lambda _name: None)
    fence: int = field(default=0, kw_only=True)

    def desk(self, session: Session, task: Task) -> Desk:
        """Return the rows of a task in a transaction."""
        return Desk(session, self.shop_id, task, self.clock())

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """Open a transaction that commits only while the lease is ours."""
        with self.office.session() as session:
            hold_lease(session, self.shop_id, self.fence, self.clock())
            yield session
