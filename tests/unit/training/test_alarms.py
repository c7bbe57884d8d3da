from __future__ import annotations

import numpy as np
import pytest

from tft_dash.models.forecasting.layout import INPUTS
from tft_dash.schema import Window
from tft_dash.training.histories import Histories, history_of
from tft_dash.training.measuring.alarms import AlarmJudge, Judged, alarms_of, pooled

TICKS = 400


def histories(*critical: tuple[int, int, int]) -> Histories:
    """Two servers; ``critical``: server, first and last tick of every incident."""
    metrics = {name: np.full((TICKS, 2), 10.0 if name != "error_rate" else 0.01, np.float32) for name in INPUTS}
    for server, first, last in critical:
        metrics["error_rate"][first : last + 1, server] = 0.5
    start = np.datetime64("2026-01-05T00:00", "ms")
    return history_of(Window(start, 300.0, ("a", "b"), ("web", "api"), metrics))


def judged(history: Histories, *hot: tuple[int, int, int], threshold: float = 0.5) -> Judged:
    chance = np.zeros(history.rows)
    for server, first, last in hot:
        chance[server * TICKS + first : server * TICKS + last + 1] = 0.9
    return AlarmJudge(history, np.ones(history.rows, bool)).judge(chance, threshold)


def test_an_alarm_before_an_incident_announces_it_with_its_lead() -> None:
    found = judged(histories((0, 100, 110)), (0, 90, 99))
    assert found.point.recall == 1.0
    assert found.point.precision == 1.0
    assert found.lead.tolist() == [50.0]
    assert found.point.false_per_server_week == 0.0


def test_an_alarm_that_ends_half_an_hour_before_still_counts_and_an_earlier_one_is_false() -> None:
    assert judged(histories((0, 100, 110)), (0, 90, 94)).point.recall == 1.0
    late = judged(histories((0, 100, 110)), (0, 90, 93))
    assert late.point.recall == 0.0
    assert late.point.false_per_server_week > 0


def test_short_pauses_make_one_alarm_and_longer_ones_two() -> None:
    together = judged(histories((0, 100, 110)), (0, 80, 84), (0, 87, 99))
    assert together.lead.tolist() == [100.0]
    assert together.point.precision == 1.0
    apart = judged(histories((0, 100, 110)), (0, 70, 74), (0, 90, 99))
    assert apart.lead.tolist() == [50.0]
    assert apart.point.precision == 0.5


def test_an_alarm_in_an_incidents_tail_is_neither_right_nor_false() -> None:
    found = judged(histories((0, 100, 110)), (0, 112, 120))
    assert found.point.false_per_server_week == 0.0
    assert found.point.recall == 0.0
    assert found.point.precision == 0.0


def test_an_alarm_at_the_end_of_one_server_says_nothing_of_the_next() -> None:
    found = judged(histories((1, 2, 8)), (0, TICKS - 3, TICKS - 1))
    assert found.point.recall == 0.0
    assert found.point.false_per_server_week > 0


def test_nothing_is_announced_while_a_server_is_critical_already() -> None:
    found = judged(histories((0, 100, 110)), (0, 100, 110))
    assert found.point.recall == 0.0
    assert found.point.share_in_alarm == 0.0


def test_the_lowest_threshold_is_chosen_that_keeps_to_the_bounds() -> None:
    history = histories((0, 100, 110), (1, 200, 210))
    chance = np.full(history.rows, 0.055)
    chance[88:100] = 0.3
    chance[TICKS + 190 : TICKS + 200] = 0.3
    judge = AlarmJudge(history, np.ones(history.rows, bool))
    alarms, lead = alarms_of(judge.curve(chance))
    assert alarms.chosen is not None
    assert alarms.chosen.threshold == pytest.approx(0.06)
    assert alarms.chosen.recall == 1.0
    assert lead.tolist() == [60.0, 50.0]
    assert alarms.lead_minutes == (50.0, 60.0)
    assert [point.recall for point in alarms.curve][-1] == 0.0


def test_a_model_that_always_alarms_has_no_bearable_threshold() -> None:
    history = histories((0, 100, 110))
    alarms, lead = alarms_of(AlarmJudge(history, np.ones(history.rows, bool)).curve(np.ones(history.rows)))
    assert alarms.chosen is None
    assert np.isnan(lead).all()


def test_servers_judged_apart_and_put_together_are_as_if_judged_at_once() -> None:
    history = histories((0, 100, 110), (1, 200, 210))
    chance = np.random.default_rng(1).random(history.rows) ** 4
    whole = AlarmJudge(history, np.ones(history.rows, bool)).curve(chance)
    apart = [
        AlarmJudge(history.stretch(at, at + 1), np.ones(TICKS, bool)).curve(chance[at * TICKS : (at + 1) * TICKS])
        for at in range(2)
    ]
    for one, parts in zip(whole, zip(*apart, strict=True), strict=True):
        together = pooled(parts)
        assert together.point == one.point
        assert np.array_equal(together.lead, one.lead, equal_nan=True)
