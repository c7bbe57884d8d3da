"""The data contract's table of thresholds, bands and words."""

import numpy as np
import pytest

from tft_dash.schema import (
    CRITICAL_ISSUE,
    HEALTH_BANDS,
    NO_STATE,
    ONLINE,
    RISK_BANDS,
    THRESHOLDS,
    WARNING,
    Driver,
    band_of,
    derive_states,
    readable,
    state_word,
)


def states_of(**metrics: float) -> int:
    return int(derive_states({name: np.array([value], np.float32) for name, value in metrics.items()})[0])


@pytest.mark.parametrize(
    ("metric", "value", "state"),
    [
        ("cpu_pct", 75.0, ONLINE),
        ("cpu_pct", 75.1, WARNING),
        ("cpu_pct", 90.1, CRITICAL_ISSUE),
        ("mem_pct", 80.1, WARNING),
        ("mem_pct", 90.1, CRITICAL_ISSUE),
        ("error_rate", 0.11, WARNING),
        ("error_rate", 0.31, CRITICAL_ISSUE),
        ("latency_ms", 1e6, ONLINE),
        ("cpu_pct", float("nan"), NO_STATE),
    ],
)
def test_a_state_follows_from_the_table_of_thresholds(metric: str, value: float, state: int) -> None:
    assert states_of(**{metric: value}) == state


def test_the_worst_metric_decides_and_a_missing_one_does_not_count() -> None:
    assert states_of(cpu_pct=95.0, mem_pct=float("nan")) == CRITICAL_ISSUE
    assert states_of(cpu_pct=10.0, mem_pct=float("nan")) == ONLINE


def test_states_need_a_metric() -> None:
    with pytest.raises(ValueError, match="at least one"):
        derive_states({})


def test_every_warning_lies_below_its_critical_value() -> None:
    assert all(threshold.warning < threshold.critical for threshold in THRESHOLDS.values())


@pytest.mark.parametrize(
    ("value", "word"), [(0.0, "GREEN"), (0.3, "GREEN"), (0.31, "YELLOW"), (0.71, "RED"), (float("nan"), "UNKNOWN")]
)
def test_health_is_a_band_and_nothing_known_is_unknown(value: float, word: str) -> None:
    assert band_of(value, HEALTH_BANDS).word == word


def test_bars_turn_orange_above_0_4_and_red_above_0_7() -> None:
    assert [band_of(value, RISK_BANDS).name for value in (0.1, 0.21, 0.41, 0.71)] == [
        "green", "yellow", "orange", "red",
    ]  # fmt: skip


def test_a_driver_says_its_value_and_what_is_usual() -> None:
    assert Driver("error_rate", 0.42, 0.003).words == "error_rate 0.42, usually 0.003"
    assert Driver("cpu_pct", 97.26, float("nan")).words == "cpu_pct 97.3"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (0.42, "0.42"),
        (0.0031, "0.003"),
        (12.34, "12.3"),
        (1250.4, "1,250"),
        (float("nan"), "missing"),
    ],
)
def test_numbers_are_readable(value: float, text: str) -> None:
    assert readable(value) == text


def test_nothing_reported_is_not_the_same_as_offline() -> None:
    assert state_word(NO_STATE) == "no data"
    assert state_word(3) == "offline"
