"""Wake-ups and the minute tick: Huey in threads of this process.

A wake-up carries a name and nothing else. All state is in the office, so a lost one costs a minute.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from huey import Huey, crontab
from huey.consumer import Consumer
from huey.storage import MemoryStorage

# The longest a worker sleeps in `dequeue` before it looks whether it should stop.
IDLE_SECONDS = 0.5


class WakingStorage(MemoryStorage):  # type: ignore[misc]
    """Huey's memory storage whose readers sleep until something comes instead of polling."""

    blocking = True

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self._arrival = threading.Condition()

    def enqueue(self, data: bytes, priority: int | None = None) -> None:
        """Add a message and wake one reader."""
        with self._arrival:
            super().enqueue(data, priority)
            self._arrival.notify()

    def release(self) -> None:
        """Wake everybody who sleeps here, so that they see the stop flag."""
        with self._arrival:
            self._arrival.notify_all()

    def dequeue(self) -> bytes | None:
        """Return the next message, or None after a short while without any."""
        with self._arrival:
            if not self.queue_size():
                self._arrival.wait(IDLE_SECONDS)
            return super().dequeue()  # type: ignore[no-any-return]


class InProcessConsumer(Consumer):  # type: ignore[misc]
    """Huey's consumer without its signal handlers: the web server stops the process."""

    def _set_signal_handlers(self) -> None:
        pass


class Wakes:
    """Calls named functions in worker threads: at once, after a while, and every minute."""

    def __init__(self, functions: dict[str, Callable[[], object]], worker_count: int) -> None:
        self._huey = Huey("regulars", storage_class=WakingStorage, results=False)
        self._tasks = {
            name: self._huey.task(name=name)(function) for name, function in functions.items()
        }
        self._huey.periodic_task(crontab(), name="minute")(functions["tick"])
        self._worker_count = worker_count
        self._consumer: InProcessConsumer | None = None

    @property
    def running(self) -> bool:
        """Whether threads are at work and nobody asked them to stop."""
        return self._consumer is not None and not self._consumer.stop_flag.is_set()

    def start(self) -> None:
        """Start the threads."""
        self._consumer = InProcessConsumer(
            self._huey, workers=self._worker_count, check_worker_health=False
        )
        self._consumer.start()

    def stop(self) -> None:
        """Stop the threads after what they are doing now."""
        if self._consumer is not None:
            self._consumer.stop_flag.set()
            self._huey.storage.release()
            self._consumer.stop(graceful=True)
            self._consumer = None

    def wake(self, name: str, delay_seconds: float = 0) -> None:
        """Have a function called soon; nothing happens while the threads are not running."""
        if self._consumer is None:
            return
        task = self._tasks[name]
        if delay_seconds > 0:
            task.schedule(delay=delay_seconds)
        else:
            task()
