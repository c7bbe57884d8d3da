"""The risk model ``tft``: a trained Temporal Fusion Transformer, run from its artefact on ONNX Runtime.

A server's risk is its P(critical within 30 minutes), and 1 while it is critical. The fleet's probabilities hold the
servers for independent: 1 − Π(1 − p) over those that have a forecast.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, fields
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tft_dash.frame import SourceDescription
from tft_dash.models.forecasting.artefact import Artefact
from tft_dash.models.forecasting.inputs import (
    FRESH_SECONDS,
    HELD_STEPS,
    LEAST_STEPS,
    TICKS_AT_ONCE,
    Inputs,
    blocks,
    critical_at,
    inputs_of,
    profile_codes,
    step_problem,
)
from tft_dash.models.forecasting.layout import INPUTS, STEP_SECONDS
from tft_dash.models.forecasting.reasons import reasons
from tft_dash.models.forecasting.runtime import CHUNK, Runtime
from tft_dash.models.forecasting.shelf import shipped_artefact
from tft_dash.progress import Progress, silent
from tft_dash.schema import (
    DRIVERS_PER_SERVER,
    Assessments,
    CodeArray,
    FloatArray,
    ModelCard,
    Window,
)
from tft_dash.zones import zone_of

SERVERS_AT_ONCE: Final = 512
WINDOWS_AT_ONCE: Final = 16 * CHUNK
"""These bound the memory, whatever the fleet's size and the recording's length: some 30 MB."""


@dataclass(frozen=True, slots=True)
class _Said:
    """What is said at some ticks; (ticks, servers) and (ticks, servers, 2), NaN = nothing, -1 = no driver.

    :param reported: whether the server reported in the step that ends at the tick.
    """

    soon: FloatArray
    late: FloatArray
    driver_metric: CodeArray
    driver_usual: FloatArray
    reported: NDArray[np.bool_]

    @classmethod
    def nothing(cls, ticks: int, servers: int) -> _Said:
        return cls(
            np.full((ticks, servers), np.nan, np.float32),
            np.full((ticks, servers), np.nan, np.float32),
            np.full((ticks, servers, DRIVERS_PER_SERVER), -1, np.int8),
            np.full((ticks, servers, DRIVERS_PER_SERVER), np.nan, np.float32),
            np.zeros((ticks, servers), bool),
        )

    def put(self, row: int, cells: NDArray[np.bool_], other: _Said, other_row: int) -> None:
        """Take over some servers of a row of ``other``."""
        for each in fields(self):
            if each.name != "reported":
                getattr(self, each.name)[row][cells] = getattr(other, each.name)[other_row][cells]


@dataclass(frozen=True, slots=True)
class _Facts:
    """What goes into a forecast beside the windows.

    :param codes: (servers,) profiles.
    :param minutes: (ticks,) of the week.
    :param critical: (ticks, servers) whether a server is critical at the tick itself.
    """

    codes: NDArray[np.int64]
    minutes: NDArray[np.float32]
    critical: NDArray[np.bool_]


class TftModel:
    """A forecast model from its artefact; the newest shipped one by default.

    :param zone: the name of the zone by whose clock the fleet's days run; "" = UTC.
    :raises ValueError: there is no such zone.
    """

    def __init__(self, artefact: Artefact | None = None, zone: str = "") -> None:
        self.artefact = artefact or shipped_artefact()
        self.runtime = Runtime(self.artefact)
        self.zone = zone_of(zone or "UTC")
        self.card = _card(self.artefact, zone)

    def fits(self, about: SourceDescription) -> str | None:
        """Why it cannot answer for a source, as the rest of a sentence; None = it can."""
        if not set(about.metrics) & set(INPUTS):
            return "it has none of the metrics that the forecast reads"
        return self.suits(about.step_seconds, about.ticks)

    def suits(self, step_seconds: float, ticks: int | None) -> str | None:
        """The same for a recording of so many ticks; None = it goes on for ever."""
        problem = step_problem(step_seconds)
        if problem is not None:
            return problem
        span = (ticks or 0) * step_seconds
        if ticks is not None and span < LEAST_STEPS * STEP_SECONDS:
            return (
                f"it is {span / 60:.3g} minutes long, and the forecast needs an hour of history before it can say "
                "anything"
            )
        return None

    def windows(self, about: SourceDescription) -> int:
        """How many windows the whole of a source is judged by; each costs about half a millisecond."""
        fresh = max(1.0, FRESH_SECONDS / about.step_seconds)
        return round((about.ticks or 0) / fresh) * len(about.servers)

    def assess(self, window: Window) -> Assessments:
        """The last tick of ``window``.

        :raises DataError: the window's step is not one that the forecast can be asked about.
        """
        inputs = inputs_of(window, self.zone)
        fresh = inputs.fresh_ticks()
        said = _Said.nothing(min(window.ticks, 1), len(window.servers))
        if window.ticks:
            waiting = np.ones(len(window.servers), bool)
            held = fresh[fresh >= fresh[-1] - HELD_STEPS * inputs.each]
            for tick in held[::-1]:
                now = self._said(inputs, np.array([tick]), waiting)
                answered = waiting & now.reported[0]
                said.put(0, answered, now, 0)
                waiting &= ~answered
                if not waiting.any():
                    break
        return _told(said, window, window.ticks - said.soon.shape[0], np.zeros(said.soon.shape[0], np.int64))

    def assess_recording(self, recording: Window, progress: Progress = silent) -> Assessments:
        """Every tick of a recording.

        :raises DataError: the recording's step is not one that the forecast can be asked about.
        """
        inputs = inputs_of(recording, self.zone)
        fresh = inputs.fresh_ticks()
        said = self._said(inputs, fresh, np.ones(len(recording.servers), bool), progress)
        _hold(said, fresh, HELD_STEPS * inputs.each)
        rows = np.searchsorted(fresh, np.arange(recording.ticks), side="right") - 1
        answer = _told(said, recording, 0, rows)
        progress(1.0)
        return answer

    def _said(
        self, inputs: Inputs, ends: NDArray[np.int64], servers: NDArray[np.bool_], progress: Progress = silent
    ) -> _Said:
        """The forecast at these ticks for the servers asked about, where they report and have enough history."""
        said = _Said.nothing(len(ends), len(servers))
        facts = _Facts(profile_codes(inputs.window.profiles), inputs.minutes(ends), critical_at(inputs.window, ends))
        done, whole = 0, max(len(ends) * len(servers), 1)
        for columns in blocks(len(servers), SERVERS_AT_ONCE):
            for rows in blocks(len(ends), TICKS_AT_ONCE):
                steps = inputs.steps(ends[rows], columns)
                width = columns.stop - columns.start
                for some in blocks(rows.stop - rows.start, max(1, WINDOWS_AT_ONCE // width)):
                    here = slice(rows.start + some.start, rows.start + some.stop)
                    self._say(said, steps.cut(ends[here]), (here, columns), servers[columns], facts)
                    done += width * (here.stop - here.start)
                    progress(0.99 * done / whole)
        return said

    def _say(
        self, said: _Said, windows: FloatArray, at: tuple[slice, slice], servers: NDArray[np.bool_], facts: _Facts
    ) -> None:
        """Put into ``said`` what there is to say of ``windows`` (ticks, servers, 96, 8), which lie ``at`` its place."""
        there: NDArray[np.bool_] = np.any(~np.isnan(windows), axis=-1)
        said.reported[at] = there[:, :, -1]
        tick, server = np.nonzero(there[:, :, -1] & (there.sum(axis=-1) >= LEAST_STEPS) & servers)
        if not len(tick):
            return
        some, rows, columns = windows[tick, server], tick + at[0].start, server + at[1].start
        chance = self.runtime.chance(some, facts.codes[columns], facts.minutes[rows])
        soon, late = self.artefact.calibration.apply_nodes(chance)
        is_critical = facts.critical[rows, columns]
        said.soon[rows, columns] = np.where(is_critical, 1.0, soon)
        said.late[rows, columns] = np.where(is_critical, 1.0, late)
        said.driver_metric[rows, columns], said.driver_usual[rows, columns] = reasons(some)


def _hold(said: _Said, ticks: NDArray[np.int64], longest: int) -> None:
    """Let silent servers keep their last answer for ``longest`` ticks."""
    if not len(ticks):
        return
    last = np.full(said.soon.shape[1], -1, np.int64)
    for row in range(len(ticks)):
        silent_now = ~said.reported[row]
        for source in np.unique(last[silent_now & (last >= 0)]):
            if ticks[row] - ticks[source] <= longest:
                said.put(row, silent_now & (last == source), said, int(source))
        last[~silent_now] = row


def _told(said: _Said, window: Window, first: int, rows: NDArray[np.int64]) -> Assessments:
    """The ticks from ``first`` on, each as its row of ``said`` tells; critical now is critical for certain."""
    soon, late = said.soon[rows], said.late[rows]
    now = critical_at(window, np.arange(first, window.ticks)) & ~np.isnan(soon)
    soon[now] = late[now] = 1.0
    np.maximum(late, soon, out=late)
    return Assessments(
        risk=soon,
        driver_metric=said.driver_metric[rows],
        driver_usual=said.driver_usual[rows],
        prob_30m=_any_of(soon),
        prob_8h=_any_of(late),
        server_prob_30m=soon,
        server_prob_8h=late,
    )


def _any_of(chance: FloatArray) -> FloatArray:
    """(ticks,) P(at least one), servers independent; NaN where none has a chance.

    Sorted before anything is added up: the order of servers does not change even the last bit.
    """
    with np.errstate(divide="ignore"):
        logs = np.log1p(-chance.astype(np.float64))
    known = ~np.isnan(logs)
    total = np.sort(np.where(known, logs, 0.0), axis=1).sum(axis=1)
    return np.where(known.any(axis=1), -np.expm1(total), np.nan).astype(np.float32)


def _card(artefact: Artefact, zone: str) -> ModelCard:
    made = artefact.card
    clock = f" The hours of the day are those of {zone}." if zone else ""
    # The same model by another clock says something else: neither may be taken for the other.
    digest = hashlib.sha256(f"{artefact.digest} {zone}".encode()).hexdigest() if zone else artefact.digest
    origin = "simulated fleets" if made.trained_on.simulated else "recorded fleets"
    return ModelCard(
        name="tft",
        title=made.title,
        version=made.version,
        summary="Forecasts each server 8 hours ahead from its last 8 hours, in steps of 5 minutes; learnt on "
        f"{origin}. A risk is the probability that the server turns critical within 30 minutes; the fleet's "
        f"probabilities hold its servers for independent.{clock}",
        calibrated=artefact.calibration.rows > 0,
        uses_labels=False,
        step_seconds=STEP_SECONDS,
        context_ticks=LEAST_STEPS,
        horizons_minutes=(30, 480),
        metrics=INPUTS,
        trained_on=made.trained_on.description,
        simulated=made.trained_on.simulated,
        forecasts=True,
        digest=digest,
    )
