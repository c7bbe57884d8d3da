"""Holding the forecasts for a source against what came of them: six hours at a time, by its leader, beside its work."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

import numpy as np

from tft_dash.collecting.keeping import Limits
from tft_dash.errors import TftDashError
from tft_dash.models.base import RiskModel
from tft_dash.models.calibrated.model import CalibratedModel
from tft_dash.store.engine import Store
from tft_dash.store.live import JUDGED_SPAN_MS, JudgedSpans, Lease, LiveState, LiveStore
from tft_dash.ticks import NO_ROSTER, Roster
from tft_dash.watching.recorded import BEFORE_MS, as_text, judged_span

if TYPE_CHECKING:
    from tft_dash.models.tft import TftModel

logger = logging.getLogger(__name__)

EVERY_SECONDS: Final = 60.0
AGAIN_SECONDS: Final = 600.0
"""How soon again after a failure."""


class DriftKeeper:
    """Judges the spans of one source that are over, the oldest first, while every tick of them is still kept.

    :param model: gives the model that judges these servers now; nothing is done unless it forecasts.
    """

    def __init__(
        self,
        store: Store,
        source: str,
        limits: Limits,
        model: Callable[[Roster], RiskModel],
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._source, self._limits, self._model = source, limits, model
        self._ticks, self._spans = LiveStore(store), JudgedSpans(store)
        self._monotonic = monotonic
        self._next = monotonic()
        self._work: threading.Thread | None = None
        self._ended = False

    def go_on(self, lease: Lease) -> None:
        """Begin what is due, in a thread of its own: ticks go on meanwhile."""
        if self._monotonic() < self._next or (self._work is not None and self._work.is_alive()):
            return
        self._next = self._monotonic() + EVERY_SECONDS
        state = self._ticks.state(self._source)
        if state is None or state.origin is None:
            return
        model = self._model(self._ticks.roster(self._source, state.roster) or NO_ROSTER)
        if not model.card.forecasts:
            return
        span = self._due(state, model.card.identity)
        if span is not None:
            self._work = threading.Thread(target=self._judge, args=(lease, state, span, model), daemon=True)
            self._work.start()

    def wait(self, seconds: float | None = None) -> None:
        """Until what was begun is done."""
        if self._work is not None:
            self._work.join(seconds)

    def close(self) -> None:
        """Begin nothing more; what is under way is not waited for."""
        self._ended = True
        self._next = float("inf")

    def _due(self, state: LiveState, identity: str) -> int | None:
        """The oldest span that is over, not judged yet, and of which all ticks are kept."""
        begin, latest = (_milliseconds(state.time_of(tick)) for tick in (0, state.latest))
        kept = max(begin, latest - round(self._limits.raw_seconds * 1000))
        first = -(-(kept + BEFORE_MS) // JUDGED_SPAN_MS)
        newest = self._spans.newest(self._source, identity)
        span = first if newest is None else max(first, newest + 1)
        return span if (span + 1) * JUDGED_SPAN_MS <= latest else None

    def _judge(self, lease: Lease, state: LiveState, span: int, model: RiskModel) -> None:
        try:
            sums = judged_span(self._ticks, state, span, model.card.identity, _forecaster(model).runtime)
            oldest = span - round(self._limits.keep_seconds * 1000) // JUDGED_SPAN_MS
            self._spans.put(lease, model.card.identity, span, as_text(sums), oldest=oldest)
        except TftDashError as error:
            if not self._ended:
                logger.warning("%s: forecasts could not be held against what came: %s", self._source, error)
            self._next = self._monotonic() + AGAIN_SECONDS
        except Exception:
            if not self._ended:
                logger.exception("%s: forecasts could not be held against what came", self._source)
            self._next = self._monotonic() + AGAIN_SECONDS
        else:
            self._next = self._monotonic()


def _forecaster(model: RiskModel) -> TftModel:
    from tft_dash.models.tft import TftModel  # noqa: PLC0415 - only a process that forecasts needs onnxruntime

    base = model.base if isinstance(model, CalibratedModel) else model
    assert isinstance(base, TftModel)  # noqa: S101 - no other model forecasts
    return base


def _milliseconds(time_: np.datetime64) -> int:
    return int(time_.astype("datetime64[ms]").astype(np.int64))
