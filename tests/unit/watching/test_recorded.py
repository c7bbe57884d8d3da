"""The drift watch of live sources: judged by their collector from what was recorded, as issued."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import text, update
from support.held import LIMITS, MODEL, judged, recorded, simulated

from tft_dash.assessing import assess_source
from tft_dash.background import Background
from tft_dash.collecting.drift import DriftKeeper
from tft_dash.errors import LostLeadError
from tft_dash.live.source import LiveSource
from tft_dash.models.thresholds import ThresholdModel
from tft_dash.schema import Assessments, Window
from tft_dash.sources.memory import MemorySource
from tft_dash.store.engine import Store
from tft_dash.store.live import JUDGED_SPAN_MS, JudgedSpans, Lease, LiveStore, Poll
from tft_dash.store.live.keeping import thin
from tft_dash.store.schema import LIVE_JUDGED
from tft_dash.ticks import Roster
from tft_dash.watching.sums import SPAN_SECONDS
from tft_dash.watching.watch import Drift, watch_source
from tft_dash.watching.watches import Watches

START = np.datetime64("2026-03-02T00:05:00.000", "ms")
DAYS, SERVERS = 4, 4


@pytest.fixture(scope="module")
def window() -> Window:
    return replace(simulated(3001, DAYS, SERVERS), start=START)


@pytest.fixture(scope="module")
def said(window: Window, tmp_path_factory: pytest.TempPathFactory) -> Assessments:
    return assess_source(MemorySource(window, name="fleet"), MODEL, tmp_path_factory.mktemp("said")).assessments


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(f"sqlite:///{tmp_path}/store.sqlite")
    yield opened
    opened.close()


def watch_of(store: Store, tmp_path: Path, days: float = 30.0) -> Drift:
    watches = Watches(tmp_path / "cache", Background(None), JudgedSpans(store), days=days, least=50)
    return watches.recorded(LiveSource("fleet", LiveStore(store)), MODEL.card)


def test_the_two_spans_of_time_are_one() -> None:
    assert SPAN_SECONDS * 1000 == JUDGED_SPAN_MS


def test_a_live_fleet_is_watched_as_a_recording_of_it_is(
    store: Store, window: Window, said: Assessments, tmp_path: Path
) -> None:
    assert watch_of_nothing(store, window, said, tmp_path) == ()
    judged(store, Lease("fleet", "one", 1))
    found = watch_of(store, tmp_path)
    whole = watch_source(MemorySource(window, name="fleet"), MODEL, tmp_path, days=30.0, least=50)
    assert len(found.points) == 4 * DAYS - 3  # the first 16 hours are a context and a horizon, and end within a span
    mine, theirs = found.points[-1], whole.points[-1]
    assert theirs.forecasts - 3 * SERVERS <= mine.forecasts <= theirs.forecasts
    for name, (share, count) in theirs.coverage.items():
        assert mine.coverage[name][1] == pytest.approx(count, rel=0.05)
        assert mine.coverage[name][0] == pytest.approx(share, abs=0.01)
    for horizon, chance in theirs.chances.items():
        assert mine.chances[horizon].rows == pytest.approx(chance.rows, rel=0.2)
        assert mine.chances[horizon].said == pytest.approx(chance.said, rel=0.2)
    assert mine.state == theirs.state
    assert window.start + np.timedelta64(mine.tick * 300, "s") == START + np.timedelta64(DAYS * 1440 - 10, "m")


def watch_of_nothing(store: Store, window: Window, said: Assessments, tmp_path: Path) -> tuple[object, ...]:
    """The points before anything is judged."""
    recorded(store, window, said)
    return watch_of(store, tmp_path).points


def test_a_finer_step_with_the_same_values_is_judged_alike(window: Window, said: Assessments, tmp_path: Path) -> None:
    short = window.until(288)
    bodies = []
    for name, each in (("coarse", 1), ("fine", 5)):
        opened = Store(f"sqlite:///{tmp_path}/{name}.sqlite")
        judged(opened, recorded(opened, short, said, each=each))
        bodies.append(JudgedSpans(opened).bodies("fleet", MODEL.card.identity))
        opened.close()
    assert bodies[0] == bodies[1]
    assert len(bodies[0]) == 1


def test_what_another_model_has_said_does_not_count_but_bands_are_judged(
    store: Store, window: Window, said: Assessments
) -> None:
    lease = recorded(store, window.until(300), said, model="tft 0.0.9 abc")
    judged(store, lease)
    (body,) = JudgedSpans(store).bodies("fleet", MODEL.card.identity).values()
    assert '"forecasts":24.0' in body
    assert '"told":{"30m":[0.0,0.0' in body


def test_every_span_is_judged_once_and_none_of_which_ticks_are_gone(
    store: Store, window: Window, said: Assessments
) -> None:
    lease = recorded(store, window, said, each=5)
    last = window.start + np.timedelta64(DAYS, "D")
    edge = int((last - np.timedelta64(30, "h")).astype(np.int64))
    while thin(store, lease, edge):
        pass
    judged(store, lease)
    spans = JudgedSpans(store).bodies("fleet", MODEL.card.identity)
    assert len(spans) == 2
    judged(store, lease)
    assert JudgedSpans(store).bodies("fleet", MODEL.card.identity) == spans


def test_what_was_found_is_kept_for_as_long_as_the_history(store: Store, window: Window, said: Assessments) -> None:
    judged(store, recorded(store, window, said), replace(LIMITS, keep_seconds=86_400.0))
    spans = list(JudgedSpans(store).bodies("fleet", MODEL.card.identity))
    assert spans == list(range(spans[-1] - 4, spans[-1] + 1))


def test_whoever_has_lost_the_lead_writes_nothing(store: Store, window: Window, said: Assessments) -> None:
    lease = recorded(store, window.until(300), said)
    judged(store, replace(lease, epoch=lease.epoch - 1))
    assert JudgedSpans(store).newest("fleet", MODEL.card.identity) is None


def test_a_model_that_forecasts_nothing_is_not_watched(store: Store, window: Window, said: Assessments) -> None:
    lease = recorded(store, window.until(300), said)
    keeper = DriftKeeper(store, "fleet", LIMITS, lambda _: ThresholdModel(), monotonic=lambda: 1.0)
    keeper.go_on(lease)
    keeper.wait()
    assert JudgedSpans(store).newest("fleet", MODEL.card.identity) is None


def test_what_is_dropped_with_the_source_is_dropped_here_too(store: Store, window: Window, said: Assessments) -> None:
    judged(store, recorded(store, window.until(300), said))
    assert JudgedSpans(store).newest("fleet", MODEL.card.identity) is not None
    assert LiveStore(store).forget("fleet")
    assert JudgedSpans(store).newest("fleet", MODEL.card.identity) is None


def test_what_was_judged_once_is_not_told_for_ever(
    store: Store, window: Window, said: Assessments, tmp_path: Path
) -> None:
    judged(store, recorded(store, window.until(2 * 288), said))
    before = watch_of(store, tmp_path, days=1.0)
    assert before.points[-1].forecasts > 0
    recorded(store, window, said, after=2 * 288)  # and nobody judges it
    found = watch_of(store, tmp_path, days=1.0)
    assert found.points[: len(before.points)] == before.points
    assert found.points[-1].forecasts == 0
    assert found.points[-1].coverage == dict.fromkeys(before.points[-1].coverage, (None, 0))


def test_a_fleet_that_nobody_is_in_any_more_does_not_stop_the_watch(
    store: Store, window: Window, said: Assessments
) -> None:
    lease = recorded(store, window.until(287), said)
    last = LiveStore(store).tick("fleet", 286)
    assert last is not None
    time, nobody = last.time + np.timedelta64(5, "m"), Roster.of((), ())
    none, pairs = np.zeros(0, np.float32), np.zeros((0, 2), np.float32)
    empty = replace(
        last, tick=287, time=time, issued=time, roster=nobody, metrics={}, states=none.astype(np.int8), risk=none,
        driver_metric=pairs.astype(np.int8), driver_usual=pairs, server_prob_30m=none, server_prob_8h=none,
        reporting=0, silent_ticks=none.astype(np.int32),
    )  # fmt: skip
    LiveStore(store).record(lease, [empty], Poll())
    judged(store, lease)
    (body,) = JudgedSpans(store).bodies("fleet", MODEL.card.identity).values()
    assert '"forecasts":0.0' in body


def test_servers_that_come_and_go_are_judged_by_what_there_is_of_them(
    store: Store, window: Window, said: Assessments
) -> None:
    lease = recorded(store, window.until(200), said)
    turned = replace(
        window, servers=window.servers[::-1], profiles=window.profiles[::-1],
        metrics={name: values[:, ::-1] for name, values in window.metrics.items()},
    )  # fmt: skip
    mirrored = replace(said, **{
        name: getattr(said, name)[:, ::-1] for name in ("risk", "server_prob_30m", "server_prob_8h")
    })  # fmt: skip
    recorded(store, turned.until(288), mirrored, after=200)
    judged(store, lease)
    (mixed,) = JudgedSpans(store).bodies("fleet", MODEL.card.identity).values()
    assert '"forecasts":24.0' in mixed


def test_what_another_version_has_summed_counts_as_missing(
    store: Store, window: Window, said: Assessments, tmp_path: Path
) -> None:
    judged(store, recorded(store, window.until(2 * 288), said))
    with store.write() as connection:
        connection.execute(update(LIVE_JUDGED).values(body='{"format":"another"}'))
    assert {point.forecasts for point in watch_of(store, tmp_path).points} == {0}


def test_sums_of_a_history_that_was_dropped_are_not_written_to_the_next_one(
    store: Store, window: Window, said: Assessments
) -> None:
    lease = recorded(store, window.until(2), said)
    with pytest.raises(LostLeadError, match="another history"):
        JudgedSpans(store).put(lease, START - np.timedelta64(1, "s"), "m", 1, "{}", oldest=0)
    assert JudgedSpans(store).newest("fleet", "m") is None


def test_a_history_that_is_thinned_out_too_soon_is_told_once(
    store: Store, window: Window, said: Assessments, caplog: pytest.LogCaptureFixture
) -> None:
    lease = recorded(store, window.until(2), said)
    judged(store, lease, replace(LIMITS, raw_seconds=12 * 3600.0))
    assert [record.message.count("TFT_DASH_LIVE_RAW_HOURS keeps 12") for record in caplog.records] == [1]


def test_a_page_goes_on_with_the_watch_that_is_known_while_the_store_is_away(
    store: Store, window: Window, said: Assessments, tmp_path: Path
) -> None:
    judged(store, recorded(store, window.until(300), said))
    watches = Watches(tmp_path / "cache", Background(None), JudgedSpans(store), days=30.0, least=50)
    source = LiveSource("fleet", LiveStore(store), look_seconds=0.0)
    known = watches.recorded(source, MODEL.card)
    with store.write() as connection:
        connection.execute(text("ALTER TABLE live_sources RENAME TO gone"))
    assert source.state().store_away
    assert watches.recorded(source, MODEL.card) is known
