from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from support.histories import fleets_of, joined, simulated

from tft_dash.errors import DataError
from tft_dash.schema import METRIC_NAMES, Window
from tft_dash.training.fleets import at_five_minutes, digest_of, require_length
from tft_dash.training.histories import Histories, history_of
from tft_dash.training.splitting import CUT, split
from tft_dash.zones import zone_of

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


def test_the_minute_of_the_week_is_told_by_the_fleets_own_clock() -> None:
    spring = Window(np.datetime64("2026-03-29T00:55", "ms"), 300.0, ("a",), ("web",), {
        "cpu_pct": np.full((2, 1), 20.0, np.float32),
    })  # fmt: skip
    assert history_of(spring).minute.tolist() == [6 * 1440 + 55, 6 * 1440 + 60]
    assert history_of(spring, zone_of("Europe/Berlin")).minute.tolist() == [6 * 1440 + 115, 6 * 1440 + 180]


def test_a_history_of_three_ticks_is_refused_with_what_it_takes() -> None:
    with pytest.raises(DataError, match=r"spans 3 steps.*takes 4 days at least"):
        require_length(fleets_of([1], 3), 4.0, "training")


def test_servers_and_times_are_in_one_part_of_the_split_only(histories: Histories, tmp_path: Path) -> None:
    histories = joined([histories, simulated(6, 14, 6)], tmp_path)
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


def test_the_digest_is_that_of_the_values() -> None:
    assert digest_of(simulated(4, 2, 2)) == digest_of(simulated(4, 2, 2))
    assert digest_of(simulated(3, 2, 2)) != digest_of(simulated(4, 2, 2))
