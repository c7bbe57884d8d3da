from __future__ import annotations

import numpy as np
import pytest

from tft_dash.models.grading import RESTING_RISK
from tft_dash.models.outlook import CEILING, LONG_BASE, Outlook, within_30_minutes


def resting(servers: int, *others: float) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return np.array([*others, *[RESTING_RISK] * (servers - len(others))])


def test_a_fleet_at_rest_stands_at_the_base_whatever_its_size() -> None:
    assert within_30_minutes(resting(1)) == pytest.approx(0.08)
    assert within_30_minutes(resting(5_000)) == pytest.approx(0.08)


def test_every_risk_that_grows_makes_the_fleet_no_safer() -> None:
    for others in ([], [0.5], [0.9, 0.5]):
        found = [within_30_minutes(resting(10, *others, risk)) for risk in np.linspace(RESTING_RISK, 1.0, 30)]
        assert (np.diff(found) >= 0).all()
        assert found[-1] > found[0] + 0.1


def test_more_servers_in_trouble_are_worse_and_never_certain() -> None:
    found = [within_30_minutes(resting(40, *[0.95] * count)) for count in range(41)]
    assert (np.diff(found[:12]) > 0).all()
    assert found[1] > 0.4
    assert 0.7 < found[4] < found[-1] < CEILING


def test_servers_without_a_risk_do_not_count() -> None:
    outlook, other = Outlook(5.0), Outlook(5.0)
    assert outlook.look(np.array([0.8, np.nan, 0.1])) == other.look(np.array([0.8, 0.1]))
    assert np.isnan(outlook.look(np.array([np.nan, np.nan]))).all()


def test_the_longer_horizon_falls_later_than_the_shorter_one() -> None:
    outlook = Outlook(5.0)
    for _ in range(30):
        outlook.look(resting(10, 0.9))
    soon, late = outlook.look(resting(10))
    rest = Outlook(5.0).look(resting(10))
    assert soon == rest[0]
    assert late > rest[1] + 0.1
    for _ in range(200):
        soon, late = outlook.look(resting(10))
    assert late == pytest.approx(rest[1], abs=0.02)


def test_the_longer_horizon_is_always_the_likelier() -> None:
    outlook = Outlook(60.0)
    for risk in np.random.default_rng(3).random((200, 6)):
        soon, late = outlook.look(risk)
        assert soon + LONG_BASE * (1.0 - soon) < late < 1.0
