"""What holds of the forecast for every fleet that hypothesis can think of: gaps, odd values, finer steps."""

from __future__ import annotations

from dataclasses import fields, replace
from functools import cache

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.unit.models.windows import fleet, with_metrics
from tft_dash.models.forecasting.ahead import forecast_of, ticks_needed
from tft_dash.models.forecasting.layout import LATE, SOON
from tft_dash.models.tft import TftModel
from tft_dash.schema import METRIC_NAMES, Assessments, Window

EACH = (1, 3, 5)
"""Ticks that make a step of five minutes: ticks of 300, 100 and 60 seconds."""
PER_SERVER = ("risk", "driver_metric", "driver_usual", "server_prob_30m", "server_prob_8h")

few = settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@cache
def model() -> TftModel:
    """The shipped one."""
    return TftModel()


@st.composite
def histories(draw: st.DrawFn) -> Window:
    """Up to 4 servers and 40 steps: values missing here and there, servers silent for a while, wild values."""
    each, servers = draw(st.sampled_from(EACH)), draw(st.integers(1, 4))
    names = draw(st.lists(st.sampled_from(METRIC_NAMES), min_size=1, max_size=8, unique=True))
    seed = draw(st.integers(0, 2**32 - 1))
    random = np.random.default_rng(seed)
    window = fleet(each * draw(st.integers(3, 40)), servers, step_seconds=300.0 / each, metrics=names, seed=seed)
    profiles = tuple(random.choice(["web", "api", "mainframe"], servers).tolist())
    silent = np.zeros((window.ticks, servers), bool)
    for _ in range(draw(st.integers(0, 3))):
        first = int(random.integers(window.ticks))
        silent[first : first + int(random.integers(1, 12 * each)), random.integers(servers)] = True
    missing = draw(st.sampled_from([0.0, 0.2, 0.7]))
    columns = {}
    for name, values in window.metrics.items():
        wild = np.where(random.random(values.shape) < 0.05, values * 20, values)
        gone = silent | (random.random(values.shape) < missing)
        columns[name] = np.where(gone, np.nan, wild).astype(np.float32)
    return replace(with_metrics(window, columns), profiles=profiles)


def demand_equal(one: Assessments, other: Assessments) -> None:
    for field in fields(one):
        np.testing.assert_array_equal(getattr(one, field.name), getattr(other, field.name), err_msg=field.name)


@few
@given(histories(), st.data())
def test_a_cut_recording_has_the_same_past_to_the_last_bit_and_a_live_tick_says_the_same(
    window: Window, data: st.DataObject
) -> None:
    ticks = data.draw(st.integers(1, window.ticks))
    whole, cut = model().assess_recording(window), model().assess_recording(window.until(ticks))
    last = model().assess(window.until(ticks))
    for field in fields(whole):
        past, now = getattr(whole, field.name)[:ticks], getattr(last, field.name)[0]
        np.testing.assert_array_equal(past, getattr(cut, field.name), err_msg=field.name)
        np.testing.assert_array_equal(past[-1], now, err_msg=field.name)


@few
@given(histories(), st.integers(0, 99))
def test_names_and_the_order_of_servers_and_the_script_change_nothing(window: Window, seed: int) -> None:
    order = np.random.default_rng(seed).permutation(len(window.servers))
    moved = with_metrics(window, {name: values[:, order] for name, values in reversed(window.metrics.items())})
    other = replace(
        moved,
        servers=tuple(f"renamed-{place}" for place in order),
        profiles=tuple(window.profiles[place] for place in order),
        phases=("peak",) * window.ticks,
    )
    before, after = model().assess_recording(window), model().assess_recording(other)
    for name in PER_SERVER:
        np.testing.assert_array_equal(getattr(after, name), getattr(before, name)[:, order], err_msg=name)
    demand_equal(
        replace(before, **{name: getattr(after, name) for name in PER_SERVER}),
        after,
    )


@few
@given(histories())
def test_what_is_said_is_possible_and_nothing_is_said_of_nothing(window: Window) -> None:
    said = model().assess_recording(window)
    for values in (said.risk, said.prob_30m, said.prob_8h, said.server_prob_8h):
        known = values[~np.isnan(values)]
        assert ((known >= 0) & (known <= 1)).all()
    told = ~np.isnan(said.server_prob_30m)
    assert (said.server_prob_8h[told] >= said.server_prob_30m[told]).all()
    ever = np.logical_or.accumulate(np.logical_or.reduce([~np.isnan(v) for v in window.metrics.values()]), axis=0)
    assert not told[~ever].any()


@few
@given(histories())
def test_a_servers_panel_says_what_the_frame_says(window: Window) -> None:
    said, tick = model().assess_recording(window), window.ticks - 1
    first = max(0, window.ticks - ticks_needed(window.step_seconds))
    for server in range(len(window.servers)):
        alone = replace(
            with_metrics(
                window, {name: values[first:, server : server + 1] for name, values in window.metrics.items()}
            ),
            start=window.start + np.timedelta64(round(first * window.step_seconds * 1000), "ms"),
            servers=window.servers[server : server + 1],
            profiles=window.profiles[server : server + 1],
        )
        found = forecast_of(model(), alone, tick, server)
        np.testing.assert_array_equal(found.prob_30m, said.server_prob_30m[tick, server])
        np.testing.assert_array_equal(found.prob_8h, said.server_prob_8h[tick, server])
        np.testing.assert_array_equal(found.chance[[SOON, LATE]], [found.prob_30m, found.prob_8h])
