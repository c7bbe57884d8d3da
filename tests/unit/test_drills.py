"""Drills on disk, as the commands and notebooks make them."""

from __future__ import annotations

from pathlib import Path

import pytest

import tft_dash
from tft_dash.drills import JUDGED_ROWS, judge, make_drill
from tft_dash.errors import UsageError
from tft_dash.models.thresholds import ThresholdModel
from tft_dash.scenarios.library import load_scenario, preset_names


def test_a_drill_is_made_once_and_anew_when_asked_or_when_it_differs(tmp_path: Path) -> None:
    scenario = load_scenario("degrading")
    path, made = make_drill(scenario, tmp_path)
    assert made
    assert path == tmp_path / "demo_dataset.parquet"
    assert make_drill(scenario, tmp_path) == (path, False)
    assert make_drill(scenario, tmp_path, regenerate=True) == (path, True)
    assert make_drill(scenario.with_overrides(seed=7), tmp_path) == (path, True)
    assert make_drill(scenario, tmp_path) == (path, True)


@pytest.mark.parametrize("preset", preset_names())
def test_every_preset_does_what_its_document_expects(preset: str) -> None:
    outcomes = judge(load_scenario(preset), ThresholdModel())
    assert outcomes
    assert [outcome.words for outcome in outcomes if outcome.ok is not True] == []


def test_a_drill_too_large_is_not_judged() -> None:
    large = load_scenario("healthy").with_overrides(fleet_size=JUDGED_ROWS // 60 + 1)
    assert judge(large, ThresholdModel()) is None


def test_the_four_names_of_the_predecessors_guide_work(tmp_path: Path) -> None:
    path = tft_dash.generate_demo_dataset(output_dir=tmp_path)
    source = tft_dash.DataSource(data_path=path, data_format="parquet")
    rows = source.get_next_batch()
    assert len(rows) == 10
    before = source.get_current_progress()
    source.get_next_batch()
    assert source.get_current_progress() > before
    source.reset()
    assert source.get_next_batch().equals(rows)
    assert tft_dash.LiveDashboard(source, refresh_sec=1).settings.refresh == 1


def test_a_dashboard_of_something_else_is_refused() -> None:
    with pytest.raises(UsageError, match="DataSource"):
        tft_dash.LiveDashboard("demo_data/demo_dataset.parquet")


def test_an_unknown_name_of_the_package_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="nothing"):
        _ = tft_dash.nothing
