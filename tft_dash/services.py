"""Everything the pages, the API and the commands ask, built from :class:`Settings` and closed once."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tft_dash.background import WAIT_SECONDS, Background
from tft_dash.errors import TftDashError, UnknownNameError
from tft_dash.frame import Frame, ServerTrace, SourceDescription
from tft_dash.models.base import MODELS, RiskModel
from tft_dash.monitor import Monitor
from tft_dash.resources import demo_data_folder
from tft_dash.scenarios.library import DEFAULT_DRILL
from tft_dash.schema import ModelCard
from tft_dash.settings import Settings
from tft_dash.sources.base import SOURCES, Source
from tft_dash.sources.catalogue import discover_all

DEFAULT_MODEL: Final = "thresholds"


@dataclass(frozen=True, slots=True)
class SourceEntry:
    """A source as the catalogue knows it: where it is, and whether it can be shown.

    :param problem: why it cannot be shown at the moment; None = it can.
    """

    name: str
    path: Path
    description: SourceDescription | None
    problem: str | None


@dataclass(frozen=True, slots=True)
class _Opened:
    """A source with what its file looked like when it was opened, and when that was last looked at."""

    source: Source
    signature: object
    looked_at: float


class Services:
    """The one owner of sources, models and the monitor in a process.

    :param wait_seconds: how long a request waits for a recording that is being prepared; None = to the end.
    :param look_seconds: how long a change of a source's file may go unnoticed.
    :raises UsageError: a source has an impossible name.

    A source whose file is missing or broken is listed with its problem; the others are served.
    """

    def __init__(
        self, settings: Settings, *, wait_seconds: float | None = WAIT_SECONDS, look_seconds: float = 1.0
    ) -> None:
        self.settings = settings
        self._look_seconds = look_seconds
        self.monitor = Monitor(settings.cache, Background(wait_seconds))
        specs = settings.sources or tuple(str(path) for path in shipped_drills())
        self._paths = dict(discover_all(specs, demand=False))
        self._sources: dict[str, _Opened] = {}
        self._models: dict[str, RiskModel] = {}
        self._lock = threading.Lock()

    def source_names(self) -> tuple[str, ...]:
        """The sources served, in the order given."""
        return tuple(self._paths)

    def source(self, name: str) -> Source:
        """The source called ``name``; a file that changed on disk is opened anew.

        :raises UnknownNameError: there is none of that name.
        """
        if name not in self._paths:
            raise UnknownNameError("source", name, self._paths)
        now = time.monotonic()
        with self._lock:
            known = self._sources.get(name)
            if known is not None and now - known.looked_at < self._look_seconds:
                return known.source
            path = self._paths[name]
            signature = _signature(path)
            if known is not None and known.signature == signature:
                source = known.source
            else:
                source = SOURCES.load("file")(path, name=name, cache_folder=self.settings.cache)
                if known is not None:
                    known.source.close()
            self._sources[name] = _Opened(source, signature, now)
            return source

    def model(self, name: str) -> RiskModel:
        """The risk model called ``name``.

        :raises UnknownNameError: nothing is registered under that name.
        """
        with self._lock:
            if name not in self._models:
                self._models[name] = MODELS.load(name)()
            return self._models[name]

    def model_names(self) -> tuple[str, ...]:
        """The risk models there are; the default first."""
        names = MODELS.names()
        return tuple(sorted(names, key=lambda name: (name != self.default_model(), name)))

    def default_model(self) -> str:
        """The model that a page starts with."""
        return self.settings.model or DEFAULT_MODEL

    def cards(self) -> tuple[ModelCard, ...]:
        """The card of every model."""
        return tuple(self.model(name).card for name in self.model_names())

    def describe(self, source: str) -> SourceDescription:
        """The description of a source."""
        return self.monitor.describe(self.source(source))

    def entries(self) -> tuple[SourceEntry, ...]:
        """Every source with its description or its problem; one bad source hides no other."""
        for name in self._paths:
            self.monitor.begin(self.source(name))
        return tuple(self._entry(name) for name in self._paths)

    def frame(self, source: str, model: str, tick: int) -> Frame:
        """One tick of a source, judged by a model."""
        return self.monitor.frame(self.source(source), self.model(model), tick)

    def trace(self, frame: Frame, server: int) -> ServerTrace:
        """The last ticks of one server up to ``frame``."""
        source, model = self.source(frame.source.name), self.model(frame.card.name)
        return self.monitor.trace(source, model, frame.tick, server)

    def tick_seconds(self, description: SourceDescription) -> float:
        """Seconds a tick takes on the page at speed 1: as set, else as the recording declares."""
        declared = description.tick_wall_seconds
        if self.settings.origin.get("refresh", "default") != "default" or declared is None:
            return self.settings.refresh
        return declared

    def close(self) -> None:
        """Let go of every source. Closing twice is fine."""
        with self._lock:
            for opened in self._sources.values():
                opened.source.close()
            self._sources.clear()

    def _entry(self, name: str) -> SourceEntry:
        try:
            return SourceEntry(name, self._paths[name], self.describe(name), None)
        except TftDashError as error:
            return SourceEntry(name, self._paths[name], None, str(error))


def shipped_drills() -> tuple[Path, ...]:
    """The drills that travel with the package, the default one first."""
    found = sorted(demo_data_folder().glob("*.parquet"), key=lambda path: (path.stem != DEFAULT_DRILL, path.stem))
    return tuple(found)


def _signature(path: Path) -> object:
    """Changes when the file, or any file in the folder, does."""
    try:
        files = sorted(path.rglob("*")) if path.is_dir() else [path]
        found = [(str(file), file.stat()) for file in files]
    except OSError:
        return None
    return tuple((name, status.st_mtime_ns, status.st_size, status.st_ino) for name, status in found)
