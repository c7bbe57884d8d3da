"""How many requests were answered, by all workers that share a folder: one small file of numbers, mapped by each.

The file outlives its writers: a worker that is replaced, or a restart, takes no count back. It is locked for the few
microseconds of an addition; the kernel opens the lock of a process that dies.
"""

from __future__ import annotations

import fcntl
import hashlib
import logging
import mmap
import os
import struct
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from flask import Flask, Response, g, request

from tft_dash.api.metrics.exposition import Family, Sample

logger = logging.getLogger(__name__)

PARTS: Final = ("page", "callback", "api", "ingest", "asset", "metrics", "health")
CODES: Final = ("2xx", "3xx", "4xx", "5xx")
FAMILIES: Final[Mapping[str, Family]] = {
    "tft_dash_http_requests_total": Family("Requests that were answered, by all workers on this host.", "counter"),
    "tft_dash_http_request_seconds_total": Family("Time that answering them took.", "counter"),
}
_CELL: Final = struct.Struct("<Qd")
"""A count and the seconds that it took."""
_LAYOUT: Final = hashlib.sha256(repr((PARTS, CODES, _CELL.format)).encode()).hexdigest()[:8]
_SIZE: Final = _CELL.size * len(PARTS) * len(CODES)


class RequestCounts:
    """The counts of every process that uses the same folder.

    :param folder: where their file lies; it is made.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / f"requests-{_LAYOUT}.counts"
        self._opened: tuple[int, int, mmap.mmap] | None = None
        self._failed = False
        self._lock = threading.Lock()

    def add(self, part: str, status: int, seconds: float) -> None:
        """Count one. Where the file cannot be written, that is logged once, and no request fails of it."""
        place = _CELL.size * (PARTS.index(part) * len(CODES) + min(max(status // 100, 2), 5) - 2)
        with self._lock:
            try:
                descriptor, numbers = self._file()
                fcntl.flock(descriptor, fcntl.LOCK_EX)
                try:
                    count, total = _CELL.unpack_from(numbers, place)
                    _CELL.pack_into(numbers, place, count + 1, total + seconds)
                finally:
                    fcntl.flock(descriptor, fcntl.LOCK_UN)
            except OSError as error:
                if not self._failed:
                    logger.warning("requests are not counted: '%s' cannot be written: %s", self._path, error)
                self._failed = True

    def samples(self) -> Iterator[Sample]:
        """What was counted; nothing where the file cannot be read."""
        with self._lock:
            try:
                descriptor, numbers = self._file()
                fcntl.flock(descriptor, fcntl.LOCK_SH)
                content = numbers[:]
                fcntl.flock(descriptor, fcntl.LOCK_UN)
            except OSError:
                return
        cells = iter(_CELL.iter_unpack(content))
        for part in PARTS:
            for code in CODES:
                count, seconds = next(cells)
                labels = {"part": part, "code": code}
                yield Sample("tft_dash_http_requests_total", labels, float(count))
                yield Sample("tft_dash_http_request_seconds_total", labels, seconds)

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            if self._opened is not None:
                _, descriptor, numbers = self._opened
                self._opened = None
                numbers.close()
                os.close(descriptor)

    def _file(self) -> tuple[int, mmap.mmap]:
        """Descriptor and content, opened anew in a process that was forked: a lock belongs to who opened it."""
        if self._opened is None or self._opened[0] != os.getpid():
            self._path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
            try:
                if os.fstat(descriptor).st_size < _SIZE:
                    os.ftruncate(descriptor, _SIZE)  # fills with zeros, whoever comes first
                self._opened = os.getpid(), descriptor, mmap.mmap(descriptor, _SIZE)
            except OSError:
                os.close(descriptor)
                raise
        return self._opened[1:]


def count_requests(server: Flask, counts: RequestCounts, base: str) -> None:
    """Have every request that ``server`` answers counted.

    :param base: the path that it is served under, with its slashes.
    """

    @server.before_request
    def begin() -> None:
        g.begun = time.monotonic()

    @server.after_request
    def end(response: Response) -> Response:
        begun = g.get("begun")
        if begun is not None:
            counts.add(
                part_of(request.path.removeprefix(base.rstrip("/"))), response.status_code, time.monotonic() - begun
            )
        return response


def part_of(path: str) -> str:
    """Which part of the app a path belongs to: few and known, so that no visitor can make labels."""
    for start, part in (
        ("/_dash-update-component", "callback"),
        ("/_dash-component-suites", "asset"),
        ("/_favicon", "asset"),
        ("/assets/", "asset"),
        ("/api/v1/ingest", "ingest"),
        ("/api/", "api"),
    ):
        if path.startswith(start):
            return part
    return {"/metrics": "metrics", "/healthz": "health", "/readyz": "health"}.get(path, "page")
