from __future__ import annotations

import numpy as np
import pytest

from tft_dash.errors import DataError
from tft_dash.schema import METRIC_NAMES, Window
from tft_dash.training.fleets import (
    Simulated,
    at_five_minutes,
    digest_of,
    recorded_fleet,
    require_length,
    simulated_fleet,
    simulated_fleets,
)
from tft_dash.training.histories import Histories, history_of, joined
from tft_dash.training.splitting import CUT, split

START = np.datetime64("2026-01-05T00:00", "ms")


def window(step: float, ticks: int, servers: int = 8, value: float = 20.0) -> Window:
    metrics = {name: np.full((ticks, servers), value, np.float32) for name in METRIC_NAMES}
    metrics["error_rate"][:] = 0.01
    return Window(START, step, tuple(f"s{n}" for n in range(servers)), ("web",) * servers, metrics)


def test_a_finer_recording_is_averaged_over_what_is_there_of_each_five_minutes() -> None:
    fine = window(60.0, 12, servers=1)
    fine.metrics["cpu_pct"][:, 0] = [1, 2, 3, np.nan, 6, *[np.nan] * 5, 9, 9]
    found = at_five_minutes(fine)
    assert found.ticks == 2
    assert found.step_seconds == 300.0
    assert found.start == START + np.timedelta64(4, "m")
    assert found.metrics["cpu_pct"][0, 0] == 3.0
    assert np.isnan(found.metrics["cpu_pct"][1, 0])


def test_a_coarser_or_odd_step_and_a_recording_without_values_are_refused_in_words() -> None:
    with pytest.raises(DataError, match=r"'x' cannot be learnt from.*900 s"):
        recorded_fleet("x", window(900.0, 50))
    with pytest.raises(DataError, match="7 s"):
        recorded_fleet("x", window(7.0, 50))
    empty = window(300.0, 50)
    for values in empty.metrics.values():
        values[:] = np.nan
    with pytest.raises(DataError, match="has no value of cpu_pct"):
        recorded_fleet("x", empty)


def test_a_history_of_three_ticks_is_refused_with_what_it_takes() -> None:
    with pytest.raises(DataError, match=r"spans 3 steps.*takes 4 days at least"):
        require_length([recorded_fleet("x", window(300.0, 3))], 4.0, "training")


def test_servers_and_times_are_in_one_part_of_the_split_only(histories: Histories) -> None:
    histories = joined([histories, simulated_fleet(6, 14, 6).history])
    parts = split(histories, 1)
    servers = [*parts.train_servers, *parts.valid_servers, *parts.test_servers]
    assert sorted(servers) == list(range(histories.servers))
    assert set(histories.server_of(parts.train)) <= set(parts.train_servers)
    assert set(histories.server_of(parts.test)) <= set(parts.test_servers)
    ticks = int(histories.ticks[0])
    assert histories.tick_of(parts.train).max() + 96 <= CUT * ticks + 1
    assert histories.tick_of(parts.test).min() - 95 >= CUT * ticks - 1
    assert split(histories, 2).test_servers != parts.test_servers


def test_too_few_servers_or_not_a_single_incident_is_refused_in_words(histories: Histories) -> None:
    with pytest.raises(DataError, match="There is 1 server to learn from; 6 are the least"):
        split(histories.part([0]), 1)
    with pytest.raises(DataError, match="are only 9 incidents to learn from"):
        split(histories, 1)
    with pytest.raises(DataError, match="not a single incident"):
        split(history_of(window(300.0, 2000)), 1)
    silent = window(300.0, 2000)
    for values in silent.metrics.values():
        values[:] = np.nan
    with pytest.raises(DataError, match="No window of 16 hours"):
        split(history_of(silent), 1)


def test_fleets_are_the_same_whoever_makes_them() -> None:
    plan = Simulated((3, 4), servers=2, days=2)
    here = list(simulated_fleets(plan))
    assert [fleet.name for fleet in here] == ["seed 3", "seed 4"]
    assert digest_of(here[1].history) == digest_of(simulated_fleet(4, 2, 2).history)
    assert digest_of(here[0].history) != digest_of(here[1].history)
