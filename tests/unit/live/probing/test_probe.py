from __future__ import annotations

from collections.abc import Callable

import numpy as np
import orjson
import pytest

from tft_dash.errors import SourceUnreachableError
from tft_dash.live.feeds.memory import DEFAULT_NOW, ManualClock, MemoryFeed
from tft_dash.live.probing.probe import Probe, probe
from tft_dash.live.probing.telling import as_plain, as_text
from tft_dash.live.probing.verdict import problems, remarks
from tft_dash.live.samples import Rejected, Samples, no_samples
from tft_dash.live.specs import LiveSpec

SPEC = LiveSpec("fleet", "memory", "memory://fleet")


def ago(seconds: float) -> np.datetime64:
    return DEFAULT_NOW - np.timedelta64(round(seconds * 1000), "ms")


def probed(fill: Callable[[MemoryFeed], None], step: float = 5.0, clock_ahead: float = 0.0) -> Probe:
    feed = MemoryFeed(step, clock=ManualClock(ago(-clock_ahead)))
    fill(feed)
    return probe(SPEC, feed, ManualClock())


def steady(feed: MemoryFeed, *, every: int = 5, until: int = 5, first: int = 305) -> None:
    for second in range(first, until - 1, -every):
        feed.report(ago(second), {"cpu_pct": [10.0, 20.0], "mem_pct": [50.0, np.nan]}, ["a", "b"], ["web", None])


def test_a_steady_source_can_be_collected_so() -> None:
    found = probed(steady)
    assert problems(found) == ()
    assert remarks(found) == ()
    text = as_text(found)
    assert "It can be collected so." in text
    assert "servers    2: a, b" in text
    assert "profiles   web 1, generic (not said) 1" in text
    assert "samples of a server come every 5 s" in text
    assert "mem_pct        50%  50, 50, 50 %, of 1 servers only" in text
    assert "missing: latency_ms, error_rate, disk_io_mb_s, net_in_mb_s, net_out_mb_s, gc_pause_ms" in text
    assert any(line.split() == ["b", "online", "20", "missing"] for line in text.splitlines())


def test_the_plain_values_can_be_json_with_null_for_what_is_missing() -> None:
    plain = orjson.loads(orjson.dumps(as_plain(probed(steady))))
    assert plain["acceptable"] is True
    assert plain["frame"]["timestamp"] == "2023-12-31T23:59:55.000Z"
    assert plain["frame"]["servers"][1] == {"server_name": "b", "state": "online", "cpu_pct": 20.0, "mem_pct": None}
    assert plain["columns"]["cpu_pct"] == {"share": 1.0, "servers": 2, "lowest": 10.0, "median": 15.0, "highest": 20.0}


def test_a_step_that_is_too_short_is_told_with_the_right_one() -> None:
    found = probed(lambda feed: steady(feed, every=30, first=330))
    assert [words.rpartition("Add ")[2] for words in problems(found)] == ["step=30s to the URL."]


def test_gaps_are_told_with_the_longest() -> None:
    def fill(feed: MemoryFeed) -> None:
        steady(feed, until=200)
        steady(feed, first=150)

    found = probed(fill)
    assert problems(found) == ()
    assert found.missing_samples == 18
    assert any(
        "the longest silence is that of a: 50 s from 2023-12-31T23:56:40Z on" in words for words in remarks(found)
    )


def test_a_source_that_has_fallen_silent_is_told_with_its_age() -> None:
    assert "The newest sample is 60 s old" in problems(probed(lambda feed: steady(feed, until=60)))[0]
    old = probed(lambda feed: steady(feed, first=4000, until=3600))
    assert old.servers == ()
    assert "The newest sample is 60 minutes old (2023-12-31T23:00:00Z)" in problems(old)[0]
    assert "There is no tick to show." in as_text(old)


def test_a_source_that_never_had_anything_is_told_with_how_far_it_was_looked_back() -> None:
    found = probed(lambda _: None)
    assert "has not had a sample for 8.08 hours" in problems(found)[0]
    assert as_plain(found)["frame"] is None


def test_servers_without_any_value_are_not_acceptable() -> None:
    found = probed(lambda feed: [feed.report(ago(second), {}, ["a"]) for second in range(305, 4, -5)] and None)
    assert "no metric has a single value" in problems(found)[0]


def test_servers_that_are_all_down_are_not_taken_for_a_wrong_mapping() -> None:
    def fill(feed: MemoryFeed) -> None:
        for second in range(305, 4, -5):
            feed.add(Samples.of([ago(second)], ["a"], {}, up=[False]))

    assert problems(probed(fill))[0].startswith("Every server is offline.")


def test_what_was_rejected_is_told_with_what_to_do() -> None:
    def fill(feed: MemoryFeed) -> None:
        steady(feed)
        feed.add(no_samples(rejected=[Rejected("out-of-range", 3, ("cpu_pct 140 of a",))]))

    feed = MemoryFeed(5.0, clock=ManualClock())
    fill(feed)
    asked = feed.fetch

    def once_more(start: np.datetime64, end: np.datetime64) -> Samples:
        feed.add(no_samples(rejected=[Rejected("out-of-range", 3, ("cpu_pct 140 of a",))]))
        return asked(start, end)

    feed.fetch = once_more  # type: ignore[method-assign]
    told = " ".join(remarks(probe(SPEC, feed, ManualClock())))
    assert "out-of-range: 3 times (cpu_pct 140 of a). Correct the unit or the export." in told


def test_a_clock_that_differs_is_told() -> None:
    found = probed(lambda feed: steady(feed, until=-60), clock_ahead=60)
    assert problems(found) == ()
    assert "clock is 60 s ahead of this machine's" in remarks(found)[0]
    feed = MemoryFeed(5.0)
    steady(feed)
    assert "does not tell the time" in remarks(probe(SPEC, feed, ManualClock()))[0]


def test_servers_that_are_down_or_silent_now_are_named() -> None:
    def fill(feed: MemoryFeed) -> None:
        steady(feed, until=10)
        feed.add(Samples.of([ago(5)], ["a"], {"cpu_pct": [np.nan]}, up=[False]))

    told = remarks(probed(fill))
    assert "Offline at the newest tick: a." in told
    assert "Without a sample at the newest tick: b." in told


def test_a_source_that_does_not_answer_is_an_error() -> None:
    feed = MemoryFeed()
    feed.away = "It does not answer."
    with pytest.raises(SourceUnreachableError, match="does not answer"):
        probe(SPEC, feed, ManualClock())
