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
    """Exchanges some places again and again, while no other process of this host does.

    :param places: exchanged together; each collection of places has a thread of its own somewhere.
    :param beside: called after each exchange.
    """

    def __init__(
        self, exchange: Exchange, places: Collection[Place], *, beside: Callable[[], None] = lambda: None
    ) -> None:
        self._beside = beside
        self._exchange, self._places = exchange, tuple(places)
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None

    def begin(self) -> None:
        """Begin, in a thread of its own. Beginning twice is fine."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._watch, name=f"share-{self._places[0].key}", daemon=True)
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
                    self._exchange.synchronise(self._places)
                    self._beside()
                    if time.monotonic() - swept >= SWEEP_SECONDS:
                        swept = time.monotonic()
                        self._exchange.table.sweep()
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
        """The lock of whoever exchanges these places on this host; -1 = another process has it."""
        path = self._exchange.notes / f"{self._places[0].key}.leader"
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        with contextlib.suppress(BlockingIOError):
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return descriptor
        os.close(descriptor)
        return -1
