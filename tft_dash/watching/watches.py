"""The drift watches in a process: begun beside the requests, read from the cache that all processes share."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tft_dash.artefacts import build_progress
from tft_dash.background import Background
from tft_dash.files import status_of
from tft_dash.frame import SourceDescription
from tft_dash.live.source import LiveSource
from tft_dash.models.base import RiskModel
from tft_dash.schema import ModelCard
from tft_dash.sources.base import Source
from tft_dash.store.live import JUDGED_SPAN_MS, JudgedSpans
from tft_dash.store.live.clock import milliseconds
from tft_dash.watching.recorded import joined
from tft_dash.watching.sums import WindowFigures, windows
from tft_dash.watching.watch import DAY_SECONDS, DRIFT_FILE, Drift, drift_folder, drift_of, read_drift, watch_source

WATCHES_KEPT: Final = 32


@dataclass(frozen=True, slots=True)
class _Lived:
    """The watch of a live source, until it is looked at again.

    :param signature: equal where the watch is.
    """

    until: float
    signature: object
    drift: Drift


class Watches:
    """The watch of every source that was asked about.

    :param cache: folder of derived files, shared by all processes.
    :param background: runs what takes long.
    :param spans: what the collectors of live sources have judged.
    :param days: that the sliding window spans, in the fleet's time.
    :param least: judged forecasts below which there is too little evidence.
    :param look_seconds: how long what a collector has judged may go unnoticed.
    """

    def __init__(
        self,
        cache: Path,
        background: Background,
        spans: JudgedSpans,
        *,
        days: float,
        least: int,
        look_seconds: float = 1.0,
    ) -> None:
        self._cache = cache
        self._spans = spans
        self._look_seconds = look_seconds
        self._lived: dict[tuple[str, str], _Lived] = {}
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
        key, state, now = (source.name, card.identity), source.state(), time.monotonic()
        with self._lock:
            known = self._lived.get(key)
        if known is not None and (state.store_away or now < known.until):
            return known.drift
        about = source.describe()
        # The newest span that is over is being judged; an older one that was not will hardly be any more.
        last = milliseconds(state.time_of(state.latest)) // JUDGED_SPAN_MS - 2
        signature = (state.origin, self._spans.newest(*key), last)
        same = known is not None and known.signature == signature
        drift = known.drift if same and known is not None else self._lived_until(key, card, about, last)
        with self._lock:
            self._lived[key] = _Lived(now + self._look_seconds, signature, drift)
            while len(self._lived) > WATCHES_KEPT:
                del self._lived[next(iter(self._lived))]
        return drift

    def _lived_until(self, key: tuple[str, str], card: ModelCard, about: SourceDescription, last: int) -> Drift:
        """What was judged up to a span."""
        days, _ = self._limits
        found: tuple[WindowFigures, ...] = ()
        bodies = self._spans.bodies(*key)
        if bodies:
            first = (min(bodies) * JUDGED_SPAN_MS - milliseconds(about.start)) / 1000
            found = windows(joined(bodies, last), days * DAY_SECONDS, first_seconds=first)
        return drift_of(found, card, about, self._limits)

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
