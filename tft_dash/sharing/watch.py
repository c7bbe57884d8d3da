"""A thread that exchanges files with the other hosts, in one process of each host."""

from __future__ import annotations

import contextlib
import fcntl
import logging
import os
import threading
import time
from collections.abc import Callable, Collection
from typing import Final

from tft_dash.errors import TftDashError
from tft_dash.sharing.exchange import Exchange
from tft_dash.sharing.places import Place

EXCHANGE_SECONDS: Final = 1.0
TROUBLE_SECONDS: Final = 5.0
SWEEP_SECONDS: Final = 600.0
_JOIN_SECONDS: Final = 5.0

_LOG = logging.getLogger(__name__)


class ExchangeWatch:
    """Does one kind of exchange again and again, while no other process of this host does.

    :param name: of the kind: each has a thread of its own, so that large files keep nobody waiting.
    :param work: one exchange.
    :param tidy: called from time to time.
    """

    def __init__(
        self, exchange: Exchange, name: str, work: Callable[[], None], tidy: Callable[[], None] = lambda: None
    ) -> None:
        self._notes, self._name, self._work, self._tidy = exchange.notes, name, work, tidy
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None

    def begin(self) -> None:
        """Begin, in a thread of its own. Beginning twice is fine."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._watch, name=f"share-{self._name}", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Begin to end; waits for nothing."""
        self._closing.set()

    def close(self) -> None:
        """End."""
        self.stop()
        if self._thread is not None:
            self._thread.join(_JOIN_SECONDS)

    def _watch(self) -> None:
        descriptor, told, swept = -1, "", time.monotonic()
        while not self._closing.is_set():
            wait = EXCHANGE_SECONDS
            try:
                if descriptor < 0:
                    descriptor = self._taken()
                if descriptor >= 0:
                    self._work()
                    if time.monotonic() - swept >= SWEEP_SECONDS:
                        swept = time.monotonic()
                        self._tidy()
                told = ""
            except Exception as error:  # noqa: BLE001 - it is logged, once; without this nobody would look again
                said, wait = str(error) if isinstance(error, TftDashError) else repr(error), TROUBLE_SECONDS
                if said != told:
                    told = said
                    _LOG.warning("Files cannot be exchanged with the other hosts: %s", said)
            self._closing.wait(wait)
        if descriptor >= 0:
            os.close(descriptor)

    def _taken(self) -> int:
        """The lock of whoever does this on this host; -1 = another process has it."""
        path = self._notes / f"{self._name}.leader"
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        with contextlib.suppress(BlockingIOError):
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return descriptor
        os.close(descriptor)
        return -1


def watch_places(exchange: Exchange, name: str, places: Collection[Place]) -> ExchangeWatch:
    """Exchanges some places."""
    return ExchangeWatch(exchange, name, lambda: exchange.synchronise(places), tidy=lambda: exchange.tidy(places))
