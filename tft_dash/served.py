"""Every source that is served: the configured ones, uploads, and generated recordings, whichever worker made them."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tft_dash.errors import NotReadyError, StorageError, TftDashError, UnknownNameError, UsageError
from tft_dash.importing.uploads import Uploads
from tft_dash.inspection.subject import signature as signature_of
from tft_dash.recordings import Recordings
from tft_dash.sources.base import SOURCES, Remote, Source
from tft_dash.sources.catalogue import Named, discover_all
from tft_dash.sources.remote.address import FILE, LIVE
from tft_dash.sources.remote.watch import Watch

CONFIGURED: Final = "configured"
UPLOAD: Final = "upload"
RUN: Final = "run"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a source lies.

    :param path: the file or folder; None = it lies elsewhere, see :meth:`ServedSources.path`.
    :param origin: :data:`CONFIGURED`, :data:`UPLOAD` or :data:`RUN`.
    :param named: how somebody named it; None = nobody did.
    """

    name: str
    path: Path | None
    origin: str
    named: Named | None = None

    @property
    def shown(self) -> str:
        """Where it lies, for people."""
        return str(self.path) if self.named is None else self.named.shown


@dataclass(frozen=True, slots=True)
class _Opened:
    """A source with what its file looked like when it was opened, and when that was last looked at."""

    source: Source
    place: Place
    signature: object
    looked_at: float


class ServedSources:
    """Sources by name. A configured source's name wins over an upload's, and that over a generated recording's.

    :param specs: ``path``, ``scheme://…`` or ``name=…`` of the configured sources.
    :param cache: where cubes are kept.
    :param look_seconds: how long a change on disk may go unnoticed.
    :param options: more arguments for the sources of a kind.
    :raises UsageError: a source has an impossible name, or nothing reads its address.
    """

    def __init__(
        self,
        specs: tuple[str, ...],
        cache: Path,
        uploads: Uploads,
        recordings: Recordings,
        *,
        look_seconds: float,
        options: Mapping[str, Mapping[str, Any]] | None = None,
    ) -> None:
        self._configured = {
            named.name: Place(named.name, named.path, CONFIGURED, named) for named in discover_all(specs, demand=False)
        }
        self._options = dict(options or {})
        self._watch = Watch()
        self._cache = cache
        self._uploads, self._recordings = uploads, recordings
        self._look_seconds = look_seconds
        self._listed: tuple[float, Mapping[str, Place]] | None = None
        self._opened: dict[str, _Opened] = {}
        self._lock = threading.Lock()

    def names(self) -> tuple[str, ...]:
        """The sources there are: the configured ones in the order given, then uploads, then generated recordings."""
        return tuple(self._places())

    def recordings(self) -> tuple[str, ...]:
        """Those of them that have an end."""
        return tuple(name for name, one in self._places().items() if one.named is None or one.named.kind != LIVE)

    def live(self) -> tuple[Named, ...]:
        """The configured sources that are live, as somebody named them."""
        named = [place.named for place in self._configured.values()]
        return tuple(each for each in named if each is not None and each.kind == LIVE)

    def place(self, name: str) -> Place:
        """Where a source lies.

        :raises UnknownNameError: there is none of that name.
        :raises NotReadyError: another host has it, and it is being copied.
        """
        place = self._places().get(name) or self._places(fresh=True).get(name)
        if place is None:
            share = self._arriving(name)
            if share is not None:
                raise NotReadyError(f"Copying '{name}' from another host", share)
            raise UnknownNameError("source", name, self.names())
        return place

    def path(self, name: str) -> Path:
        """The file or folder of a source, or the copy that stands for it here.

        :raises UnknownNameError: there is none of that name.
        :raises NotReadyError: it is being copied.
        :raises UnreachableError: it cannot be copied.
        :raises UsageError: the source is of a kind that is no file.
        """
        place = self.place(name)
        if place.path is not None:
            return place.path
        source = self.source(name)
        if not isinstance(source, Remote):
            raise UsageError(f"'{name}' is no recording in a file: it is read from {place.shown} as it is needed.")
        if not source.is_here():
            raise source.problem() or NotReadyError(f"Copying {place.shown}", source.share())
        return source.local_path()

    def source(self, name: str) -> Source:
        """The source called ``name``; what changed since it was opened is opened anew.

        :raises UnknownNameError: there is none of that name.
        """
        place = self.place(name)
        if place.origin == RUN:
            self._recordings.watch(name)
        now = time.monotonic()
        with self._lock:
            known = self._opened.get(name)
            if known is not None and known.place == place and now - known.looked_at < self._look_seconds:
                return known.source
            signature = None if place.path is None else signature_of(place.path)
            if known is not None and known.place == place and known.signature == signature and not _outdated(known):
                source = known.source
            else:
                source = self._open(place)
                if known is not None:
                    known.source.close()
            self._opened[name] = _Opened(source, place, signature, now)
            return source

    def remarks(self, name: str) -> tuple[str, ...]:
        """What a viewer must know of how current a source is; empty for one that is read where it lies."""
        source = self.source(name)
        return source.remarks() if isinstance(source, Remote) else ()

    def keep_watch(self) -> None:
        """Look at what lies elsewhere from time to time, beside the requests. For a process that serves."""
        for place in self._configured.values():
            if place.path is None:
                self._watch.begin(place.name, self._look_at)

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
        self._watch.stop()
        with self._lock:
            for known in self._opened.values():
                known.source.close()
            self._opened.clear()
        self._watch.join()

    def _open(self, place: Place) -> Source:
        kind: str
        lies: Path | str
        options: Mapping[str, Any]
        if place.path is not None:
            kind, lies, options = FILE, place.path, {}
        elif place.named is not None:
            kind, lies, options = place.named.kind, place.named.location, self._options.get(place.named.kind, {})
        else:  # what nobody named is an upload or a run, and has a path
            raise UnknownNameError("source", place.name, self.names())
        source: Source = SOURCES.load(kind)(lies, name=place.name, cache_folder=self._cache, **options)
        return source

    def _look_at(self, name: str) -> str:
        """Look at a source that lies elsewhere; tells what is wrong, if anything is."""
        source = self.source(name)
        if not isinstance(source, Remote):
            return ""
        try:
            source.watch()
        except TftDashError as error:
            return str(error)
        return " ".join(source.remarks())

    def _arriving(self, name: str) -> float | None:
        """How much of what another host has is here; None = none has it, or it is not known at the moment."""
        with contextlib.suppress(StorageError):  # what is here is served without the store
            for kind in (self._uploads, self._recordings):
                share = kind.arriving(name)
                if share is not None:
                    return share
        return None

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


def _outdated(known: _Opened) -> bool:
    return isinstance(known.source, Remote) and known.source.outdated()
