"""What holds for every window that hypothesis can think of."""

from __future__ import annotations

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.unit.models.windows import fleet, with_metrics
from tft_dash.models.thresholds import ThresholdModel
from tft_dash.schema import ASSESSMENT_FIELDS, METRIC_NAMES, Window

STEPS = (1.0, 5.0, 15.0, 60.0, 300.0, 3600.0)


@st.composite
def windows(draw: st.DrawFn) -> Window:
    """Fleets of up to 4 servers and 30 ticks with steps, spikes, ramps and holes at random places."""
    metrics = draw(st.lists(st.sampled_from(METRIC_NAMES), min_size=1, max_size=4, unique=True))
    seed = draw(st.integers(0, 2**32 - 1))
    random = np.random.default_rng(seed)
    window = fleet(
        draw(st.integers(1, 30)),
        draw(st.integers(1, 4)),
        step_seconds=draw(st.sampled_from(STEPS)),
        metrics=metrics,
        noise=draw(st.sampled_from([0.0, 0.05, 0.5, 3.0])),
        seed=seed,
    )
    missing = draw(st.sampled_from([0.0, 0.2, 0.9]))
    columns = {}
    for name, values in window.metrics.items():
        wild = random.random(values.shape) < draw(st.sampled_from([0.0, 0.1]))
        level = np.where(wild, values * random.choice([0.0, 3.0, 100.0], values.shape), values)
        columns[name] = np.where(random.random(values.shape) < missing, np.nan, np.maximum(level, 0)).astype(np.float32)
    return with_metrics(window, columns)


quick = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)


@quick
@given(windows(), st.data())
def test_the_past_never_depends_on_the_future(window: Window, data: st.DataObject) -> None:
    ticks = data.draw(st.integers(1, window.ticks))
    whole, cut = (ThresholdModel().assess_recording(part) for part in (window, window.until(ticks)))
    last = ThresholdModel().assess(window.until(ticks))
    for name in ASSESSMENT_FIELDS:
        np.testing.assert_array_equal(getattr(whole, name)[:ticks], getattr(cut, name), err_msg=name)
        np.testing.assert_array_equal(getattr(last, name)[0], getattr(cut, name)[-1], err_msg=name)


@quick
@given(windows())
def test_answers_are_numbers_from_0_to_1_or_missing(window: Window) -> None:
    answer = ThresholdModel().assess_recording(window)
    for values in (answer.risk, answer.prob_30m, answer.prob_8h):
        known = values[~np.isnan(values)]
        assert (known >= 0).all()
        assert (known <= 1).all()
    told = ~np.isnan(answer.prob_30m)
    assert (told == ~np.isnan(answer.prob_8h)).all()
    assert (answer.prob_8h[told] >= answer.prob_30m[told]).all()
    assert (told == ~np.isnan(answer.risk).all(axis=1)).all()


@quick
@given(windows())
def test_a_server_that_reports_has_a_risk(window: Window) -> None:
    answer = ThresholdModel().assess_recording(window)
    reports = np.logical_or.reduce([~np.isnan(values) for values in window.metrics.values()])
    assert not np.isnan(answer.risk[reports]).any()


@quick
@given(windows(), st.integers(0, 2**32 - 1))
def test_the_order_of_servers_does_not_matter(window: Window, seed: int) -> None:
    order = np.random.default_rng(seed).permutation(len(window.servers))
    moved = with_metrics(window, {name: values[:, order] for name, values in window.metrics.items()})
    before, after = ThresholdModel().assess_recording(window), ThresholdModel().assess_recording(moved)
    np.testing.assert_array_equal(before.risk[:, order], after.risk)
    np.testing.assert_array_equal(before.driver_metric[:, order], after.driver_metric)
    np.testing.assert_array_equal(before.prob_30m, after.prob_30m)


@quick
@given(windows())
def test_a_metric_without_values_is_as_if_it_were_not_there(window: Window) -> None:
    absent = next(name for name in METRIC_NAMES if name not in window.metrics)
    empty = np.full((window.ticks, len(window.servers)), np.nan, np.float32)
    with_empty = with_metrics(window, {**window.metrics, absent: empty})
    np.testing.assert_array_equal(
        ThresholdModel().assess_recording(window).risk, ThresholdModel().assess_recording(with_empty).risk
    )
