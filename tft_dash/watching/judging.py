"""A recording's forecasts held against the recording itself: the arrays that :mod:`tft_dash.watching.sums` adds up."""

from __future__ import annotations

from datetime import UTC, tzinfo
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from tft_dash.calibrating.cases import HORIZON_SECONDS
from tft_dash.calibrating.truth import Truth, of_crossings
from tft_dash.models.forecasting.calibration import HorizonName
from tft_dash.models.forecasting.inputs import blocks, inputs_of, profile_codes
from tft_dash.models.forecasting.layout import CONTEXT, NODES, QUANTILES, STEP_SECONDS, TARGETS
from tft_dash.progress import Progress
from tft_dash.schema import Assessments, FloatArray, Window
from tft_dash.watching.sums import JudgedBands, JudgedChances, Reals

if TYPE_CHECKING:
    from tft_dash.models.forecasting.runtime import Runtime

ISSUED_SECONDS: Final = 3600.0
"""Bands are judged once an hour: nearer ones say much the same."""
MOST_FORECASTS: Final = 20_000
"""More bands than this are thinned out evenly: some ten seconds of one processor."""
TICKS_AT_ONCE: Final = 64
SERVERS_AT_ONCE: Final = 64
_LOW, _HIGH = QUANTILES.index(0.1), QUANTILES.index(0.9)
_AHEAD: Final = np.array(NODES, np.int64)


def judged_chances(said: Assessments, window: Window) -> dict[HorizonName, JudgedChances]:
    """Every stated probability of a server whose horizon has passed, every five minutes."""
    truth = of_crossings(window)
    stated: dict[HorizonName, FloatArray] = {"30m": said.server_prob_30m, "8h": said.server_prob_8h}
    return {
        horizon: _judged(stated[horizon], truth, ahead, window.step_seconds)
        for horizon, ahead in HORIZON_SECONDS.items()
    }


def _judged(chance: FloatArray, truth: Truth, ahead: float, step_seconds: float) -> JudgedChances:
    ticks = np.arange(0, len(chance), max(1, round(STEP_SECONDS / step_seconds)))
    some = chance[ticks]
    tick, server = np.nonzero(truth.counted[ticks] & (truth.known[ticks] >= ahead) & ~np.isnan(some))
    happened = truth.until[ticks][tick, server] <= ahead
    return JudgedChances(
        (ticks[tick] * step_seconds + ahead).astype(np.float64), some[tick, server].astype(np.float64), happened
    )


def judged_bands(runtime: Runtime, window: Window, progress: Progress, zone: tzinfo = UTC) -> JudgedBands:
    """The 80 % bands of forecasts issued once an hour, and how many of the values that followed lay within.

    :param zone: by whose clock the fleet's days run.
    :raises DataError: the window's step is not one that the forecast can be asked about.
    """
    inputs = inputs_of(window, zone)
    ends = _issued(window, inputs.each)
    codes = profile_codes(window.profiles)
    seconds: list[Reals] = []
    inside: dict[str, list[Reals]] = {name: [] for name in TARGETS}
    known: dict[str, list[Reals]] = {name: [] for name in TARGETS}
    width = len(window.servers)
    for number, servers in enumerate(blocks(width, SERVERS_AT_ONCE)):
        smooth = {name: _means(window, name, servers, inputs.each) for name in TARGETS}
        for rows in blocks(len(ends), TICKS_AT_ONCE):
            at = ends[rows]
            tick, server = _reporting(cut := inputs.steps(at, servers).cut(at))
            found = runtime.run(cut[tick, server], codes[servers][server], inputs.minutes(at)[tick]).quantiles
            seconds.append((at[tick] * window.step_seconds + NODES[-1] * STEP_SECONDS).astype(np.float64))
            later = at[tick][:, None] + _AHEAD * inputs.each
            for place, name in enumerate(TARGETS):
                values = smooth[name][later, server[:, None]]
                there = ~np.isnan(values)
                held = (values >= found[:, :, place, _LOW]) & (values <= found[:, :, place, _HIGH])
                inside[name].append((held & there).sum(axis=1).astype(np.float64))
                known[name].append(there.sum(axis=1).astype(np.float64))
            progress((number + (rows.stop / max(len(ends), 1))) * SERVERS_AT_ONCE / max(width, SERVERS_AT_ONCE))
    return JudgedBands(_end_to_end(seconds), *({name: _end_to_end(parts[name]) for name in TARGETS} for parts in (
        inside, known,
    )))  # fmt: skip


def _issued(window: Window, each: int) -> NDArray[np.int64]:
    """The ticks at which bands are judged: a whole context before, a whole horizon behind."""
    hour = max(1, round(ISSUED_SECONDS / window.step_seconds))
    first, behind = CONTEXT * each - 1, window.ticks - NODES[-1] * each
    count = max(0, -(-(behind - first) // hour)) * len(window.servers)
    return np.arange(first, max(behind, first), hour * max(1, -(-count // MOST_FORECASTS)), dtype=np.int64)


def _reporting(windows: FloatArray) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """(tick, server) of the windows that were reported throughout most of their time, now included."""
    there = np.any(~np.isnan(windows), axis=-1)
    tick, server = np.nonzero(there[:, :, -1] & (there.mean(axis=-1) >= 0.5))
    return tick, server


def _means(window: Window, name: str, servers: slice, each: int) -> FloatArray:
    """(ticks, servers) the mean of what is there of the five minutes that end at each tick; NaN where nothing is."""
    values = window.metrics.get(name)
    if values is None:
        width = len(range(*servers.indices(len(window.servers))))
        return np.full((window.ticks, width), np.nan, np.float32)
    some = np.asarray(values[:, servers], np.float64)
    there = np.isfinite(some)
    if each == 1:
        return np.where(there, some, np.nan).astype(np.float32)
    total, count = (np.cumsum(part, axis=0) for part in (np.where(there, some, 0.0), there))
    total[each:], count[each:] = total[each:] - total[:-each].copy(), count[each:] - count[:-each].copy()
    return np.where(count > 0, total / np.maximum(count, 1), np.nan).astype(np.float32)


def _end_to_end(parts: list[Reals]) -> Reals:
    return np.concatenate(parts) if parts else np.zeros(0)
