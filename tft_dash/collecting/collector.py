"""The collector of one live source: poll, align, judge, record as issued; follow whoever leads; take over.

Where its memory and the store disagree, the store is right: a collector that was started again, that has lost the lead,
or whose record failed, gives its judge and its roster what is recorded, and goes on from there.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from tft_dash.assessing import fleet_figures
from tft_dash.collecting.judging import Judge, judge_for, spoken, values_of
from tft_dash.collecting.leading import Lead
from tft_dash.collecting.polling import BackOff, Due, FailedPollError, Polling
from tft_dash.collecting.recording import Recorder
from tft_dash.errors import LostLeadError, StorageError
from tft_dash.live.alignment import Grid, align
from tft_dash.live.clock import SteadyClock
from tft_dash.live.rosters import Rosters, TickValues
from tft_dash.live.samples import Samples
from tft_dash.models.base import RiskModel
from tft_dash.schema import Window
from tft_dash.store.live import Lease, LiveState, Poll, Rejections
from tft_dash.ticks import NO_COUNTS, Counts, Roster, TickRecord

logger = logging.getLogger(__name__)

STANDBY_SECONDS: Final = 2.0
LOOK_SECONDS: Final = 3.0
"""The store's clock is looked at so often, whether a tick is due or not."""
LEAST_WAIT_SECONDS: Final = 0.02
RECORDED_AT_ONCE: Final = 50
READ_AT_ONCE: Final = 200
LEAST_FORGET_TICKS: Final = 12
NO_SAMPLE_YET: Final = "The source answers, but has not had a sample yet."


@dataclass(frozen=True, slots=True)
class Plan:
    """How one source is collected.

    :param forget_seconds: a server silent for longer leaves the roster.
    """

    name: str
    step_seconds: float
    forget_seconds: float

    @property
    def step_ms(self) -> int:
        """The step in whole milliseconds."""
        return round(self.step_seconds * 1000)

    @property
    def forget_ticks(self) -> int:
        """How many ticks that is; never so few that a hiccup makes a server disappear."""
        return max(LEAST_FORGET_TICKS, round(self.forget_seconds / self.step_seconds))


class Collector:
    """Collects one source, one :meth:`round` after the other.

    :param model: gives the model that judges these servers now; another one takes over from the next tick on.
    :param store_clock: the clock of the store, steadied; :meth:`round` shows it what the store's is.
    """

    def __init__(
        self,
        plan: Plan,
        polling: Polling,
        lead: Lead,
        recorder: Recorder,
        *,
        model: Callable[[Roster], RiskModel],
        store_clock: SteadyClock,
    ) -> None:
        self._plan, self._polling, self._lead, self._recorder = plan, polling, lead, recorder
        self._model, self._clock = model, store_clock
        self._back_off, self._store_back_off = BackOff(plan.step_seconds), BackOff(plan.step_seconds)
        self._rosters = Rosters(plan.forget_ticks)
        self._judge: Judge | None = None
        self._grid: Grid | None = None
        self._at = -1
        self._pending: list[TickRecord] = []
        self._unsaid: Rejections = ()
        self._leads: bool | None = None
        self._longest_wait = polling.delay_seconds + 2 * plan.step_seconds
        self._said = ""

    def round(self) -> float:
        """Do what is to be done now; how many seconds later to come again."""
        try:
            wait = self._round()
        except LostLeadError as error:
            self._tell(str(error))
            self._lead.lose()
            self.start_over()
            return STANDBY_SECONDS
        except StorageError as error:
            self._tell(str(error))
            return self._store_back_off.failed()
        self._store_back_off.answered()
        return wait

    def close(self) -> None:
        """Let another lead at once."""
        self._lead.release()

    def _round(self) -> float:
        lease = self._lead.take()
        state = self._recorder.state()
        if state is None:
            raise LostLeadError(f"The history of '{self._plan.name}' was dropped; it begins anew.")
        self._clock.show(state.now)
        self._note_lead(lease, state)
        if lease is None or state.epoch != lease.epoch:
            if self._pending:  # what another leader has recorded in their place may differ
                self.start_over()
            self._catch_up(state, state.latest)
            return STANDBY_SECONDS
        self._catch_up(state, self._settle(lease, state))
        try:
            return self._poll(lease)
        except FailedPollError as error:
            self._tell(str(error))
            self._recorder.note(lease, Poll(str(error), answered=False))
            return self._back_off.failed()

    def _settle(self, lease: Lease, state: LiveState) -> int:
        """Write what was judged before and could not be recorded then, unless it was after all; the newest tick."""
        pending = [record for record in self._pending if record.tick > state.latest]
        if pending:
            self._record(lease, pending)
        self._done()
        return pending[-1].tick if pending else state.latest

    def _poll(self, lease: Lease) -> float:
        if self._grid is None:
            origin = self._polling.origin()
            self._back_off.answered()
            if origin is None:
                self._recorder.note(lease, Poll(NO_SAMPLE_YET))
                return min(self._plan.step_seconds, LOOK_SECONDS)
            self._grid = Grid(origin, self._plan.step_ms)
        grid = self._grid
        due = self._polling.due(grid, self._at, len(self._rosters.roster.servers))
        if due is not None:
            samples, over = self._polling.ask(grid, due)
            self._back_off.answered()
            if over is not None:
                self._take(lease, grid, over, samples)
                self._tell_of_progress(over)
        else:
            self._recorder.keep(lease, self._polling.now())
        if self._polling.seconds_until(grid, self._at + 1) > self._longest_wait:
            self._recorder.note(lease, Poll(self._tell_of_clock(grid)))
        return self._wait(grid)

    def _wait(self, grid: Grid) -> float:
        left = self._polling.seconds_until(grid, self._at + 1)
        return float(np.clip(left, LEAST_WAIT_SECONDS, LOOK_SECONDS))

    def _take(self, lease: Lease, grid: Grid, due: Due, samples: Samples) -> None:
        """Judge and record these ticks, some at a time."""
        aligned = align(samples, grid, due.first, due.last, self._polling.now())
        self._unsaid = tuple((one.rule, one.count, one.examples) for one in samples.rejected)
        counts = aligned.counts
        judge: Judge | None = None
        for first in range(0, aligned.ticks, RECORDED_AT_ONCE):
            for row in range(first, min(first + RECORDED_AT_ONCE, aligned.ticks)):
                values = self._rosters.take(aligned, row)
                # Once it is known who is in the fleet: a fleet's own calibration fits no other.
                judge = judge or self._ready_judge(grid)
                self._pending.append(self._judged(grid, judge, values, counts))
                counts = NO_COUNTS
            self._record(lease, self._pending)
            self._done()
            self._lead.beat()

    def _record(self, lease: Lease, records: Sequence[TickRecord]) -> None:
        totals = sum((record.counts for record in records), NO_COUNTS)
        self._recorder.record(lease, records, Poll(counts=totals, rejections=self._unsaid, clock=self._polling.now()))

    def _done(self) -> None:
        self._pending.clear()
        self._unsaid = ()

    def _judged(self, grid: Grid, judge: Judge, values: TickValues, counts: Counts) -> TickRecord:
        said = spoken(judge.judge(values), values.silent_ticks > 0)
        self._at = values.tick
        return TickRecord(
            source=self._plan.name,
            tick=values.tick,
            time=grid.time_of(values.tick),
            issued=self._clock.now(),
            model=judge.identity,
            roster=values.roster,
            metrics=values.metrics,
            states=values.states,
            risk=said.risk,
            driver_metric=said.driver_metric,
            driver_usual=said.driver_usual,
            server_prob_30m=said.server_prob_30m,
            server_prob_8h=said.server_prob_8h,
            prob_30m=said.prob_30m,
            prob_8h=said.prob_8h,
            **_figures(values),
            reporting=values.reporting,
            silent_ticks=values.silent_ticks,
            counts=counts,
        )

    def _catch_up(self, state: LiveState, latest: int) -> None:
        """Know what is recorded up to ``latest``: the judge its history, the roster who is in it."""
        if state.origin is None:
            if latest < 0:
                self._grid = None
            return
        grid = Grid(state.origin, self._plan.step_ms)
        judge = self._ready_judge(grid)
        first = self._at + 1
        if self._at < 0 or self._at > latest or latest - self._at > judge.history_ticks:
            self.start_over()
            judge = self._ready_judge(grid)
            first = max(0, latest - judge.history_ticks + 1)
        self._grid = grid
        self._follow(judge, first, latest)

    def _follow(self, judge: Judge, first: int, last: int) -> None:
        for start in range(first, last + 1, READ_AT_ONCE):
            records = self._recorder.ticks(start, min(start + READ_AT_ONCE - 1, last))
            self._follow_records(judge, records)
        self._at = last

    def _follow_records(self, judge: Judge, records: Sequence[TickRecord]) -> None:
        if records and self._at < 0:
            self._rosters.resume(records)
        for record in records:
            judge.judge(values_of(record))
            self._rosters.follow(record)
            self._at = record.tick
        self._lead.beat()

    def _ready_judge(self, grid: Grid) -> Judge:
        """The judge by the model of the moment; a new model is first given what the last one knew."""
        model = self._model(self._rosters.roster)
        if self._judge is None or self._judge.identity != model.card.identity:
            before, self._judge = self._judge, judge_for(model, grid)
            if before is not None and self._at >= 0:
                first = max(0, self._at - self._judge.history_ticks + 1)
                for start in range(first, self._at + 1, READ_AT_ONCE):
                    for record in self._recorder.ticks(start, min(start + READ_AT_ONCE - 1, self._at)):
                        self._judge.judge(values_of(record))
        return self._judge

    def start_over(self) -> None:
        """Forget everything: the next round reads what is recorded."""
        self._judge, self._grid, self._at = None, None, -1
        self._rosters = Rosters(self._plan.forget_ticks)
        self._done()

    def _note_lead(self, lease: Lease | None, state: LiveState) -> None:
        leads = lease is not None
        if leads != self._leads:
            self._leads = leads
            logger.info("%s: %s", self._plan.name, "leads" if leads else f"ready; {state.holder} leads")

    def _tell(self, problem: str) -> None:
        """A problem, once."""
        if problem != self._said:
            self._said = problem
            logger.warning("%s: %s", self._plan.name, problem)

    def _tell_of_clock(self, grid: Grid) -> str:
        problem = (
            f"The clock shows {self._polling.now()} UTC, but tick {self._at} of {grid.time_of(self._at)} is recorded: "
            "it was set back. Ticks go on when it has passed that time."
        )
        self._tell(problem.replace(str(self._polling.now()), "an earlier time"))
        return problem

    def _tell_of_progress(self, due: Due) -> None:
        if self._said:
            logger.info("%s: records again, from tick %d on", self._plan.name, due.first)
            self._said = ""
        elif due.last > due.first + 1:
            logger.info("%s: back-filled ticks %d to %d", self._plan.name, due.first, due.last)


def _figures(values: TickValues) -> dict[str, float]:
    metrics = {name: column[None, :] for name, column in values.metrics.items()}
    window = Window(np.datetime64(0, "ms"), 1.0, (), (), metrics or {"cpu_pct": np.full((1, 1), np.nan, np.float32)})
    return {name: float(figure[0]) for name, figure in fleet_figures(window).items()}
