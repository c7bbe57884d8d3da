"""Holding the forecasts for a source against what came of them: six hours at a time, by its leader, beside its work."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from tft_dash.collecting.keeping import Limits
from tft_dash.errors import TftDashError
from tft_dash.models.base import RiskModel
from tft_dash.models.calibrated.model import CalibratedModel
from tft_dash.store.engine import Store
from tft_dash.store.live import JUDGED_SPAN_MS, JudgedSpans, Lease, LiveState, LiveStore
from tft_dash.store.live.clock import milliseconds
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

    :param limits: of the history, which is judged while every tick is kept; what was found is kept as long as the rest.
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
        self._ended = self._told = False

    def go_on(self, lease: Lease) -> None:
        """Begin what is due, in a thread of its own: ticks go on meanwhile."""
        if self._monotonic() < self._next or (self._work is not None and self._work.is_alive()):
            return
        self._next = self._monotonic() + EVERY_SECONDS
        state = self._ticks.state(self._source)
        if state is None or state.origin is None:
            return
        model = self._model(self._ticks.roster(self._source, state.roster) or NO_ROSTER)
        forecaster = _forecaster(model)
        if forecaster is None:
            return
        self._tell_of_limits()
        span = self._due(state, model.card.identity)
        if span is not None:
            work = (lease, state, span, model.card.identity, forecaster)
            self._work = threading.Thread(target=self._judge, args=work, daemon=True)
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
        latest = milliseconds(state.time_of(state.latest))
        newest = self._spans.newest(self._source, identity)
        if newest is not None and (newest + 2) * JUDGED_SPAN_MS > latest:
            return None
        first = self._first_whole(state)
        if first is None:
            return None
        span = first if newest is None else max(first, newest + 1)
        return span if (span + 1) * JUDGED_SPAN_MS <= latest else None

    def _first_whole(self, state: LiveState) -> int | None:
        """The first span of which, and of all that its forecasts have looked at, every tick is kept."""
        whole = self._ticks.whole_since(self._source)
        return None if whole is None else -(-(milliseconds(state.time_of(whole)) + BEFORE_MS) // JUDGED_SPAN_MS)

    def _tell_of_limits(self) -> None:
        """That nothing will ever be judged, once."""
        needed = (BEFORE_MS + JUDGED_SPAN_MS) / 1000
        if self._limits.raw_seconds < needed and not self._told:
            self._told = True
            logger.warning(
                "%s: forecasts are not held against what came: that needs the ticks of %.0f hours, and "
                "TFT_DASH_LIVE_RAW_HOURS keeps %g.", self._source, needed / 3600, self._limits.raw_seconds / 3600,
            )  # fmt: skip

    def _judge(self, lease: Lease, state: LiveState, span: int, identity: str, forecaster: TftModel) -> None:
        try:
            sums = judged_span(self._ticks, state, span, identity, forecaster)
            first = self._first_whole(state)
            if first is not None and first <= span:  # else ticks were thinned out while they were read
                oldest = span - round(self._limits.keep_seconds * 1000) // JUDGED_SPAN_MS
                self._spans.put(lease, state.origin, identity, span, as_text(sums), oldest=oldest)
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


def _forecaster(model: RiskModel) -> TftModel | None:
    """The forecast behind a model; None = there is none whose bands could be judged."""
    if not model.card.forecasts:
        return None
    from tft_dash.models.tft import TftModel  # noqa: PLC0415 - only a process that forecasts needs onnxruntime

    base = model.base if isinstance(model, CalibratedModel) else model
    return base if isinstance(base, TftModel) else None
