"""A clock that does not follow a jump until it has lasted."""

from __future__ import annotations

import numpy as np
import pytest

from tft_dash.live.clock import SteadyClock

START = np.datetime64("2026-03-01T12:00:00.000", "ms")


def at(seconds: float) -> np.datetime64:
    return START + np.timedelta64(round(seconds * 1000), "ms")


class Elapsed:
    """Seconds that a test lets go by."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def elapsed() -> Elapsed:
    return Elapsed()


@pytest.fixture
def clock(elapsed: Elapsed) -> SteadyClock:
    made = SteadyClock(monotonic=elapsed, patience_seconds=60, tolerance_seconds=2)
    made.show(START)
    return made


def test_between_two_looks_time_goes_on_by_itself(clock: SteadyClock, elapsed: Elapsed) -> None:
    elapsed.seconds = 7.25
    assert clock.now() == at(7.25)


def test_a_small_difference_is_followed_at_once(clock: SteadyClock, elapsed: Elapsed) -> None:
    elapsed.seconds = 10
    clock.show(at(11.5))
    assert clock.now() == at(11.5)
    assert not clock.jumped


@pytest.mark.parametrize("jump", [3600.0, -3600.0])
def test_a_jump_is_followed_when_it_has_lasted_a_minute(clock: SteadyClock, elapsed: Elapsed, jump: float) -> None:
    for second in range(10, 70, 5):
        elapsed.seconds = second
        clock.show(at(second + jump))
        assert clock.now() == at(second)
        assert clock.jumped
    elapsed.seconds = 70
    clock.show(at(70 + jump))
    assert clock.now() == at(70 + jump)
    assert not clock.jumped


def test_a_jump_that_is_taken_back_was_none(clock: SteadyClock, elapsed: Elapsed) -> None:
    elapsed.seconds = 30
    clock.show(at(3630))
    elapsed.seconds = 60
    clock.show(at(60))
    assert not clock.jumped
    elapsed.seconds = 100
    clock.show(at(3700))  # a new jump waits for a minute of its own
    assert clock.now() == at(100)


def test_a_clock_that_nobody_has_shown_tells_no_time(elapsed: Elapsed) -> None:
    clock = SteadyClock(monotonic=elapsed)
    assert not clock.known
    with pytest.raises(ValueError, match="no clock was shown"):
        clock.now()
