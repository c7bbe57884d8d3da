"""Long work beside the requests: started once per process, waited for briefly, asked for again."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from typing import Final, TypeVar

from tft_dash.errors import NotReadyError

T = TypeVar("T")

WAIT_SECONDS: Final = 1.5
RETRY_SECONDS: Final = 5.0
RESULTS_KEPT: Final = 64


class Background:
    """Keeps the results of long jobs by key.

    A result stays, up to :data:`RESULTS_KEPT` of them; an error stays for :data:`RETRY_SECONDS`, so that a mended
    file is read again.

    :param wait_seconds: how long a caller waits before it is told to come back; commands wait for ever (None).
    """

    def __init__(self, wait_seconds: float | None = WAIT_SECONDS) -> None:
        self._wait_seconds = wait_seconds
        self._jobs: dict[Hashable, tuple[Future[object], float]] = {}
        self._lock = threading.Lock()

    def begin(self, key: Hashable, job: Callable[[], object]) -> None:
        """Start ``job`` unless it runs or has run; its result is asked for later."""
        self._future(key, job)

    def result(
        self,
        key: Hashable,
        job: Callable[[], T],
        what: str,
        progress: Callable[[], float],
        *,
        within_seconds: float | None = None,
    ) -> T:
        """What ``job`` returned, once it has; ``job`` runs at most once at a time for a key.

        :param what: for the message while it runs.
        :param progress: how far the job is, 0–1.
        :param within_seconds: how long this caller waits; None = as long as any.
        :raises NotReadyError: the job still runs.
        :raises Exception: the job's own error.
        """
        future = self._future(key, job)
        try:
            wait = self._wait_seconds if within_seconds is None else within_seconds
            answer: object = future.result(0 if future.done() else wait)
        except FutureTimeoutError:
            raise NotReadyError(what, progress()) from None
        return answer  # type: ignore[return-value]  # the key belongs to one kind of job

    def forget(self, key: Hashable) -> None:
        """Drop the result of ``key``, so that its job runs again when it is asked for; one that still runs stays."""
        with self._lock:
            known = self._jobs.get(key)
            if known is not None and known[0].done():
                del self._jobs[key]

    def _future(self, key: Hashable, job: Callable[[], object]) -> Future[object]:
        with self._lock:
            known = self._jobs.get(key)
            if known is not None and not self._spent(*known):
                return known[0]
            future: Future[object] = Future()
            self._jobs.pop(key, None)
            self._jobs[key] = (future, time.monotonic())
            self._forget()
        if self._wait_seconds is None:
            _run(future, job)
        else:
            threading.Thread(target=_run, args=(future, job), name="prepare", daemon=True).start()
        return future

    def _forget(self) -> None:
        """Drop the oldest results beyond :data:`RESULTS_KEPT`; what still runs stays."""
        done = [key for key, (future, _) in self._jobs.items() if future.done()]
        for key in done[: max(0, len(self._jobs) - RESULTS_KEPT)]:
            del self._jobs[key]

    def _spent(self, future: Future[object], begun: float) -> bool:
        failed = future.done() and future.exception() is not None
        return failed and time.monotonic() - begun > RETRY_SECONDS


def _run(future: Future[object], job: Callable[[], object]) -> None:
    try:
        future.set_result(job())
    except Exception as error:  # noqa: BLE001 - the waiting caller gets it; without this it would wait for ever
        future.set_exception(error)
