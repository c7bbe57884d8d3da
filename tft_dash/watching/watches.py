"""The drift watches in a process: begun beside the requests, read from the cache that all processes share."""

from __future__ import annotations

import threading
from collections import OrderedDict
from pathlib import Path
from typing import Final

import numpy as np

from tft_dash.artefacts import build_progress
from tft_dash.background import Background
from tft_dash.files import status_of
from tft_dash.frame import SourceDescription
from tft_dash.live.source import LiveSource
from tft_dash.models.base import RiskModel
from tft_dash.schema import ModelCard
from tft_dash.sources.base import Source
from tft_dash.store.live import JUDGED_SPAN_MS, JudgedSpans
from tft_dash.watching.recorded import joined
from tft_dash.watching.sums import WindowFigures, windows
from tft_dash.watching.watch import DAY_SECONDS, DRIFT_FILE, Drift, drift_folder, drift_of, read_drift, watch_source

WATCHES_KEPT: Final = 32


class Watches:
    """The watch of every source that was asked about.

    :param cache: folder of derived files, shared by all processes.
    :param background: runs what takes long.
    :param spans: what the collectors of live sources have judged.
    :param days: that the sliding window spans, in the fleet's time.
    :param least: judged forecasts below which there is too little evidence.
    """

    def __init__(self, cache: Path, background: Background, spans: JudgedSpans, *, days: float, least: int) -> None:
        self._cache = cache
        self._spans = spans
        self._lived: dict[tuple[str, str], tuple[object, Drift]] = {}
        self._background = background
        self._limits = (days, least)
        self._read: OrderedDict[Path, tuple[object, Drift | None]] = OrderedDict()
        self._lock = threading.Lock()

    def result(self, source: Source, about: SourceDescription, model: RiskModel) -> Drift:
        """The watch of a source by a model.

        :raises NotReadyError: it is being made.
        """
        known = self.known(about, model.card)
        if known is not None:
            return known
        folder = self._folder(about, model.card)
        return self._background.result(
            ("drift", folder), lambda: self._made(source, model), "Holding forecasts against what happened",
            lambda: build_progress(folder),
        )  # fmt: skip

    def recorded(self, source: LiveSource, card: ModelCard) -> Drift:
        """The watch of a live source by a model, as far as its collector has judged it; without a point at first."""
        about, state = source.describe(), source.state()
        newest = self._spans.newest(source.name, card.identity)
        key = (source.name, card.identity)
        signature = (newest, state.origin)
        with self._lock:
            known = self._lived.get(key)
        if known is not None and known[0] == signature:
            return known[1]
        days, _ = self._limits
        found: tuple[WindowFigures, ...] = ()
        bodies = self._spans.bodies(*key) if newest is not None else {}
        if bodies:
            begin = np.datetime64(min(bodies) * JUDGED_SPAN_MS, "ms")
            first = float((begin - about.start.astype("datetime64[ms]")) / np.timedelta64(1, "ms")) / 1000
            found = windows(joined(bodies), days * DAY_SECONDS, first_seconds=first)
        made = drift_of(found, card, about, self._limits)
        with self._lock:
            self._lived[key] = (signature, made)
            while len(self._lived) > WATCHES_KEPT:
                del self._lived[next(iter(self._lived))]
        return made

    def begin(self, source: Source, about: SourceDescription, model: RiskModel) -> None:
        """Start to make a watch that is asked for later."""
        self._background.begin(("drift", self._folder(about, model.card)), lambda: self._made(source, model))

    def known(self, about: SourceDescription, card: ModelCard) -> Drift | None:
        """The watch, if any process has made it."""
        folder = self._folder(about, card)
        signature = status_of(folder / DRIFT_FILE)
        with self._lock:
            known = self._read.get(folder)
            if known is not None and known[0] == signature:
                self._read.move_to_end(folder)
                return known[1]
        found = None if signature is None else read_drift(folder)
        with self._lock:
            self._read[folder] = (signature, found)
            while len(self._read) > WATCHES_KEPT:
                self._read.popitem(last=False)
        return found

    def _made(self, source: Source, model: RiskModel) -> Drift:
        days, least = self._limits
        return watch_source(source, model, self._cache, days=days, least=least)

    def _folder(self, about: SourceDescription, card: ModelCard) -> Path:
        return drift_folder(self._cache, about, card, *self._limits)
