"""A recording is judged once; fleet figures speak of the servers that report."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tft_dash.assessing import assess_source, assessed_folder, mean_over_servers, quantile_over_servers
from tft_dash.models.thresholds import ThresholdModel
from tft_dash.progress import Progress, silent
from tft_dash.schema import Assessments, Window
from tft_dash.sources.memory import MemorySource

RANDOM = np.random.default_rng(7)


def table(ticks: int, servers: int, missing: float) -> np.ndarray:
    values = RANDOM.uniform(0, 100, (ticks, servers)).astype(np.float32)
    values[RANDOM.uniform(size=values.shape) < missing] = np.nan
    return values


@pytest.mark.parametrize("missing", [0.0, 0.4])
@pytest.mark.parametrize("share", [0.5, 0.95])
@pytest.mark.parametrize("block", [3, 4096])
def test_a_quantile_is_numpys_over_the_servers_that_report(missing: float, share: float, block: int) -> None:
    values = table(10, 7, missing)
    expected = [np.quantile(row[~np.isnan(row)], share) for row in values]
    assert quantile_over_servers(values, share, block=block) == pytest.approx(expected, rel=1e-5)


def test_a_mean_is_over_the_servers_that_report() -> None:
    values = table(10, 7, 0.3)
    assert mean_over_servers(values, block=4) == pytest.approx(np.nanmean(values, axis=1), rel=1e-5)


def test_where_nobody_reports_there_is_no_figure() -> None:
    nothing = np.full((2, 3), np.nan, np.float32)
    assert np.isnan(quantile_over_servers(nothing, 0.5)).all()
    assert np.isnan(mean_over_servers(nothing)).all()


class CountingModel(ThresholdModel):
    """Counts how often it judges a whole recording."""

    def __init__(self) -> None:
        super().__init__()
        self.judged = 0

    def assess_recording(self, recording: Window, progress: Progress = silent) -> Assessments:
        self.judged += 1
        return super().assess_recording(recording, progress)


def test_a_recording_is_judged_once_for_all_and_again_when_the_cache_is_damaged(tmp_path: Path) -> None:
    source, model = MemorySource.from_arrays({"cpu_pct": table(20, 3, 0.1)}), CountingModel()
    first = assess_source(source, model, tmp_path)
    again = assess_source(source, model, tmp_path)
    assert np.array_equal(first.assessments.risk, again.assessments.risk, equal_nan=True)
    assert model.judged == 1
    (assessed_folder(tmp_path, source.describe(), model.card) / "risk.npy").write_bytes(b"damaged")
    again = assess_source(source, model, tmp_path)
    assert model.judged == 2
    assert again.history(19).prob_30m == pytest.approx(again.assessments.prob_30m)
