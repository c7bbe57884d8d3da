"""``thresholds`` on real recordings with known faults, measured by the evaluation that lies beside them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.support.recordings import DATA
from tests.unit.models.windows import with_metrics
from tft_dash.models.thresholds import ThresholdModel
from tft_dash.schema import METRIC_NAMES, FloatArray, Window

RECORDINGS = {
    "online-boutique": "nezha",
    "train-ticket": "nezha",
    "aws-cloudwatch": "nab",
    "asg-misconfiguration": "nab",
}
EVALUATE = DATA.parent / "evaluate" / "evaluate.py"

pytestmark = pytest.mark.skipif(not EVALUATE.exists(), reason=f"the shared recordings are not at {DATA}")


class Recording:
    """A recording on a grid of its median step, each server from its own first sample on."""

    def __init__(self, name: str) -> None:
        self.table = pd.read_parquet(DATA / RECORDINGS[name] / f"{name}.parquet")
        self.table["seconds"] = self.table["timestamp"].astype("datetime64[ms]").astype("int64") / 1000.0
        by_server = self.table.sort_values("timestamp").groupby("server_name")["seconds"]
        step = float(by_server.diff().median())
        first = self.table["seconds"].min()
        offset = ((self.table["seconds"] - first) % step).groupby(self.table["server_name"]).transform("median")
        tick = np.rint((self.table["seconds"] - first - offset) / step).to_numpy(int)
        self.tick = tick - tick.min()
        names, self.server = np.unique(self.table["server_name"].astype(str), return_inverse=True)
        shape = (int(self.tick.max()) + 1, len(names))
        start = np.datetime64(round(first * 1000), "ms")
        self.window = Window(start, step, tuple(names), ("generic",) * len(names), self._columns(shape))

    def _columns(self, shape: tuple[int, int]) -> dict[str, FloatArray]:
        columns = {}
        for metric in METRIC_NAMES:
            if self.table[metric].notna().any():
                columns[metric] = np.full(shape, np.nan, np.float32)
                columns[metric][self.tick, self.server] = self.table[metric]
        return columns

    def write_risks(self, risk: FloatArray, path: Path) -> None:
        scores = self.table[["timestamp", "server_name"]].assign(risk=risk[self.tick, self.server])
        scores.drop_duplicates(["timestamp", "server_name"]).to_parquet(path)


@pytest.fixture(scope="module")
def figures(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the evaluation says of ``thresholds``."""
    folder = tmp_path_factory.mktemp("risks")
    for name in RECORDINGS:
        recording = Recording(name)
        answer = ThresholdModel().assess_recording(recording.window)
        recording.write_risks(answer.risk, folder / f"{name}.parquet")
    command = [sys.executable, str(EVALUATE), "score", str(folder)]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def test_it_beats_static_thresholds_and_the_predecessor_on_every_ranking_figure(figures: dict[str, Any]) -> None:
    boutique, ticket, nab = figures["online-boutique"], figures["train-ticket"], figures["nab"]
    assert boutique["AC@1"] > 0.32
    assert boutique["AC@3"] == 1.0
    assert min(boutique["detected"], boutique["right"]) > 0.0
    assert boutique["roc"] > 0.81
    assert boutique["pr"] > 0.25
    assert ticket["AC@1"] > 0.0
    assert ticket["pr"] > 0.04
    assert nab["roc"] > 0.55
    assert nab["pr"] > 0.15
    assert nab["nab"] > 0.0


def test_it_reaches_what_one_configuration_should_reach(figures: dict[str, Any]) -> None:
    boutique, ticket, nab = figures["online-boutique"], figures["train-ticket"], figures["nab"]
    assert min(boutique["AC@1"], boutique["right"]) >= 0.91
    assert boutique["AC@3"] == boutique["detected"] == 1.0
    assert boutique["pr"] > 0.85
    assert min(ticket["AC@1"], ticket["detected"]) >= 0.75
    assert ticket["pr"] > 0.4
    assert nab["nab"] > 50
    assert nab["pr"] > 0.25
    assert nab["brier_skill"] > 0


@pytest.mark.parametrize("name", ["online-boutique", "aws-cloudwatch"])
def test_a_recording_cut_short_has_the_same_past(name: str) -> None:
    recording = Recording(name)
    ticks = recording.window.ticks * 2 // 3
    whole = ThresholdModel().assess_recording(recording.window).risk
    short = ThresholdModel().assess_recording(recording.window.until(ticks)).risk
    np.testing.assert_array_equal(whole[:ticks], short)


@pytest.mark.parametrize("seed", [1, 2])
def test_a_tenth_of_the_values_lost_still_finds_the_faults(seed: int) -> None:
    recording = Recording("online-boutique")
    random = np.random.default_rng(seed)
    lossy = {
        name: np.where(random.random(values.shape) < 0.1, np.nan, values).astype(np.float32)
        for name, values in recording.window.metrics.items()
    }
    whole = ThresholdModel().assess_recording(recording.window).risk
    risk = ThresholdModel().assess_recording(with_metrics(recording.window, lossy)).risk
    severe = (np.nan_to_num(whole) > 0.8) & (np.nan_to_num(np.roll(whole, 1, axis=0)) > 0.8)
    assert severe.sum() > 20
    assert (np.nan_to_num(risk[severe]) > 0.5).mean() > 0.9
