"""What makes recordings in a process: threads that claim runs from the portal's queue, and tell how far they are."""

from __future__ import annotations

import contextlib
import logging
import secrets
import threading
import time
from collections.abc import Callable
from typing import Final, Self

from tft_dash.errors import CancelledError, StorageError, TftDashError
from tft_dash.recordings import Recordings, expected_bytes
from tft_dash.scenarios.document import parse_document
from tft_dash.store.runs import CANCELLED, DONE, FAILED, Claim, RunTable

BEAT_SECONDS: Final = 0.5
LOOK_SECONDS: Final = 1.0
"""How often a thread with nothing to do looks whether a place has become free or a process has died."""
WATCH_SECONDS: Final = 5.0
"""How often a process looks whether a run waits that nobody makes: its process was killed, or this one is new."""
SWEEP_SECONDS: Final = 60.0
"""How often it removes recordings that are too old, or too many."""
CLOSE_SECONDS: Final = 5.0
_LOG: Final = logging.getLogger(__name__)


class _ClosingError(TftDashError):
    """This process ends; the run goes back to the queue."""


class Runner:
    """Makes recordings in daemon threads of this process, as many as the portal makes at a time and no more.

    A thread stays until no run waits or is being made anywhere, so that it takes over the run of a process that was
    killed.
    """

    def __init__(self, table: RunTable, recordings: Recordings, at_once: int, other_bytes: Callable[[], int]) -> None:
        self._table = table
        self._recordings = recordings
        self._at_once = at_once
        self._other_bytes = other_bytes
        self._threads: list[threading.Thread] = []
        self._watch: threading.Thread | None = None
        self._lock = threading.Lock()
        self._closing = threading.Event()

    def wake(self) -> None:
        """Start a thread if a run can be claimed and there is none free."""
        waiting, _ = self._table.unfinished()
        with self._lock:
            self._threads = [thread for thread in self._threads if thread.is_alive()]
            if not waiting or self._closing.is_set() or len(self._threads) >= self._at_once:
                return
            thread = threading.Thread(target=self._work, name="make-recordings", daemon=True)
            self._threads.append(thread)
            thread.start()

    def keep_watch(self) -> None:
        """Look every so often by itself what is to be made or removed, for as long as this process lives."""
        with self._lock:
            if self._closing.is_set() or (self._watch is not None and self._watch.is_alive()):
                return
            self._watch = threading.Thread(target=self._look, name="watch-queue", daemon=True)
            self._watch.start()

    def stop(self) -> None:
        """Let what is being made go back to the queue; waits for nothing, so a signal may call it."""
        self._closing.set()

    def close(self) -> None:
        """Stop; what is being made goes back to the queue."""
        self.stop()
        with self._lock:
            threads = (*self._threads, *([self._watch] if self._watch is not None else []))
        end = time.monotonic() + CLOSE_SECONDS
        for thread in threads:
            thread.join(max(0.0, end - time.monotonic()))

    def _look(self) -> None:
        """The store and the disk may fail for a while: whoever looks at a run is told, and this goes on."""
        swept, told = float("-inf"), ""
        while True:
            try:
                self.wake()
                if time.monotonic() - swept >= SWEEP_SECONDS:
                    swept = time.monotonic()
                    self._recordings.make_room(0, others=self._other_bytes())
                told = ""
            except Exception as error:  # noqa: BLE001 - it is logged, once; without this nobody would look again
                if str(error) != told:
                    told = str(error)
                    _LOG.warning("The queue of runs or its recordings cannot be looked after: %s", error)
            if self._closing.wait(WATCH_SECONDS):
                return

    def _work(self) -> None:
        while not self._closing.is_set():
            try:
                claim = self._next()
                if claim is not None:
                    self._make(claim)
                elif self._is_over():
                    return
                else:
                    self._closing.wait(LOOK_SECONDS)
            except StorageError:
                # The store is out of reach: whoever asks about the runs is told so, and wakes a thread again.
                _LOG.exception("The queue of runs cannot be reached; the runner stops.")
                with self._lock:
                    self._threads.remove(threading.current_thread())
                return

    def _next(self) -> Claim | None:
        if not self._table.unfinished()[0]:
            return None
        return self._table.claim(secrets.token_hex(16), at_once=self._at_once)

    def _is_over(self) -> bool:
        """Whether this thread may end; a run that is added from now on starts another."""
        with self._lock:
            if any(self._table.unfinished()):
                return False
            self._threads.remove(threading.current_thread())
            return True

    def _make(self, claim: Claim) -> None:
        """Make one recording, and note how that ended."""
        try:
            scenario = parse_document(claim.body, f"run {claim.id}")
            busy = self._other_bytes() + (expected_bytes(claim.others) if claim.others else 0)
            self._recordings.make_room(expected_bytes(claim.rows), others=busy)
            with _Pulse(self._table, claim, self._closing) as pulse:
                self._recordings.make(scenario, pulse)
        except _ClosingError:
            self._table.give_back(claim)
        except CancelledError as error:
            self._table.finish(claim, CANCELLED, str(error))
        except TftDashError as error:
            self._table.finish(claim, FAILED, str(error))
        except Exception as error:  # noqa: BLE001 - whoever waits for the run is told; the thread goes on
            _LOG.exception("Making the recording of run %s failed.", claim.id)
            words = f"Something unexpected failed ({type(error).__name__}). The server's log has the details."
            self._table.finish(claim, FAILED, words)
        else:
            self._table.finish(claim, DONE)


class _Pulse:
    """Tells the store how far a run is, whatever the work is busy with; stops the work when nobody wants it any more.

    It is the work's progress: called after each block.
    """

    def __init__(self, table: RunTable, claim: Claim, closing: threading.Event) -> None:
        self._table = table
        self._claim = claim
        self._closing = closing
        self._share = 0.0
        self._unwanted = threading.Event()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="tell-progress", daemon=True)

    def __call__(self, share: float) -> None:
        self._share = share
        if self._unwanted.is_set():
            raise CancelledError(f"Cancelled at {share:.0%}.", share)
        if self._closing.is_set():
            raise _ClosingError("This process ends.")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_outcome: object) -> None:
        self._over.set()
        self._thread.join()

    def _beat(self) -> None:
        while not self._over.wait(BEAT_SECONDS):
            with contextlib.suppress(StorageError):  # a store that is busy for a while must not cost the work
                if not self._table.beat(self._claim, self._share):
                    self._unwanted.set()
                    return
