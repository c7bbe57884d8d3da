"""Asks a store through a process of its own, with limits of time; the process ends when nobody wants the answer."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any, Final

from tft_dash.errors import CancelledError, UnreachableError, shorten
from tft_dash.progress import Progress
from tft_dash.sources.remote.address import shown
from tft_dash.sources.remote.child import COPY, LOOK
from tft_dash.sources.remote.failures import told
from tft_dash.sources.remote.objects import Look

LOOK_SECONDS: Final = 25.0
"""So long may a look take; the store's own library tries three times meanwhile."""
STALL_SECONDS: Final = 60.0
"""A copy of which nothing arrives for so long is given up."""
_WAIT_SECONDS: Final = 0.25

Wanted = Callable[[], bool]
"""Whether anybody still wants the answer."""


def ask_look(location: str, wanted: Wanted, *, within_seconds: float = LOOK_SECONDS) -> Look:
    """What lies at ``location``.

    :raises UnreachableError: the store cannot be reached, or does not answer in time.
    :raises SourceMissingError: nothing is there.
    :raises UsageError: it is no address of a store that can be read here.
    :raises DataError: nothing there can be a table.
    :raises CancelledError: nobody wants the answer any more.
    """
    end = time.monotonic() + within_seconds
    for answer in _answers({"task": LOOK, "location": location}, wanted, lambda: end):
        if "look" in answer:
            return Look.from_dict(answer["look"])
    raise _ended(location)


def ask_copy(
    location: str,
    found: Look,
    folder: Path,
    progress: Progress,
    wanted: Wanted,
    *,
    stall_seconds: float = STALL_SECONDS,
) -> Look:
    """Copy what was found into ``folder``; gives what was copied. Raises what :func:`ask_look` does, and

    :raises StorageError: there is no room for it.
    """
    whole = sum(one.size for one in found.objects) or 1
    order = {"task": COPY, "location": location, "look": found.as_dict(), "folder": str(folder)}
    arrived_at, most = [time.monotonic()], -1
    for answer in _answers(order, wanted, lambda: arrived_at[0] + stall_seconds):
        if "look" in answer:
            return Look.from_dict(answer["look"])
        arrived_at[0] = time.monotonic()
        if answer["bytes"] > most:  # an object that is copied anew counts back; a bar does not
            most = answer["bytes"]
            progress(min(1.0, most / whole))
    raise _ended(location)


def _answers(order: dict[str, Any], wanted: Wanted, deadline: Callable[[], float]) -> Iterator[dict[str, Any]]:
    """What the child tells, until it ends.

    :param deadline: when to give up, by the monotonic clock.
    """
    child = _start(order)
    lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
    reader = threading.Thread(target=_pass_on, args=(child.stdout, lines), name="object-store", daemon=True)
    reader.start()
    try:
        while True:
            if not wanted():
                raise CancelledError(f"Reading {shorten(shown(order['location']), 200)} was stopped.", 0.0)
            left = deadline() - time.monotonic()
            if left <= 0:
                what = shorten(shown(order["location"]), 200)
                raise UnreachableError(f"{what} cannot be read from its store: it did not answer in time.")
            try:
                line = lines.get(timeout=min(left, _WAIT_SECONDS))
            except queue.Empty:
                continue
            if line is None:
                return
            answer = json.loads(line)
            if "error" in answer:
                raise told(answer["error"], answer["message"])
            yield answer
    finally:
        _end(child)
        reader.join(5)
        if child.stdout is not None:
            child.stdout.close()


def _start(order: dict[str, Any]) -> subprocess.Popen[str]:
    # Its environment is ours: it holds the store's credentials, regions and proxies, as the store's library reads them.
    package = str(Path(__file__).parents[3])
    child = subprocess.Popen(
        [sys.executable, "-P", "-m", "tft_dash.sources.remote.child"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": package},
        text=True,
        start_new_session=True,  # Ctrl+C is for the command, which then ends this process
    )
    if child.stdin is not None:
        with contextlib.suppress(BrokenPipeError), child.stdin as pipe:
            pipe.write(json.dumps(order) + "\n")
    return child


def _pass_on(stream: IO[str] | None, lines: queue.SimpleQueue[str | None]) -> None:
    for line in stream or ():
        lines.put(line)
    lines.put(None)


def _end(child: subprocess.Popen[str]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()


def _ended(location: str) -> UnreachableError:
    what = shorten(shown(location), 200)
    return UnreachableError(f"{what} cannot be read: the process that reads it ended unexpectedly. Try again.")
