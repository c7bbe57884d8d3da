"""The drift watch of a live source: each six hours are judged once, from what was recorded, while all of it is kept.

What was said counts as it was issued, never as it would be said now. The values are means over five minutes, as the
forecast itself reads them, so the bands are those that stood on the page; what happened is told by every single tick.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from tft_dash.calibrating.cases import HORIZON_SECONDS
from tft_dash.models.forecasting.layout import CONTEXT, NODES, STEP_SECONDS, TARGETS
from tft_dash.progress import silent
from tft_dash.schema import SERVER_FIELDS, Assessments, FloatArray, Window
from tft_dash.store.live import JUDGED_SPAN_MS, LiveState, LiveStore
from tft_dash.store.live.clock import milliseconds
from tft_dash.ticks import Roster, TickRecord
from tft_dash.watching.sums import TOLD_WIDTH, JudgedBands, JudgedChances, SpanSums, span_sums

if TYPE_CHECKING:
    from tft_dash.models.tft import TftModel

GRID_MS: Final = round(STEP_SECONDS * 1000)
BEFORE_MS: Final = (CONTEXT + NODES[-1]) * GRID_MS
"""So long before a span begins the oldest tick that a forecast judged in it has looked at."""
READ_AT_ONCE: Final = 200
FORMAT: Final = f"1 {','.join(TARGETS)} {TOLD_WIDTH}"
"""What the sums of a span are; sums of another format cannot be added to these."""

Places = NDArray[np.intp]


def judged_span(store: LiveStore, state: LiveState, span: int, identity: str, model: TftModel) -> SpanSums:
    """What was judged in a span: one row of sums.

    :param span: its number since 1970; it is over.
    :param identity: of the model whose word counts.
    :param model: the forecast behind it.
    """
    from tft_dash.watching.judging import judged_bands, judged_chances  # noqa: PLC0415 - needs onnxruntime

    begin_ms = span * JUDGED_SPAN_MS
    day = _Day(begin_ms - BEFORE_MS, begin_ms + JUDGED_SPAN_MS, _roster(store, state, begin_ms + JUDGED_SPAN_MS))
    for records in _records(store, state, day.begin_ms, day.end_ms):
        for record in records:
            day.take(record, identity)
    offset = BEFORE_MS / 1000 - STEP_SECONDS  # the grid's first time is five minutes after its begin
    bands = judged_bands(model.runtime, day.window(day.means()), silent, model.zone)
    chances = judged_chances(day.said(), day.window(day.highest))
    shifted = JudgedBands(bands.judged_seconds - offset, bands.inside, bands.known)
    return span_sums(_from_zero(shifted), {name: _chances(one, offset) for name, one in chances.items()}, 1)


def _from_zero(bands: JudgedBands) -> JudgedBands:
    """Those that were judged after the span began."""
    here = bands.judged_seconds >= 0
    parts = ({name: values[here] for name, values in one.items()} for one in (bands.inside, bands.known))
    return JudgedBands(bands.judged_seconds[here], *parts)


def _chances(judged: JudgedChances, offset: float) -> JudgedChances:
    seconds = judged.judged_seconds - offset
    here = seconds >= 0
    return JudgedChances(seconds[here], judged.said[here], judged.happened[here])


def _roster(store: LiveStore, state: LiveState, end_ms: int) -> Roster:
    """Who was in the fleet at the end of a span."""
    last = store.tick_at(state.name, np.datetime64(end_ms, "ms"))
    record = None if last is None else store.tick(state.name, last)
    return Roster.of((), ()) if record is None else record.roster


def _records(store: LiveStore, state: LiveState, begin_ms: int, end_ms: int) -> Iterable[Sequence[TickRecord]]:
    """What is kept of the ticks after ``begin_ms`` up to ``end_ms``."""
    step, origin = round(state.step_seconds * 1000), milliseconds(state.time_of(0))
    first, last = max((begin_ms - origin) // step + 1, 0), (end_ms - origin) // step
    for start in range(first, last + 1, READ_AT_ONCE):
        yield store.ticks(state.name, start, min(start + READ_AT_ONCE - 1, last))


@dataclass
class _Sums:
    total: FloatArray
    count: FloatArray


class _Day:
    """Ticks gathered on a grid of five minutes: a row is what lies after the time before it, up to its own."""

    def __init__(self, begin_ms: int, end_ms: int, roster: Roster) -> None:
        self.begin_ms, self.end_ms = begin_ms, end_ms
        self._roster = roster
        self._places: dict[int, tuple[Places, Places]] = {}
        self._place = {name: place for place, name in enumerate(roster.servers)}
        self._shape = ((end_ms - begin_ms) // GRID_MS, len(roster.servers))
        self._sums: dict[str, _Sums] = {}
        self.highest: dict[str, FloatArray] = {}
        self._said = {name: np.full(self._shape, np.nan, np.float32) for name in SERVER_FIELDS}

    def take(self, record: TickRecord, identity: str) -> None:
        """Take up a tick; what it says counts where it is the last of its five minutes and ``identity`` said it."""
        row = -(-(milliseconds(record.time) - self.begin_ms) // GRID_MS) - 1
        to, source = self._places_of(record.roster)
        for name, values in record.metrics.items():
            some = values[source]
            there = np.isfinite(some)
            sums = self._sums.setdefault(name, _Sums(*(np.zeros(self._shape, np.float32) for _ in range(2))))
            sums.total[row, to] += np.where(there, some, 0.0)
            sums.count[row, to] += there
            top = self.highest.setdefault(name, np.full(self._shape, np.nan, np.float32))
            top[row, to] = np.fmax(top[row, to], np.where(there, some, np.nan))
        for field, array in self._said.items():
            array[row, to] = getattr(record, field)[source] if record.model == identity else np.nan

    def _places_of(self, roster: Roster) -> tuple[Places, Places]:
        """Where the servers of a tick stand here, and there."""
        if roster.number not in self._places:
            known = [(self._place[name], there) for there, name in enumerate(roster.servers) if name in self._place]
            here, there = (np.array([pair[side] for pair in known], np.intp) for side in (0, 1))
            self._places = {roster.number: (here, there)}
        return self._places[roster.number]

    def means(self) -> Mapping[str, FloatArray]:
        """Metric → the mean of what is there; NaN where nothing is."""
        return {
            name: np.where(one.count > 0, one.total / np.maximum(one.count, 1), np.nan).astype(np.float32)
            for name, one in self._sums.items()
        }

    def window(self, metrics: Mapping[str, FloatArray]) -> Window:
        """These values on the grid."""
        nothing = {TARGETS[0]: np.full(self._shape, np.nan, np.float32)}
        start = np.datetime64(self.begin_ms + GRID_MS, "ms")
        return Window(start, STEP_SECONDS, self._roster.servers, self._roster.profiles, metrics or nothing)

    def said(self) -> Assessments:
        """What was said of single servers, as issued."""
        nothing = np.broadcast_to(np.float32(np.nan), self._shape)
        code = np.broadcast_to(np.int8(-1), (*self._shape, 2))
        usual = np.broadcast_to(np.float32(np.nan), (*self._shape, 2))
        fleet = np.broadcast_to(np.float32(np.nan), self._shape[:1])
        return Assessments(nothing, code, usual, fleet, fleet, *self._said.values())


def as_text(sums: SpanSums) -> str:
    """One span's sums as JSON; the numbers are exact."""
    plain = {
        "format": FORMAT,
        "forecasts": sums.forecasts[0],
        "covered": {name: values[0].tolist() for name, values in sums.covered.items()},
        "told": {name: values[0].tolist() for name, values in sums.told.items()},
    }
    return json.dumps(plain, separators=(",", ":"))


def joined(bodies: Mapping[int, str], last: int) -> SpanSums:
    """Consecutive spans from the first of these on, with nothing judged in those that are missing.

    :param bodies: span → what :func:`as_text` has made, at least one; what another version made counts as missing.
    :param last: the last span, or the last of ``bodies`` where that is later.
    """
    first = min(bodies)
    spans = max(last, *bodies) - first + 1
    sums = SpanSums(
        np.zeros(spans),
        {name: np.zeros((spans, 2)) for name in TARGETS},
        {name: np.zeros((spans, TOLD_WIDTH)) for name in HORIZON_SECONDS},
    )
    for span, body in bodies.items():
        one: dict[str, Any] = json.loads(body)
        if one.get("format") != FORMAT:
            continue
        sums.forecasts[span - first] = one["forecasts"]
        for part, given in ((sums.covered, one["covered"]), (sums.told, one["told"])):
            for name, values in part.items():
                values[span - first] = given[name]
    return sums
