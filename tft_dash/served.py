"""Every source that is served: the configured ones, uploads, and generated recordings, whichever worker made them."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tft_dash.errors import UnknownNameError, UsageError
from tft_dash.importing.uploads import Uploads
from tft_dash.recordings import Recordings
from tft_dash.sources.base import SOURCES, Source
from tft_dash.sources.catalogue import discover_all

CONFIGURED: Final = "configured"
UPLOAD: Final = "upload"
RUN: Final = "run"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a source lies.

    :param origin: :data:`CONFIGURED`, :data:`UPLOAD` or :data:`RUN`.
    """

    name: str
    path: Path
    origin: str


@dataclass(frozen=True, slots=True)
class _Opened:
    """A source with what its file looked like when it was opened, and when that was last looked at."""

    source: Source
    path: Path
    signature: object
    looked_at: float


class ServedSources:
    """Sources by name. A configured source's name wins over an upload's, and that over a generated recording's.

    :param specs: ``path`` or ``name=path`` of the configured sources.
    :param cache: where cubes are kept.
    :param look_seconds: how long a change on disk may go unnoticed.
    :raises UsageError: a source has an impossible name.
    """

    def __init__(
        self, specs: tuple[str, ...], cache: Path, uploads: Uploads, recordings: Recordings, *, look_seconds: float
    ) -> None:
        self._configured = {name: Place(name, path, CONFIGURED) for name, path in discover_all(specs, demand=False)}
        self._cache = cache
        self._uploads, self._recordings = uploads, recordings
        self._look_seconds = look_seconds
        self._listed: tuple[float, Mapping[str, Place]] | None = None
        self._opened: dict[str, _Opened] = {}
        self._lock = threading.Lock()

    def names(self) -> tuple[str, ...]:
        """The sources there are: the configured ones in the order given, then uploads, then generated recordings."""
        return tuple(self._places())

    def place(self, name: str) -> Place:
        """Where a source lies.

        :raises UnknownNameError: there is none of that name.
        """
        place = self._places().get(name) or self._places(fresh=True).get(name)
        if place is None:
            raise UnknownNameError("source", name, self.names())
        return place

    def source(self, name: str) -> Source:
        """The source called ``name``; a file that changed on disk is opened anew.

        :raises UnknownNameError: there is none of that name.
        """
        place = self.place(name)
        if place.origin == RUN:
            self._recordings.watch(name)
        now = time.monotonic()
        with self._lock:
            known = self._opened.get(name)
            if known is not None and known.path == place.path and now - known.looked_at < self._look_seconds:
                return known.source
            signature = _signature(place.path)
            if known is not None and known.path == place.path and known.signature == signature:
                source = known.source
            else:
                source = SOURCES.load("file")(place.path, name=name, cache_folder=self._cache)
                if known is not None:
                    known.source.close()
            self._opened[name] = _Opened(source, place.path, signature, now)
            return source

    def remove(self, name: str) -> None:
        """Remove an upload or a generated recording.

        :raises UsageError: it is a configured source, or somebody watches it.
        """
        place = self.place(name)
        if place.origin == CONFIGURED:
            raise UsageError(f"'{name}' is a configured source. Take it out of TFT_DASH_SOURCES to serve it no more.")
        (self._uploads if place.origin == UPLOAD else self._recordings).remove(name)
        with self._lock:
            self._listed = None
            known = self._opened.pop(name, None)
        if known is not None:
            known.source.close()

    def close(self) -> None:
        """Let go of every source. Closing twice is fine."""
        with self._lock:
            for known in self._opened.values():
                known.source.close()
            self._opened.clear()

    def _places(self, *, fresh: bool = False) -> Mapping[str, Place]:
        now = time.monotonic()
        listed = self._listed
        if listed is not None and not fresh and now - listed[0] < self._look_seconds:
            return listed[1]
        places = dict(self._configured)
        for dataset in self._uploads.datasets():
            places.setdefault(dataset.name, Place(dataset.name, dataset.path, UPLOAD))
        for recording in self._recordings.all():
            places.setdefault(recording.name, Place(recording.name, recording.path, RUN))
        self._listed = (now, places)
        return places


def _signature(path: Path) -> object:
    """Changes when the file, or any file in the folder, does."""
    try:
        files = sorted(path.rglob("*")) if path.is_dir() else [path]
        found = [(str(file), file.stat()) for file in files]
    except OSError:
        return None
    return tuple((name, status.st_mtime_ns, status.st_size, status.st_ino) for name, status in found)
