"""A model that judges one tick after the other, as they come.

Adaptive thresholds are carried on from tick to tick: judging the whole window anew at each tick would cost a thousand
servers a second of processor time for every hour of history. What is carried on gives, to the bit, what the model says
of the whole window. Any other model is asked about the window that it needs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from tft_dash.live.alignment import Grid
from tft_dash.live.rosters import TickValues
from tft_dash.models.base import RiskModel
from tft_dash.models.baseline import Baseline
from tft_dash.models.calibrated.model import CalibratedModel
from tft_dash.models.grading import Grading
from tft_dash.models.normal import Normal
from tft_dash.models.outlook import Outlook
from tft_dash.models.scales import Scales
from tft_dash.models.thresholds import Judgement, ThresholdModel, drivers, rows
from tft_dash.schema import METRIC_NAMES, Assessments, CodeArray, FloatArray, Window
from tft_dash.ticks import NO_ROSTER, Roster, TickRecord

Places = NDArray[np.intp]

HISTORY_SECONDS: Final = 24 * 3600.0
HISTORY_TICKS: Final = 2880
"""After a restart adaptive thresholds look back so far, whichever is less: a day, or four hours at a step of 5 s."""
FORECAST_SECONDS: Final = 9 * 3600.0
"""The forecast reads 8 hours, and lets a silent server keep its last word for a quarter of an hour."""
_LEAST_ROOM: Final = 16


@dataclass(frozen=True, slots=True)
class Said:
    """What a model says of one tick; arrays are (servers,) and (servers, 2), see :class:`TickRecord`.

    :param tells_servers: whether the model has probabilities of single servers.
    """

    risk: FloatArray
    driver_metric: CodeArray
    driver_usual: FloatArray
    server_prob_30m: FloatArray
    server_prob_8h: FloatArray
    prob_30m: float
    prob_8h: float
    tells_servers: bool


def spoken(said: Said, silent: NDArray[np.bool_]) -> Said:
    """What is recorded of that: nothing of a server that is silent, and nothing of a fleet that is silent as a whole.

    A model goes on for a few ticks with what it knew. That is right for what it says afterwards, but on a page it would
    pass for news of a server from which there is none.
    """
    if not silent.any():
        return said
    nothing = np.float32(np.nan)
    return replace(
        said,
        risk=np.where(silent, nothing, said.risk),
        driver_metric=np.where(silent[:, None], np.int8(-1), said.driver_metric),
        driver_usual=np.where(silent[:, None], nothing, said.driver_usual),
        server_prob_30m=np.where(silent, nothing, said.server_prob_30m),
        server_prob_8h=np.where(silent, nothing, said.server_prob_8h),
        prob_30m=float("nan") if silent.all() else said.prob_30m,
        prob_8h=float("nan") if silent.all() else said.prob_8h,
    )


class Judge(Protocol):
    """Judges ticks in order; ticks may be missing between two, never come back.

    :ivar identity: of the model's card.
    :ivar history_ticks: how many ticks before the next one it must have been given to be itself again.
    """

    identity: str
    history_ticks: int

    def judge(self, values: TickValues) -> Said:
        """What there is to say of a tick, given all ticks before it."""
        ...


def judge_for(model: RiskModel, grid: Grid) -> Judge:
    """The judge that says what ``model`` says."""
    if isinstance(model, CalibratedModel):
        return RestatingJudge(model, judge_for(model.base, grid))
    if type(model) is ThresholdModel:
        return ThresholdJudge(model, grid)
    return WindowJudge(model, grid)


class ThresholdJudge:
    """The model ``thresholds``, carried on from tick to tick.

    Every server has a place of its own in the model's arrays, with room for those that will appear. A place without a
    sample says nothing and changes nothing for the others: the model's arithmetic is element-wise.
    """

    def __init__(self, model: ThresholdModel, grid: Grid) -> None:
        self.identity = model.card.identity
        self._grid, self._step_seconds = grid, grid.step_ms / 1000
        self.history_ticks = max(1, min(HISTORY_TICKS, round(HISTORY_SECONDS / self._step_seconds)))
        self._scales = Scales(METRIC_NAMES)
        self._outlook = Outlook(self._step_seconds)
        self._places: dict[str, int] = {}
        self._room = _LEAST_ROOM
        self._grading = self._new_grading()
        self._last: int | None = None
        self._placed: tuple[Roster, Places] | None = None

    def judge(self, values: TickValues) -> Said:
        """See :meth:`Judge.judge`. Ticks that were left out count as ticks without a sample."""
        order = self._places_of(values.roster)
        missed = 0 if self._last is None else values.tick - self._last - 1
        for _ in range(min(missed, self.history_ticks)):
            self._go_on({}, order)
        self._last = values.tick
        found = self._go_on(values.metrics, order)
        nothing = np.full(len(order), np.nan, np.float32)
        return Said(
            found.risk[order].astype(np.float32),
            found.driver_metric[order],
            found.driver_usual[order].astype(np.float32),
            nothing,
            nothing,
            float(np.float32(found.prob_30m)),
            float(np.float32(found.prob_8h)),
            tells_servers=False,
        )

    def _go_on(self, metrics: Mapping[str, FloatArray], order: Places) -> Judgement:
        columns = {name: np.full((1, self._room), np.nan, np.float32) for name in METRIC_NAMES}
        for name, values in metrics.items():
            columns[name][0, order] = values
        window = Window(self._grid.origin, self._step_seconds, (), (), columns)
        measured, stretched, present = next(iter(rows(window, list(METRIC_NAMES), self._scales)))
        grade = self._grading.grade(measured, stretched, present)
        metric, usual = drivers(grade, self._grading.baseline, self._scales)
        return Judgement(grade.risk, metric, usual, *self._outlook.look(grade.risk))

    def _places_of(self, roster: Roster) -> Places:
        """Each server's place; those that are new get one."""
        if self._placed is None or self._placed[0].number != roster.number:
            new = [name for name in roster.servers if name not in self._places]
            if len(self._places) + len(new) > self._room:
                self._make_room(roster)
            for name in new:
                self._places[name] = len(self._places)
            self._placed = roster, np.array([self._places[name] for name in roster.servers], np.intp)
        return self._placed[1]

    def _make_room(self, roster: Roster) -> None:
        """Twice the room that the roster needs; who has left it is forgotten, the others keep what was learnt."""
        kept = [name for name in roster.servers if name in self._places]
        places = np.array([self._places[name] for name in kept], np.intp)
        before, old_room = self._grading, self._room
        self._room = 2 * len(roster.servers)
        self._grading = self._new_grading()
        _carry(before, self._grading, places, old_room)
        self._places = {name: place for place, name in enumerate(kept)}

    def _new_grading(self) -> Grading:
        return Grading(self._scales, self._room, self._step_seconds)


def _carry(old: object, new: object, places: Places, room: int) -> None:
    """Put what ``old`` has learnt at ``places`` to the first places of ``new``: every array with ``room`` columns."""
    for name, value in vars(old).items():
        if isinstance(value, np.ndarray) and value.shape[-1] == room:
            vars(new)[name][..., : len(places)] = value[..., places]
        elif isinstance(value, Baseline | Normal):
            _carry(value, vars(new)[name], places, room)


class WindowJudge:
    """Any model, asked about the window that it needs; the window is held in memory, 4 bytes for each value.

    The forecast of 1,000 servers at a step of 5 s holds 9 hours of 5 metrics: 130 MB.
    """

    def __init__(self, model: RiskModel, grid: Grid) -> None:
        card = model.card
        step = grid.step_ms / 1000
        declared = card.context_ticks * (card.step_seconds or step)
        seconds = FORECAST_SECONDS if card.forecasts else declared
        self.identity = card.identity
        self.history_ticks = max(1, int(np.ceil(seconds / step)))
        self._model, self._grid = model, grid
        self._roster = NO_ROSTER
        self._window: dict[str, FloatArray] = {}
        self._filled = 0
        self._last: int | None = None

    def judge(self, values: TickValues) -> Said:
        """See :meth:`Judge.judge`."""
        missed = 0 if self._last is None else values.tick - self._last - 1
        for _ in range(min(missed, self.history_ticks)):
            self._append({})
        if values.roster.number != self._roster.number:
            self._reorder(values.roster)
        self._append(values.metrics)
        self._last = values.tick
        return _said(self._model.assess(self._now(values.tick)))

    def _append(self, metrics: Mapping[str, FloatArray]) -> None:
        """One more tick at the end. The arrays have twice the room, so that they are moved only now and then."""
        size = len(self._roster.servers)
        for name in metrics:
            if name not in self._window:
                self._window[name] = np.full((2 * self.history_ticks, size), np.nan, np.float32)
        if self._filled == 2 * self.history_ticks:
            for array in self._window.values():
                array[: self.history_ticks] = array[self.history_ticks :]
            self._filled = self.history_ticks
        for name, array in self._window.items():
            array[self._filled] = metrics.get(name, np.nan)
        self._filled += 1

    def _reorder(self, roster: Roster) -> None:
        places = {name: place for place, name in enumerate(self._roster.servers)}
        kept = [(place, places[name]) for place, name in enumerate(roster.servers) if name in places]
        to, source = ([pair[side] for pair in kept] for side in (0, 1))
        for name, array in self._window.items():
            moved = np.full((len(array), len(roster.servers)), np.nan, np.float32)
            moved[:, to] = array[:, source]
            self._window[name] = moved
        self._roster = roster

    def _now(self, tick: int) -> Window:
        first = max(0, self._filled - self.history_ticks)
        metrics = {name: array[first : self._filled] for name, array in self._window.items()}
        start = self._grid.time_of(tick - (self._filled - first) + 1)
        if not metrics:
            nothing = np.full((self._filled - first, len(self._roster.servers)), np.nan, np.float32)
            metrics = {self._model.card.metrics[0]: nothing}
        return Window(start, self._grid.step_ms / 1000, self._roster.servers, self._roster.profiles, metrics)


class RestatingJudge:
    """A judge whose probabilities are restated as the fleet's own history has taught."""

    def __init__(self, model: CalibratedModel, base: Judge) -> None:
        self.identity = model.card.identity
        self.history_ticks = base.history_ticks
        self._model, self._base = model, base

    def judge(self, values: TickValues) -> Said:
        """See :meth:`Judge.judge`."""
        said = self._base.judge(values)
        answer = Assessments(
            said.risk[None],
            said.driver_metric[None],
            said.driver_usual[None],
            np.array([said.prob_30m], np.float32),
            np.array([said.prob_8h], np.float32),
            *(part for part in (said.server_prob_30m[None], said.server_prob_8h[None]) if said.tells_servers),
        )
        return _said(self._model.restated(answer))


def _said(answer: Assessments) -> Said:
    return Said(
        answer.risk[0],
        answer.driver_metric[0],
        answer.driver_usual[0],
        np.array(answer.server_prob_30m[0]),
        np.array(answer.server_prob_8h[0]),
        float(answer.prob_30m[0]),
        float(answer.prob_8h[0]),
        tells_servers=answer.tells_servers,
    )


def values_of(record: TickRecord) -> TickValues:
    """What was measured at a recorded tick."""
    return TickValues(record.tick, record.roster, record.metrics, record.states, record.silent_ticks)
