"""A viewer's place is a function of the playback and the time."""

import pytest

from tft_dash.errors import UsageError
from tft_dash.playback import Playback, decode, position

SENT = {"source": "demo", "model": "thresholds", "tick": 3, "at": 1000.0, "speed": 2, "playing": True}


def at(now_ms: float, *, tick: int = 3, speed: float = 1.0, playing: bool = True, ticks: int = 60) -> int:
    playback = Playback("demo", "thresholds", tick, 1000.0, speed, playing)
    return position(playback, now_ms, ticks=ticks, tick_seconds=5.0)


def test_a_tick_passes_when_its_wall_time_has_passed() -> None:
    assert [at(1000.0), at(5999.0), at(6000.0), at(11_000.0)] == [3, 3, 4, 5]


def test_speed_multiplies_the_pace() -> None:
    assert at(6000.0, speed=10.0) == 13
    assert at(11_000.0, speed=0.5) == 4


def test_a_paused_playback_stays() -> None:
    assert at(1e9, playing=False) == 3


def test_the_place_stays_within_the_recording() -> None:
    assert at(1e12) == 59
    assert at(1000.0, tick=-5) == 0
    assert at(1000.0, tick=99, playing=False) == 59
    assert at(1000.0, tick=0, ticks=1) == 0


def test_a_clock_that_went_back_does_not_move_the_viewer_back() -> None:
    assert at(0.0) == 3


def test_what_the_page_sends_becomes_a_playback() -> None:
    assert decode(SENT) == Playback("demo", "thresholds", 3, 1000.0, 2.0, playing=True)


@pytest.mark.parametrize(
    ("name", "value"),
    [("source", None), ("model", 7), ("tick", "x"), ("tick", float("nan")), ("at", -1), ("speed", 0), ("speed", 61),
     ("speed", True),
        ("playing", "yes"),
        ("playing", None), ("playing", "yes"), ("playing", None)],
)  # fmt: skip
def test_an_impossible_part_is_named(name: str, value: object) -> None:
    with pytest.raises(UsageError, match=f"link's {name}"):
        decode({**SENT, name: value})
