"""Simulated fleets under the shipped forecast: one that changes is found, ones that do not are never alarmed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from support.held import changed, simulated

from tft_dash.background import Background
from tft_dash.errors import DataError
from tft_dash.models.tft import TftModel
from tft_dash.models.thresholds import ThresholdModel
from tft_dash.schema import Window
from tft_dash.sources.memory import MemorySource
from tft_dash.store.engine import Store
from tft_dash.store.live import JudgedSpans
from tft_dash.watching.judging import judged_bands
from tft_dash.watching.watch import DRIFT_FILE, Drift, drift_folder, read_drift, watch_source
from tft_dash.watching.watches import Watches

DAY_TICKS = 288


def source_of(window: Window) -> MemorySource:
    return MemorySource(window, name="fleet")


def watched(window: Window, cache: Path, model: TftModel | None = None) -> Drift:
    return watch_source(source_of(window), model or TftModel(), cache, days=3.0, least=100)


@pytest.mark.parametrize("seed", [3001, 3002, 3003])
def test_a_fleet_that_does_not_change_is_never_alarmed(tmp_path: Path, seed: int) -> None:
    found = watched(simulated(seed), tmp_path)
    assert {point.state for point in found.points} <= {"fine", "unknown"}
    assert found.points[-1].state == "fine"
    last = found.points[-1]
    assert all(share is not None and 0.7 < share < 0.9 for share, _ in last.coverage.values())


def test_a_fleet_in_another_zone_is_not_alarmed_once_its_zone_is_known(tmp_path: Path) -> None:
    window = simulated(3001, days=4.0)
    tokyo = replace(window, start=window.start - np.timedelta64(9, "h"))
    unknown, known = (
        watched(tokyo, tmp_path).points[-1],
        watched(tokyo, tmp_path, TftModel(zone="Asia/Tokyo")).points[-1],
    )
    assert (unknown.state, known.state) == ("drifting", "fine")


@pytest.mark.parametrize("change", [{"noise": 0.7}, {"level": 2.5}])
def test_a_fleet_that_changes_is_found_within_two_days_and_not_before(tmp_path: Path, change: dict[str, float]) -> None:
    window = simulated(3001, days=5.5)
    at = 3 * DAY_TICKS
    found = watched(changed(window, at, **change), tmp_path)
    begun = next(point.tick for point in found.points if point.state == "drifting")
    assert at < begun <= at + 2 * DAY_TICKS
    assert found.points[-1].state == "drifting"
    assert "80% band" in found.points[-1].reasons[0]


def test_what_comes_later_changes_nothing_that_was_known(tmp_path: Path) -> None:
    window = simulated(3001, days=4.0, servers=2)
    whole, cut = watched(window, tmp_path), watched(window.until(3 * DAY_TICKS), tmp_path)
    assert whole.points[: len(cut.points)] == cut.points
    assert whole.at(3 * DAY_TICKS) == cut.points[-1]
    assert whole.at(0) is None


def test_it_is_made_once_and_read_by_all(tmp_path: Path) -> None:
    window = simulated(3001, days=3.0, servers=2)
    model = TftModel()
    first = watched(window, tmp_path, model)
    about = source_of(window).describe()
    path = drift_folder(tmp_path, about, model.card, 3.0, 100) / DRIFT_FILE
    written = path.stat().st_mtime_ns
    watches = Watches(
        tmp_path, Background(None), JudgedSpans(Store(f"sqlite:///{tmp_path}/store.sqlite")), days=3.0, least=100
    )
    assert watches.known(about, model.card) == first
    assert watches.result(source_of(window), about, model) == first
    assert path.stat().st_mtime_ns == written
    path.write_text("{")
    assert read_drift(path.parent) is None
    assert watches.known(about, model.card) is None
    assert watches.result(source_of(window), about, model) == first


def test_values_of_a_finer_step_are_judged_as_means_of_five_minutes() -> None:
    window = simulated(3001, days=1.5, servers=2)
    fine = {name: np.repeat(values, 5, axis=0) for name, values in window.metrics.items()}
    start = window.start - np.timedelta64(240, "s")
    finer = Window(start, 60.0, window.servers, window.profiles, fine)
    model = TftModel()
    coarse, same = (judged_bands(model.runtime, one, lambda _share: None) for one in (window, finer))
    np.testing.assert_array_equal(coarse.known["cpu_pct"][:20], same.known["cpu_pct"][:20])
    assert abs(coarse.inside["cpu_pct"].sum() - same.inside["cpu_pct"].sum()) <= 0.01 * coarse.known["cpu_pct"].sum()


def test_a_model_without_bands_is_not_watched(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="forecasts no bands"):
        watch_source(source_of(simulated(3001, 0.5, 1)), ThresholdModel(), tmp_path, days=3.0, least=1)
