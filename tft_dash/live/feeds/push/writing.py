"""Many deliveries in one transaction: what comes to a worker within a moment is written together.

Whoever comes first writes for all who wait, and each is answered when its own samples are kept. So a thousand servers
that push for themselves cost some transactions a second, not a thousand.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from tft_dash.errors import BusyError, TftDashError
from tft_dash.store.pushed.values import Limits, PushedRows, Taken

GATHER_SECONDS: Final = 0.1
ENOUGH_ROWS: Final = 500
"""With so many rows one does not wait for more."""
ROWS_AT_ONCE: Final = 50_000
PATIENCE_SECONDS: Final = 3.0
WriteMany = Callable[[str, list[PushedRows], Limits], list[Taken]]


@dataclass(slots=True, eq=False)
class _Job:
    source: str
    rows: PushedRows
    limits: Limits
    taken: Taken | None = None
    error: TftDashError | None = None

    @property
    def done(self) -> bool:
        return self.taken is not None or self.error is not None


class Writer:
    """Writes for all threads of a process.

    :param write: keeps deliveries to one source in one transaction.
    :param slots: so many requests are at work at a time; others wait a little, then are told to come again.
    """

    def __init__(self, write: WriteMany, slots: int, *, gather_seconds: float = GATHER_SECONDS) -> None:
        self._write, self._gather = write, gather_seconds
        self._slots = threading.BoundedSemaphore(slots)
        self._taken_slots = 0
        self._state = threading.Condition()
        self._waiting: list[_Job] = []
        self._writing = False

    @contextlib.contextmanager
    def slot(self, patience_seconds: float = PATIENCE_SECONDS) -> Iterator[None]:
        """A place among those at work: threads must be left for those who look at pages.

        :raises BusyError: none became free in time.
        """
        if not self._slots.acquire(timeout=patience_seconds):
            raise BusyError(
                "More is pushed at this moment than this server can take; nothing of this was kept. Send it again, "
                "and the samples of several servers together.",
                1.0,
            )
        with self._state:
            self._taken_slots += 1
        try:
            yield
        finally:
            with self._state:
                self._taken_slots -= 1
            self._slots.release()

    def take(self, source: str, rows: PushedRows, limits: Limits) -> Taken:
        """Keep a delivery; what became of it.

        :raises StorageError: it was not kept.
        """
        job = _Job(source, rows, limits)
        with self._state:
            self._waiting.append(job)
        while not job.done and self._may_lead(job):
            self._lead()
        if job.error is not None:
            raise job.error
        if job.taken is None:
            raise RuntimeError("a delivery was left out by whoever wrote it")
        return job.taken

    def _may_lead(self, job: _Job) -> bool:
        """Wait until it is written, or nobody writes: then whoever waits for it is to."""
        with self._state:
            while self._writing and not job.done:
                self._state.wait()
            if not job.done:
                self._writing = True
            return not job.done

    def _lead(self) -> None:
        jobs: list[_Job] = []
        try:
            if self._is_worth_waiting():
                time.sleep(self._gather)
            with self._state:
                jobs = self._next()
            by_source: dict[tuple[str, Limits], list[_Job]] = {}
            for job in jobs:
                by_source.setdefault((job.source, job.limits), []).append(job)
            for (source, limits), some in by_source.items():
                self._write_some(source, limits, some)
        finally:
            with self._state:
                # After a fault nobody else writes them: whoever waits would wait for ever.
                for job in jobs:
                    if not job.done:
                        job.error = TftDashError("The samples could not be kept. Send them again.")
                self._writing = False
                self._state.notify_all()

    def _is_worth_waiting(self) -> bool:
        """Whether others are about to bring something, too."""
        with self._state:
            few = sum(len(job.rows) for job in self._waiting) < ENOUGH_ROWS
            return few and self._taken_slots > len(self._waiting)

    def _next(self) -> list[_Job]:
        """Those who wait, as many as fit into one transaction; at least one."""
        jobs, rows = list[_Job](), 0
        while self._waiting and (not jobs or rows + len(self._waiting[0].rows) <= ROWS_AT_ONCE):
            job = self._waiting.pop(0)
            jobs.append(job)
            rows += len(job.rows)
        return jobs

    def _write_some(self, source: str, limits: Limits, jobs: list[_Job]) -> None:
        try:
            found = self._write(source, [job.rows for job in jobs], limits)
        except TftDashError as error:
            for job in jobs:
                job.error = error
            return
        for job, taken in zip(jobs, found, strict=True):
            job.taken = taken
