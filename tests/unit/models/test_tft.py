"""The forecast as a risk model: which sources it answers for, its steps, and what it says of an early warning."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.unit.models.windows import fleet, troubled, with_metrics
from tft_dash.errors import DataError
from tft_dash.models.forecasting.ahead import forecast_of
from tft_dash.models.forecasting.inputs import inputs_of
from tft_dash.models.forecasting.layout import CONTEXT, INPUTS
from tft_dash.models.forecasting.reasons import reasons
from tft_dash.models.tft import TftModel
from tft_dash.scenarios.generate import simulate
from tft_dash.scenarios.library import load_scenario
from tft_dash.schema import CRITICAL_ISSUE, METRIC_NAMES, Window
from tft_dash.sources.memory import MemorySource

ALL = slice(None)


@pytest.fixture(scope="module")
def model() -> TftModel:
    return TftModel()


def finer(window: Window, times: int) -> Window:
    """The same fleet with every tick said ``times`` times."""
    columns = {name: np.repeat(values, times, axis=0) for name, values in window.metrics.items()}
    return replace(with_metrics(window, columns), step_seconds=window.step_seconds / times)


def test_an_early_warning_is_seen_in_time_and_a_quiet_day_is_quiet(model: TftModel) -> None:
    drill = simulate(load_scenario("early-warning"))
    said = model.assess_recording(drill.window)
    critical = (drill.states == CRITICAL_ISSUE).any(axis=1)
    first = int(np.flatnonzero(critical)[0])
    assert (said.prob_30m[first - 6 : first] > 0.5).all()
    assert np.nanmax(said.prob_30m[: 24 * 12]) < 0.1
    assert (said.risk[drill.states == CRITICAL_ISSUE] == 1.0).all()


def test_the_script_and_the_names_of_servers_are_not_read(model: TftModel) -> None:
    window = replace(fleet(20, 2, step_seconds=300.0), phases=("stable",) * 20)
    told = replace(window, phases=("peak",) * 20, servers=("doomed-1", "doomed-2"))
    np.testing.assert_array_equal(model.assess_recording(window).risk, model.assess_recording(told).risk)


def test_a_profile_that_it_never_met_is_an_unknown_one(model: TftModel) -> None:
    window = fleet(20, 3, step_seconds=300.0)
    strange, unknown, web = (
        model.assess_recording(replace(window, profiles=(name,) * 3)).risk[15:] for name in ("mainframe", "", "web")
    )
    np.testing.assert_array_equal(strange, unknown)
    assert (strange != web).any()


def test_the_clock_is_read(model: TftModel) -> None:
    window = fleet(20, 3, step_seconds=300.0)
    assert inputs_of(window).minutes(np.array([0, 1])).tolist() == [2 * 1440 + 720, 2 * 1440 + 725]
    late = replace(window, start=window.start + np.timedelta64(9, "h"))
    assert (model.assess_recording(window).risk[15:] != model.assess_recording(late).risk[15:]).any()


def test_a_fleet_whose_days_run_by_another_clock_is_judged_by_that_clock(model: TftModel) -> None:
    drill = simulate(load_scenario("early-warning")).window
    berlin = TftModel(zone="Europe/Berlin")
    elsewhere = replace(drill, start=drill.start - np.timedelta64(1, "h"))  # in winter
    wanted, said = model.assess_recording(drill), berlin.assess_recording(elsewhere)
    for name in ("risk", "prob_30m", "prob_8h"):
        np.testing.assert_array_equal(getattr(said, name), getattr(wanted, name))
    assert (model.assess_recording(elsewhere).risk != wanted.risk).any()
    ahead, same = (
        forecast_of(one, replace(window, servers=window.servers[:1], profiles=window.profiles[:1], metrics={
            name: values[:120, :1] for name, values in window.metrics.items()
        }, phases=()), 119, 0) for one, window in ((model, drill), (berlin, elsewhere))
    )  # fmt: skip
    np.testing.assert_array_equal(ahead.quantiles["cpu_pct"], same.quantiles["cpu_pct"])
    assert berlin.card.identity != model.card.identity
    assert "Europe/Berlin" in berlin.card.summary


@pytest.mark.parametrize("times", [2, 5, 60])
def test_a_finer_step_is_averaged_over_the_five_minutes_that_end_now(model: TftModel, times: int) -> None:
    window = replace(troubled(30, 2), step_seconds=300.0)
    fine = finer(window, times)
    ends = np.arange(times - 1, fine.ticks, times)
    steps = inputs_of(fine).steps(ends, ALL).cut(ends)
    whole = inputs_of(window).steps(np.arange(30), ALL).cut(np.arange(30))
    np.testing.assert_allclose(steps, whole, rtol=1e-6)
    said, wanted = model.assess_recording(fine), model.assess_recording(window)
    assert np.isnan(said.risk[: 12 * times - 1]).all()
    last = model.assess(fine)
    np.testing.assert_array_equal(last.risk[0], said.risk[-1])
    np.testing.assert_allclose(wanted.risk[14:24, 1], said.risk[ends[14:24], 1], atol=2e-3)


def test_a_finer_step_is_as_causal_as_any(model: TftModel) -> None:
    window = finer(replace(troubled(26, 2), step_seconds=300.0), 30)
    whole = model.assess_recording(window)
    for ticks in (361, 700, 733, 779):
        cut = model.assess_recording(window.until(ticks))
        np.testing.assert_array_equal(cut.risk, whole.risk[:ticks])
        np.testing.assert_array_equal(cut.prob_8h, whole.prob_8h[:ticks])
        np.testing.assert_array_equal(model.assess(window.until(ticks)).risk[0], whole.risk[ticks - 1])


def test_a_tick_that_is_critical_is_critical_between_two_answers_too(model: TftModel) -> None:
    window = finer(fleet(14, 2, step_seconds=300.0), 60)
    window.metrics["cpu_pct"][803, 1] = 99.0
    risk = model.assess_recording(window).risk
    assert risk[803, 1] == 1.0
    assert risk[802, 1] < 0.5


@pytest.mark.parametrize(("step", "words"), [(600.0, "longer than"), (7.0, "no even part of"), (200.0, "no even part")])
def test_a_coarse_or_odd_step_is_refused_in_words(model: TftModel, step: float, words: str) -> None:
    window = fleet(20, 2, step_seconds=step)
    for ask in (model.assess, model.assess_recording):
        with pytest.raises(DataError, match=f"{words}.*made up.*Choose the model 'thresholds'"):
            ask(window)
    about = MemorySource(window).describe()
    assert words in str(model.fits(about))


def test_it_fits_where_there_is_an_hour_of_history(model: TftModel) -> None:
    assert model.fits(MemorySource(fleet(12, 1, step_seconds=300.0)).describe()) is None
    assert model.fits(MemorySource(fleet(720, 1, step_seconds=5.0)).describe()) is None
    assert "55 minutes long" in str(model.fits(MemorySource(fleet(11, 1, step_seconds=300.0)).describe()))
    assert "5 minutes long" in str(model.fits(MemorySource(fleet(60, 1, step_seconds=5.0)).describe()))


def test_a_history_of_three_ticks_gets_no_number(model: TftModel) -> None:
    said = model.assess_recording(fleet(3, 4, step_seconds=300.0))
    assert np.isnan(said.risk).all()
    assert np.isnan(said.prob_8h).all()


def test_history_is_counted_in_steps_that_were_reported(model: TftModel) -> None:
    window = fleet(40, 2, step_seconds=300.0)
    for values in window.metrics.values():
        values[5:30, 1] = np.nan
    risk = model.assess_recording(window).risk[:, 1]
    assert np.isnan(risk[:36]).all()
    assert not np.isnan(risk[36:]).any()


@pytest.mark.parametrize("names", [("cpu_pct",), ("latency_ms", "error_rate"), ("net_in_mb_s",)])
def test_a_source_with_few_metrics_gets_an_answer(model: TftModel, names: tuple[str, ...]) -> None:
    risk = model.assess_recording(fleet(20, 2, step_seconds=300.0, metrics=names)).risk
    assert (risk[12:] < 0.5).all()


def test_metrics_that_it_does_not_read_are_told(model: TftModel) -> None:
    about = replace(MemorySource(fleet(20, 1, step_seconds=300.0)).describe(), metrics=())
    assert "none of the metrics" in str(model.fits(about))


def test_a_fleet_wider_and_longer_than_a_block_is_judged_server_by_server(model: TftModel) -> None:
    wide = fleet(13, 515, step_seconds=300.0)
    whole = model.assess_recording(wide)
    some = with_metrics(wide, {name: values[:, 510:513] for name, values in wide.metrics.items()})
    some = replace(some, servers=wide.servers[510:513], profiles=wide.profiles[510:513])
    np.testing.assert_array_equal(whole.risk[:, 510:513], model.assess_recording(some).risk)
    np.testing.assert_array_equal(model.assess(wide).risk[0], whole.risk[-1])
    long = fleet(260, 1, step_seconds=300.0)
    np.testing.assert_array_equal(model.assess(long).risk[0], model.assess_recording(long).risk[-1])


def test_the_fleets_chance_holds_its_servers_for_independent(model: TftModel) -> None:
    window = fleet(14, 5, step_seconds=300.0)
    window.metrics["cpu_pct"][10:, 0] = 88.0
    said = model.assess_recording(window)
    expected = 1.0 - np.prod(1.0 - said.server_prob_8h[-1].astype(float))
    assert said.prob_8h[-1] == pytest.approx(expected, abs=1e-6)
    np.testing.assert_array_equal(said.risk, said.server_prob_30m)


def test_the_card_says_what_it_learnt_from(model: TftModel) -> None:
    assert model.card.simulated
    assert model.card.forecasts
    assert "simulated" in model.card.trained_on
    assert model.card.digest == model.artefact.digest


def test_reasons_are_the_metrics_farthest_from_usual_and_critical_ones_first() -> None:
    windows = np.ones((3, CONTEXT, len(INPUTS)), np.float32) * 40.0
    windows += np.sin(np.arange(CONTEXT) * 9.0)[None, :, None]
    windows[..., METRIC_NAMES.index("error_rate")] = 0.003
    windows[1, -3:, METRIC_NAMES.index("mem_pct")] += 30.0
    windows[1, -3:, METRIC_NAMES.index("latency_ms")] *= 12.0
    windows[2, -3:, METRIC_NAMES.index("cpu_pct")] = 91.0
    windows[2, -3:, METRIC_NAMES.index("mem_pct")] -= 39.0
    windows[2, :, METRIC_NAMES.index("gc_pause_ms")] = np.nan
    metric, usual = reasons(windows)
    assert metric.tolist()[0] == [-1, -1]
    assert set(metric[1].tolist()) == {METRIC_NAMES.index("mem_pct"), METRIC_NAMES.index("latency_ms")}
    assert metric[2].tolist() == [METRIC_NAMES.index("cpu_pct"), METRIC_NAMES.index("mem_pct")]
    np.testing.assert_allclose(usual[2], [40.0, 40.0], atol=0.2)
    assert np.isnan(usual[0]).all()
