"""The record of whole fleets: any server counts, ticks in trouble do not, and the ranges hold what was said."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("sklearn", reason="measuring needs the extra 'train'")

from support.histories import fleets_of, joined

from tft_dash.models.forecasting.outcomes import NEVER
from tft_dash.schema import THRESHOLDS, Window
from tft_dash.training.building import Gathered
from tft_dash.training.histories import Histories, Rows, history_of
from tft_dash.training.measuring.answers import Answers
from tft_dash.training.measuring.whole import Reals, fleet_reliability

TICKS = 600
CRITICAL = THRESHOLDS["cpu_pct"].critical + 5


def fleet(servers: int, hot: dict[int, slice]) -> Histories:
    """A calm fleet with some servers critical in some ticks."""
    cpu = np.full((TICKS, servers), 20, np.float32)
    for server, ticks in hot.items():
        cpu[ticks, server] = CRITICAL
    names = tuple(f"web-{place}" for place in range(servers))
    start = np.datetime64("2026-01-05T00:00:00.000", "ms")
    return history_of(Window(start, 300.0, names, ("web",) * servers, {"cpu_pct": cpu}))


def told(history: Histories, sizes: list[int], soon: float) -> dict[str, list[tuple[float, int, float]]]:
    """Per horizon the ranges as ``(low, count, happened)``, where every row says ``soon`` for both horizons."""
    rows = np.flatnonzero(~history.critical).astype(np.int64)
    said = np.full(len(rows), soon)
    found = fleet_reliability(answers(history, sizes, rows, said), "tft")
    return {name: [(one.low, one.count, one.happened[0] or 0.0) for one in bins] for name, bins in found.items()}


def answers(history: Histories, sizes: list[int], rows: Rows, said: Reals) -> Answers:
    data = Gathered(fleets_of(sizes, TICKS), history, np.zeros(history.rows, np.float32))
    return Answers(data, rows, {"tft": (said, said)})


def test_one_server_in_trouble_soon_makes_it_true_of_the_fleet() -> None:
    history = fleet(4, {2: slice(300, 310)})
    found = told(history, [4], 0.1)
    ((low, count, happened),) = found["30m"]
    assert low == 0.2  # 1 − 0.9⁴ = 0.34
    assert count == TICKS - 10
    assert happened == pytest.approx(6 / (TICKS - 10))
    assert found["8h"][0][2] == pytest.approx(96 / (TICKS - 10))


def test_ticks_at_which_a_server_is_critical_already_are_left_out() -> None:
    calm = told(fleet(2, {}), [2], 0.3)["30m"]
    assert calm == [(0.4, TICKS, 0.0)]
    troubled = told(fleet(2, {0: slice(0, TICKS)}), [2], 0.3)
    assert troubled == {}


def test_fleets_are_held_apart(tmp_path: Path) -> None:
    history = joined([fleet(1, {0: slice(300, 310)}), fleet(3, {})], tmp_path)
    found = told(history, [1, 3], 0.5)["30m"]
    assert [(low, count) for low, count, _ in found] == [(0.4, TICKS - 10), (0.8, TICKS)]
    assert found[0][2] > 0
    assert found[1][2] == 0


def test_a_server_without_an_answer_adds_nothing() -> None:
    history = fleet(2, {})
    rows = np.arange(TICKS, dtype=np.int64)  # of the first server alone
    bins = fleet_reliability(answers(history, [2], rows, np.full(TICKS, 0.3)), "tft")["30m"]
    assert [(one.low, one.count, one.said) for one in bins] == [(0.2, TICKS, pytest.approx(0.3))]
    assert (history.first == NEVER).all()


def test_nothing_said_is_no_record() -> None:
    assert fleet_reliability(answers(fleet(2, {}), [2], np.zeros(0, np.int64), np.zeros(0)), "tft") == {}
