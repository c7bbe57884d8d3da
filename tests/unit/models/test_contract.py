"""What every registered risk model keeps to."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.unit.models.windows import fleet, lead_of, suited, troubled, with_metrics
from tft_dash.models.base import MODELS, RiskModel
from tft_dash.schema import ASSESSMENT_FIELDS, METRIC_NAMES, METRICS, SERVER_FIELDS, Assessments, Window

FIELDS = (*ASSESSMENT_FIELDS, *SERVER_FIELDS)


@pytest.fixture(params=MODELS.names())
def model(request: pytest.FixtureRequest) -> RiskModel:
    """Every registered model, made without arguments."""
    return MODELS.load(request.param)()


def same(left: Assessments, right: Assessments) -> None:
    for name in FIELDS:
        np.testing.assert_array_equal(getattr(left, name), getattr(right, name), err_msg=name)


def rows(answer: Assessments, first: int, last: int) -> Assessments:
    return Assessments(**{name: getattr(answer, name)[first:last] for name in FIELDS})


def test_the_card_names_the_model_as_the_registry_does() -> None:
    for name in MODELS.names():
        card = MODELS.load(name)().card
        assert card.name == name
        assert set(card.metrics) <= set(METRIC_NAMES)
        assert card.title
        assert card.summary
        assert card.horizons_minutes == (30, 480)


def test_only_models_that_read_labels_say_so() -> None:
    assert {name for name in MODELS.names() if MODELS.load(name)().card.uses_labels} == {"scripted"}


@pytest.mark.parametrize(("ticks", "servers"), [(48, 4), (1, 3), (2, 1), (0, 2), (5, 0)])
def test_answers_have_the_shapes_and_types_of_the_contract(model: RiskModel, ticks: int, servers: int) -> None:
    window = fleet(ticks, servers, phases=("stable",) * ticks, step_seconds=model.card.step_seconds or 5.0)
    answer = model.assess_recording(window)
    assert (answer.risk.shape, answer.risk.dtype) == ((ticks, servers), np.float32)
    assert (answer.driver_metric.shape, answer.driver_metric.dtype) == ((ticks, servers, 2), np.int8)
    assert (answer.driver_usual.shape, answer.driver_usual.dtype) == ((ticks, servers, 2), np.float32)
    assert (answer.prob_30m.shape, answer.prob_30m.dtype) == ((ticks,), np.float32)
    assert (answer.prob_8h.shape, answer.prob_8h.dtype) == ((ticks,), np.float32)
    for name in SERVER_FIELDS:
        assert (getattr(answer, name).shape, getattr(answer, name).dtype) == ((ticks, servers), np.float32)
    assert model.assess(window).ticks == min(ticks, 1)


def test_risks_and_probabilities_lie_between_0_and_1_and_drivers_exist(model: RiskModel) -> None:
    window = suited(model, troubled())
    answer = rows(model.assess_recording(window), lead_of(model), window.ticks)
    for values in (answer.risk, answer.prob_30m, answer.prob_8h):
        assert not np.isnan(values).any()
        assert values.min() >= 0.0
        assert values.max() <= 1.0
    assert answer.driver_metric.min() >= -1
    assert answer.driver_metric.max() < len(METRICS)
    assert np.isnan(answer.driver_usual[answer.driver_metric < 0]).all()


def test_the_longer_horizon_is_never_the_less_likely(model: RiskModel) -> None:
    window = suited(model, troubled(ticks=80))
    answer = rows(model.assess_recording(window), lead_of(model), window.ticks)
    known = ~np.isnan(answer.server_prob_30m)
    assert (answer.server_prob_8h[known] >= answer.server_prob_30m[known]).all()
    assert (answer.prob_8h >= answer.prob_30m).all()
    slope = np.polyfit(answer.prob_30m, answer.prob_8h, 1)
    assert np.abs(answer.prob_8h - np.polyval(slope, answer.prob_30m)).max() > 0.02


@pytest.mark.parametrize("ticks", [1, 7, 24, 25, 40])
def test_cutting_the_future_off_changes_nothing_earlier(model: RiskModel, ticks: int) -> None:
    window = suited(model, troubled())
    ticks += lead_of(model)
    same(model.assess_recording(window.until(ticks)), rows(model.assess_recording(window), 0, ticks))


@pytest.mark.parametrize("ticks", [1, 26, 48])
def test_the_last_tick_alone_is_the_last_row_of_the_whole(model: RiskModel, ticks: int) -> None:
    window = suited(model, troubled())
    ticks += lead_of(model)
    window = window.until(ticks)
    same(model.assess(window), rows(model.assess_recording(window), ticks - 1, ticks))


def test_asking_twice_gives_the_same_answer(model: RiskModel) -> None:
    window = suited(model, troubled())
    first = model.assess_recording(window)
    model.assess_recording(suited(model, fleet(10, 4, seed=9, phases=("peak",) * 10)))
    same(first, model.assess_recording(window))


def test_reordered_and_renamed_servers_get_the_same_risks(model: RiskModel) -> None:
    window = suited(model, troubled(servers=5))
    order = np.array([3, 0, 4, 2, 1])
    moved = with_metrics(window, {name: values[:, order] for name, values in window.metrics.items()})
    moved = replace(moved, servers=tuple(f"other {place}" for place in range(5)))
    before, after = model.assess_recording(window), model.assess_recording(moved)
    for name in ("risk", "driver_metric", "driver_usual"):
        np.testing.assert_array_equal(getattr(before, name)[:, order], getattr(after, name), err_msg=name)
    np.testing.assert_array_equal(before.prob_30m, after.prob_30m)
    np.testing.assert_array_equal(before.prob_8h, after.prob_8h)


def test_the_other_servers_do_not_matter_to_a_servers_risk(model: RiskModel) -> None:
    window = suited(model, troubled(servers=3))
    alone = Window(
        window.start,
        window.step_seconds,
        window.servers[:1],
        window.profiles[:1],
        {name: values[:, :1] for name, values in window.metrics.items()},
        window.phases,
    )
    np.testing.assert_array_equal(model.assess_recording(alone).risk, model.assess_recording(window).risk[:, :1])


def test_a_metric_that_nobody_reports_changes_no_risk(model: RiskModel) -> None:
    window = suited(model, troubled())
    without = {name: values for name, values in window.metrics.items() if name != "gc_pause_ms"}
    silent = {**without, "gc_pause_ms": np.full_like(window.metrics["gc_pause_ms"], np.nan)}
    same(
        model.assess_recording(with_metrics(window, without)),
        model.assess_recording(with_metrics(window, silent)),
    )


def test_one_lost_value_moves_no_risk_by_much(model: RiskModel) -> None:
    window = suited(model, troubled())
    whole = model.assess_recording(window).risk
    for metric in ("cpu_pct", "error_rate"):
        columns = {name: values.copy() for name, values in window.metrics.items()}
        columns[metric][36 + lead_of(model), :] = np.nan
        lossy = model.assess_recording(with_metrics(window, columns)).risk
        assert np.nanmax(np.abs(lossy - whole)) < 0.02
        np.testing.assert_array_equal(np.isnan(lossy), np.isnan(whole))


def test_a_silent_server_keeps_its_risk_for_three_ticks_and_then_has_none(model: RiskModel) -> None:
    window = suited(model, troubled())
    columns = {name: values.copy() for name, values in window.metrics.items()}
    for values in columns.values():
        values[36 + lead_of(model) : 44 + lead_of(model), 0] = np.nan
    whole = model.assess_recording(with_metrics(window, columns))
    answer = rows(whole, lead_of(model), window.ticks)
    assert (answer.risk[36:39, 0] == answer.risk[35, 0]).all()
    assert np.isnan(answer.risk[39:44, 0]).all()
    assert (answer.driver_metric[39:44, 0] == -1).all()
    assert not np.isnan(answer.risk[44:, 0]).any()
    assert not np.isnan(answer.risk[:, 1:]).any()
    assert not np.isnan(answer.prob_30m).any()


def test_a_fleet_that_never_reports_gets_no_numbers(model: RiskModel) -> None:
    window = suited(model, fleet(6, 3, phases=("stable",) * 6))
    empty = {name: np.full_like(values, np.nan) for name, values in window.metrics.items()}
    answer = model.assess_recording(with_metrics(window, empty))
    for values in (answer.risk, answer.prob_30m, answer.prob_8h):
        assert np.isnan(values).all()


def test_constant_metrics_make_no_risk(model: RiskModel) -> None:
    window = fleet(150, 3, noise=0.0, phases=("stable",) * 150, step_seconds=model.card.step_seconds or 5.0)
    risk = model.assess_recording(window).risk[lead_of(model) :]
    assert risk.max() < 0.1


def test_infinite_values_are_missing_values(model: RiskModel) -> None:
    window = suited(model, troubled())
    answers = []
    for high, low in ((np.inf, -np.inf), (np.nan, np.nan)):
        columns = {name: values.copy() for name, values in window.metrics.items()}
        columns["cpu_pct"][25:28, 1] = high
        columns["latency_ms"][26, 1] = low
        answers.append(model.assess_recording(with_metrics(window, columns)))
    same(*answers)


def test_impossible_values_do_no_harm(model: RiskModel) -> None:
    window = suited(model, troubled())
    columns = {name: values.copy() for name, values in window.metrics.items()}
    columns["cpu_pct"][5, 1] = 1e30
    columns["latency_ms"][7, 1] = -5.0
    columns["net_in_mb_s"][8, 1] = 3e38
    answer = model.assess_recording(with_metrics(window, columns))
    assert not np.isnan(answer.risk[lead_of(model) :]).any()
    assert np.nanmax(answer.risk) <= 1.0


def test_progress_rises_to_1(model: RiskModel) -> None:
    shares: list[float] = []
    model.assess_recording(suited(model, troubled()), shares.append)
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    assert min(shares) >= 0.0


def test_before_there_is_enough_history_nothing_is_said(model: RiskModel) -> None:
    window = suited(model, troubled())
    early = rows(model.assess_recording(window), 0, lead_of(model))
    for values in (early.risk, early.prob_30m, early.prob_8h, early.server_prob_30m, early.server_prob_8h):
        assert np.isnan(values).all()
    assert (early.driver_metric == -1).all()
