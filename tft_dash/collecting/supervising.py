"""Processes that collect, kept alive: started, started again when they end, and ended with whoever keeps them."""

from __future__ import annotations

import contextlib
import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

logger = logging.getLogger(__name__)

LOOK_SECONDS: Final = 0.5
FIRST_PAUSE_SECONDS: Final = 1.0
LAST_PAUSE_SECONDS: Final = 60.0
STEADY_SECONDS: Final = 60.0
"""One that has lived so long is started again at once."""
GRACE_SECONDS: Final = 10.0


@dataclass(slots=True)
class _Child:
    """A process and when it may be started next."""

    name: str
    command: Sequence[str]
    environ: Mapping[str, str]
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    pause: float = FIRST_PAUSE_SECONDS
    due: float = field(default=0.0)

    def look(self, now: float) -> None:
        """Start it if it does not run and it is time."""
        if self.process is not None:
            if self.process.poll() is None:
                return
            if now - self.started >= STEADY_SECONDS:
                self.pause = FIRST_PAUSE_SECONDS
            self._put_off(now)
            logger.warning("%s: its process %d ended; it is started again", self.name, self.process.pid)
            self.process = None
        if now >= self.due:
            self._start(now)

    def _start(self, now: float) -> None:
        try:
            self.process = subprocess.Popen(  # noqa: S603 - this very program
                [*self.command], env={**os.environ, **self.environ}, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL
            )
        except OSError as error:  # too many processes or too little memory: others run on, and it may have room later
            self._put_off(now)
            reason = error.strerror or type(error).__name__
            logger.warning("%s: its process cannot be started (%s); it is tried again", self.name, reason)
        else:
            self.started = now

    def _put_off(self, now: float) -> None:
        """Not again at once, and later each time."""
        self.due, self.pause = now + self.pause, min(2 * self.pause, LAST_PAUSE_SECONDS)


class Supervisor:
    """Keeps one process for each name alive."""

    def __init__(self) -> None:
        self._children: list[_Child] = []
        self._stop = threading.Event()

    def add(self, name: str, arguments: Sequence[str], environ: Mapping[str, str]) -> None:
        """Have ``tft-dash arguments`` run, with more in its environment than this process has."""
        command = [sys.executable, "-m", "tft_dash", *arguments, "--parent", str(os.getpid())]
        self._children.append(_Child(name, command, environ))

    def run(self, stop: threading.Event | None = None) -> None:
        """Keep them alive until ``stop`` is set; then end them."""
        ends = stop or self._stop
        try:
            while not ends.is_set():
                for child in self._children:
                    child.look(time.monotonic())
                ends.wait(LOOK_SECONDS)
        finally:
            self._end()

    @contextlib.contextmanager
    def beside(self) -> Iterator[None]:
        """Keep them alive beside what this process does within the block."""
        owner = os.getpid()
        thread = threading.Thread(target=self.run, name="collectors", daemon=True)
        if self._children:
            thread.start()
        try:
            yield
        finally:
            # A worker that was forked meanwhile leaves through here, too: they are not its own.
            if self._children and os.getpid() == owner:
                self._stop.set()
                thread.join()

    def _end(self) -> None:
        running = [child.process for child in self._children if child.process is not None]
        for process in running:
            process.terminate()
        end = time.monotonic() + GRACE_SECONDS
        for process in running:
            try:
                process.wait(max(0.0, end - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def watch_parent(parent: int, stop: threading.Event, *, look_seconds: float = 1.0) -> None:
    """Set ``stop`` when ``parent`` is not this process's parent any more: it has ended, however it ended."""

    def watch() -> None:
        while os.getppid() == parent and not stop.wait(look_seconds):
            pass
        stop.set()

    threading.Thread(target=watch, name="parent", daemon=True).start()
