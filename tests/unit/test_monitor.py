"""Source + model + tick is a fact; the cache of frames is bounded."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tft_dash.background import Background
from tft_dash.errors import UsageError
from tft_dash.models.scripted import ScriptedModel
from tft_dash.models.thresholds import ThresholdModel
from tft_dash.monitor import FRAMES_KEPT, TRACE_TICKS, Monitor
from tft_dash.sources.memory import MemorySource

TICKS = FRAMES_KEPT + 10


@pytest.fixture
def monitor(tmp_path: Path) -> Monitor:
    return Monitor(tmp_path, Background(wait_seconds=None))


@pytest.fixture(scope="module")
def source() -> MemorySource:
    cpu = np.random.default_rng(3).uniform(20, 40, (TICKS, 4))
    cpu[5, 1] = np.nan
    phases = ["stable"] * 500 + ["peak"] * (TICKS - 500)
    return MemorySource.from_arrays({"cpu_pct": cpu}, phases=phases)


def test_a_frame_is_what_the_source_and_the_model_say(monitor: Monitor, source: MemorySource) -> None:
    model = ThresholdModel()
    whole = model.assess_recording(source.read(-1, TICKS).window)
    frame = monitor.frame(source, model, 5)
    assert np.array_equal(frame.metrics["cpu_pct"], source.read(4, 1).window.metrics["cpu_pct"][0], equal_nan=True)
    assert np.array_equal(frame.risk, whole.risk[5], equal_nan=True)
    assert len(frame.history.prob_30m) == 6
    assert frame.active == 3
    assert frame.phase == "stable"


def test_the_same_three_names_give_the_same_frame(monitor: Monitor, source: MemorySource) -> None:
    model = ThresholdModel()
    assert monitor.frame(source, model, 7) is monitor.frame(source, model, 7)
    assert monitor.frame(source, ScriptedModel(), 7) is not monitor.frame(source, model, 7)


def test_the_cache_of_frames_stays_bounded(monitor: Monitor, source: MemorySource) -> None:
    model = ThresholdModel()
    first = monitor.frame(source, model, 0)
    for tick in range(1, TICKS):
        monitor.frame(source, model, tick)
    assert monitor.frame(source, model, TICKS - 1) is monitor.frame(source, model, TICKS - 1)
    assert monitor.frame(source, model, 0) is not first


@pytest.mark.parametrize("tick", [-1, TICKS])
def test_a_tick_that_is_not_there_is_refused_with_those_that_are(
    monitor: Monitor, source: MemorySource, tick: int
) -> None:
    with pytest.raises(UsageError, match=f"0 to {TICKS - 1}"):
        monitor.frame(source, ThresholdModel(), tick)


@pytest.mark.parametrize(("tick", "first"), [(3, 0), (500, 500 - TRACE_TICKS + 1)])
def test_a_trace_ends_at_its_tick(monitor: Monitor, source: MemorySource, tick: int, first: int) -> None:
    trace = monitor.trace(source, ThresholdModel(), tick, 2)
    assert trace.first_tick == first
    assert len(trace.risk) == len(trace.metrics["cpu_pct"]) == tick - first + 1
    assert trace.metrics["cpu_pct"][-1] == source.read(tick - 1, 1).window.metrics["cpu_pct"][0, 2]
