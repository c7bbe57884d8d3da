"""What alerts were worth is counted from what people said of their problems."""

from __future__ import annotations

from typing import Any

import pytest
from unit.alerts.test_receivers import problem

from tft_dash.alerting.kept import Kept
from tft_dash.alerting.worth import Worth, worth_of
from tft_dash.alerts.problem import Remarks


def kept(outcome: Any, **more: Any) -> Kept:
    return Kept(problem(**{"model": "tft 0.2.0", **more}), Remarks(outcome))


def test_outcomes_are_counted_by_source_and_model() -> None:
    found = worth_of([
        kept("true"), kept("true"), kept("false"), kept("unclear"), kept(None),
        kept("true", model="thresholds 1"), kept("false", source="another"),
        kept("false", kind="no-data"),
    ])  # fmt: skip
    assert found == (
        Worth("another", "tft 0.2.0", 0, 1, 0, 0),
        Worth("fleet", "tft 0.2.0", 2, 1, 1, 1),
        Worth("fleet", "thresholds 1", 1, 0, 0, 0),
    )
    assert [one.problems for one in found] == [1, 5, 1]
    assert [one.precision for one in found] == [0.0, pytest.approx(2 / 3), 1.0]


def test_where_nobody_has_said_anything_clear_there_is_no_share() -> None:
    (one,) = worth_of([kept("unclear"), kept(None)])
    assert one.precision is None
