"""Leading: the lease of one source, taken when it is free and kept by a thread of its own.

A poll may wait for its source for longer than a lease lasts; so the lease is renewed beside it. But a process whose
polling has stood still for minutes must not keep others from leading: then it is renewed no more.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Final

from tft_dash.errors import StorageError
from tft_dash.store.live import RENEW_SECONDS, Lease, Leases, LiveFacts

STUCK_SECONDS: Final = 180.0


class Lead:
    """Whether this process leads a source.

    :param holder: who asks, for people; another one for every process.
    """

    def __init__(
        self,
        leases: Leases,
        facts: LiveFacts,
        holder: str,
        *,
        renew_seconds: float = RENEW_SECONDS,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._leases, self._facts, self._holder = leases, facts, holder
        self._renew_seconds = renew_seconds
        self._monotonic = monotonic
        self._lease: Lease | None = None
        self._heard = monotonic()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def take(self) -> Lease | None:
        """The lease, taken now if it is free; None = somebody else leads.

        :raises StorageError: the store cannot be used.
        :raises UsageError: the source was collected at another step before.
        """
        self._heard = self._monotonic()
        if self._lease is None:
            self._lease = self._leases.acquire(self._facts, self._holder)
        if self._lease is not None and (self._thread is None or not self._thread.is_alive()):
            self._thread = threading.Thread(target=self._keep, name=f"lease-{self._facts.name}", daemon=True)
            self._thread.start()
        return self._lease

    def beat(self) -> None:
        """Show that the polling goes on, in work that takes long."""
        self._heard = self._monotonic()

    def lose(self) -> None:
        """Somebody else leads, as it turned out."""
        self._lease = None

    def release(self) -> None:
        """Let another lead at once. Does nothing where the store cannot be reached: then the lease runs out."""
        self._stop.set()
        lease, self._lease = self._lease, None
        if self._thread is not None:
            self._thread.join(timeout=2 * self._renew_seconds)
        if lease is not None:
            try:
                self._leases.release(lease)
            except StorageError:
                return

    def _keep(self) -> None:
        while not self._stop.wait(self._renew_seconds):
            lease = self._lease
            if lease is None or self._monotonic() - self._heard > STUCK_SECONDS:
                continue
            try:
                if not self._leases.renew(lease) and self._lease is lease:
                    self._lease = None
            except StorageError:  # whoever records meets it, too, and tells
                continue
