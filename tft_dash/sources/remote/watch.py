"""Threads that look at what lies elsewhere, so that no request ever waits for a store."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Final

WAKE_SECONDS: Final = 1.0
"""So often is asked whether it is time for a look; that reads a small file."""
_JOIN_SECONDS: Final = 5.0

_LOG = logging.getLogger(__name__)


class Watch:
    """A thread for each source that lies elsewhere: a store that does not answer hinders no other."""

    def __init__(self) -> None:
        self._closing = threading.Event()
        self._threads: dict[str, threading.Thread] = {}
        self._lock = threading.Lock()

    def begin(self, name: str, look: Callable[[str], str]) -> None:
        """Call ``look`` with ``name`` again and again, until :meth:`stop`; it tells what is wrong, "" = nothing."""
        with self._lock:
            known = self._threads.get(name)
            if self._closing.is_set() or (known is not None and known.is_alive()):
                return
            thread = threading.Thread(target=self._watch, args=(name, look), name=f"watch-{name}", daemon=True)
            self._threads[name] = thread
            thread.start()

    def stop(self) -> None:
        """Begin to end; waits for nothing."""
        self._closing.set()

    def join(self) -> None:
        """Wait until the looks that still run have ended."""
        end = time.monotonic() + _JOIN_SECONDS
        for thread in tuple(self._threads.values()):
            thread.join(max(0.0, end - time.monotonic()))

    def _watch(self, name: str, look: Callable[[str], str]) -> None:
        told = ""
        while True:
            try:
                said = look(name)
            except Exception as error:  # noqa: BLE001 - it is logged, once; without this nobody would look again
                said = f"{type(error).__name__}: {error}"
            if self._closing.is_set():
                return
            if said and said != told:
                _LOG.warning("The source '%s' cannot be looked at: %s", name, said)
            told = said
            if self._closing.wait(WAKE_SECONDS):
                return
