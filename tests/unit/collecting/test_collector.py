"""A collector, by a clock that is moved by hand."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import Connection
from support.live import ShakyStore, World, seconds

from tft_dash.collecting.process import run
from tft_dash.live.samples import Rejected, no_samples
from tft_dash.models.base import RiskModel
from tft_dash.models.thresholds import ThresholdModel
from tft_dash.schema import NO_STATE
from tft_dash.store.engine import Store
from tft_dash.store.live import Hooks
from tft_dash.ticks import Roster, TickRecord


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(f"sqlite:///{tmp_path}/store.sqlite")
    yield opened
    opened.close()


@pytest.fixture
def world(store: Store) -> World:
    return World(store)


def test_every_step_becomes_one_tick_with_what_the_model_says_of_it(world: World) -> None:
    collector = world.collector()
    world.live(collector, 12)
    records = world.recorded()
    assert [record.tick for record in records] == list(range(12))
    assert all(record.servers == ("a", "b") for record in records)
    assert all(record.reporting == 2 for record in records)
    assert [float(record.metrics["cpu_pct"][0]) for record in records] == [20.0] * 12
    assert records[-1].time == world.now
    assert set(np.diff([record.time for record in records])) == {seconds(5)}
    assert records[-1].prob_30m > 0
    assert not np.isnan(records[-1].risk).any()
    assert records[-1].cpu_median == 20.0
    assert records[-1].model == "thresholds 1"


def test_nothing_is_recorded_before_the_first_sample_and_the_state_says_so(world: World) -> None:
    collector = world.collector()
    for _ in range(5):
        world.forward(5)
        collector.round()
    state = world.ticks.state("fleet")
    assert state is not None
    assert (state.latest, state.origin) == (-1, None)
    assert "has not had a sample yet" in state.problem
    world.live(collector, 2)
    after = world.ticks.state("fleet")
    assert after is not None
    assert (after.latest, after.problem) == (1, "")


def test_what_a_new_source_has_already_is_recorded_from_its_first_sample_on(world: World) -> None:
    for _ in range(30):
        world.forward(5)
        world.report()
    world.collector().round()
    records = world.recorded()
    assert len(records) == 30
    assert records[-1].time == world.now


def test_a_tick_is_left_open_for_the_delay(world: World) -> None:
    collector = world.collector(delay=5.0)
    world.forward(5)
    world.report(servers=("a",))
    collector.round()
    assert world.recorded() == ()
    world.report(servers=("b",))  # late, but within the delay
    world.forward(4.9)
    collector.round()
    assert world.recorded() == ()
    world.forward(0.1)
    collector.round()
    (record,) = world.recorded()
    assert record.servers == ("a", "b")
    assert record.reporting == 2


def test_an_outage_is_stale_while_it_lasts_and_filled_afterwards(world: World) -> None:
    collector = world.collector()
    world.live(collector, 3)
    world.feed.away = "connection refused"
    for _ in range(60):
        world.forward(5)
        world.report(40.0)
        collector.round()
    state = world.ticks.state("fleet")
    assert state is not None
    assert (state.latest, state.problem) == (2, "connection refused")
    assert state.answered is not None
    world.feed.away = None
    collector.round()
    records = world.recorded()
    assert [record.tick for record in records] == list(range(63))
    assert all(record.reporting == 2 for record in records)
    after = world.ticks.state("fleet")
    assert after is not None
    assert after.problem == ""


def test_a_span_in_which_nobody_reported_is_recorded_as_missing_once_the_source_has_answered(world: World) -> None:
    collector = world.collector()
    world.live(collector, 3)
    for _ in range(6):
        world.forward(5)
        collector.round()
    records = world.recorded()
    assert len(records) == 9
    for record in records[3:]:
        assert (record.reporting, record.states.tolist()) == (0, [NO_STATE, NO_STATE])
        assert np.isnan(record.risk).all()  # though the model lets a server keep its last word for three ticks
        assert np.isnan([record.prob_30m, record.cpu_median]).all()


def test_what_lies_further_back_than_is_set_is_left_out_and_ticks_keep_their_numbers(world: World) -> None:
    collector = world.collector(backfill=10)
    world.live(collector, 3)
    world.feed.away = "away"
    for _ in range(40):
        world.forward(5)
        world.report()
    world.feed.away = None
    collector.round()
    records = world.recorded()
    assert [record.tick for record in records] == [0, 1, 2, *range(33, 43)]
    assert records[-1].time == world.now


def test_a_collector_that_is_started_again_goes_on_as_if_it_had_never_stopped(world: World) -> None:
    random = np.random.default_rng(3)
    values = np.concatenate([random.normal(20, 3, 60), [80, 85, 90, 95], random.normal(20, 3, 20)])
    first = world.collector()
    for place, cpu in enumerate(values):
        world.forward(5)
        world.report(float(cpu))
        if place == 62:  # in the midst of it
            first.close()
            first = world.collector(holder="two")
        first.round()
    broken = world.recorded()

    again = World(world.store, name="other")
    whole = again.collector()
    for cpu in values:
        again.forward(5)
        again.report(float(cpu))
        whole.round()
    for one, other in zip(broken, again.recorded(), strict=True):
        np.testing.assert_array_equal(one.risk, other.risk)
        assert one.prob_30m == other.prob_30m
        assert one.prob_8h == other.prob_8h
    assert max(record.prob_30m for record in broken) > 0.5


def test_of_two_collectors_one_leads_and_the_other_takes_over_with_what_it_has_followed(world: World) -> None:
    one, two = world.collector(holder="one"), world.collector(holder="two")
    for _ in range(10):
        world.forward(5)
        world.report()
        one.round()
        two.round()
    one.close()
    for _ in range(10):
        world.forward(5)
        world.report()
        two.round()
    records = world.recorded()
    assert [record.tick for record in records] == list(range(20))
    state = world.ticks.state("fleet")
    assert state is not None
    assert state.holder == "two"


def test_one_that_lost_the_lead_without_knowing_records_nothing_and_follows(world: World) -> None:
    one, two = world.collector(holder="one"), world.collector(holder="two")
    world.live(one, 3)
    one._lead._stop.set()  # its lease is not renewed any more, as if its host slept
    with world.store.write() as connection:
        connection.exec_driver_sql("UPDATE live_sources SET until_ms = 0")
    world.live(two, 3)
    world.forward(5)
    world.report()
    assert one.round() == pytest.approx(2.0)
    two.round()
    records = world.recorded()
    assert [record.tick for record in records] == list(range(7))
    assert [record.prob_8h for record in records] == sorted(record.prob_8h for record in records)


def test_counts_tell_what_came_late_twice_or_from_the_future(world: World) -> None:
    collector = world.collector()
    world.live(collector, 3)
    world.forward(5)
    world.report()
    world.report()  # the same again: two duplicates
    world.feed.add(no_samples(late=3, future=2, rejected=[Rejected("out-of-range", 4, ("cpu_pct 140 on a",))]))
    collector.round()
    record = world.recorded()[-1]
    assert (record.counts.duplicate, record.counts.rejected) == (2, 4)
    state = world.ticks.state("fleet")
    assert state is not None
    assert (state.counts.duplicate, state.counts.rejected) == (2, 4)
    assert state.rejections == (("out-of-range", 4, ("cpu_pct 140 on a",)),)


def test_a_server_that_appears_falls_silent_and_is_forgotten(world: World) -> None:
    collector = world.collector(forget=60.0)
    world.live(collector, 3)
    for _ in range(16):
        world.forward(5)
        world.report(servers=("b", "c"))
        collector.round()
    rosters = [record.servers for record in world.recorded()]
    assert rosters[2] == ("a", "b")
    assert rosters[3] == ("a", "b", "c")  # 'a' was renamed to 'c'
    assert rosters[14] == ("a", "b", "c")
    assert rosters[15] == ("b", "c")
    silent = world.recorded()[10]
    assert silent.states.tolist() == [NO_STATE, 0, 0]
    assert np.isnan(silent.metrics["cpu_pct"][0])
    assert silent.reporting == 2


def test_a_source_whose_clock_is_set_back_goes_on_when_it_has_caught_up(world: World) -> None:
    collector = world.collector()
    world.live(collector, 20)
    world.clock.forward(-600)  # set back by ten minutes; the process's own time goes on
    for _ in range(180):
        world.forward(5)
        world.report()
        collector.round()
    records = world.recorded()
    times = [record.time for record in records]
    assert times == sorted(set(times))
    assert [record.tick for record in records] == list(range(len(records)))
    assert records[-1].time == world.now


def test_the_page_is_told_why_nothing_comes_after_a_clock_was_set_back(world: World) -> None:
    collector = world.collector()
    world.live(collector, 20)
    world.clock.forward(-3600)
    for _ in range(40):
        world.forward(5)
        world.report()
        collector.round()
    state = world.ticks.state("fleet")
    assert state is not None
    assert "set back" in state.problem


def test_a_clock_that_is_wrong_for_a_moment_closes_nothing_early(world: World) -> None:
    collector = world.collector()
    world.live(collector, 5)
    world.clock.forward(3600)
    for _ in range(4):
        world.elapsed += 5
        collector.round()
    world.clock.forward(-3600 + 20)
    for ago in (15, 10, 5, 0):
        world.report(ago=ago)
    collector.round()
    records = world.recorded()
    assert records[-1].time == world.now
    assert len(records) <= 9
    world.live(collector, 3)
    assert world.recorded()[-1].time == world.now


def test_a_clock_that_was_set_forward_is_followed_after_a_minute(world: World) -> None:
    collector = world.collector()
    world.live(collector, 5)
    world.clock.forward(600)
    for _ in range(30):
        world.forward(5)
        world.report()
        collector.round()
    assert world.recorded()[-1].time == world.now


def test_what_alerts_write_is_kept_with_its_tick_or_not_at_all(world: World) -> None:
    seen: list[int] = []

    def fail_at_two(connection: Connection, record: TickRecord) -> None:
        connection.exec_driver_sql("CREATE TABLE IF NOT EXISTS noted (tick INTEGER PRIMARY KEY)")
        connection.exec_driver_sql("INSERT INTO noted VALUES (?)", (record.tick,))
        seen.append(record.tick)
        if record.tick == 2:
            raise RuntimeError("alerts met a bug")

    collector = world.collector(hooks=Hooks(on_tick=fail_at_two))
    world.live(collector, 3)
    state = world.ticks.state("fleet")
    assert state is not None
    assert "alerts met a bug" in state.problem
    world.live(collector, 2)
    assert [record.tick for record in world.recorded()] == list(range(5))
    with world.store.read() as connection:
        noted = [row[0] for row in connection.exec_driver_sql("SELECT tick FROM noted ORDER BY tick")]
    assert noted == [0, 1, 3, 4]
    assert seen == list(range(5))


def test_a_store_that_is_away_for_a_while_loses_no_tick_and_none_is_judged_twice(world: World) -> None:
    shaky = ShakyStore(str(world.store._url))
    collector = world.collector(store=shaky)
    world.live(collector, 5)
    shaky.away = True
    world.live(collector, 7, cpu=60.0)
    shaky.away = False
    world.live(collector, 5)
    records = world.recorded()
    assert [record.tick for record in records] == list(range(17))

    again = World(world.store, name="other")
    whole = again.collector()
    again.live(whole, 5)
    again.live(whole, 7, cpu=60.0)
    again.live(whole, 5)
    assert [record.prob_8h for record in records] == [record.prob_8h for record in again.recorded()]
    shaky.close()


def test_a_history_that_was_dropped_begins_anew(world: World) -> None:
    collector = world.collector()
    world.live(collector, 5)
    assert world.ticks.forget("fleet")
    world.live(collector, 5)
    records = world.recorded()
    assert records[0].tick == 0
    assert records[-1].time == world.now


def test_every_tick_says_how_long_its_servers_have_been_silent_whoever_recorded_it(world: World) -> None:
    first = world.collector()
    world.live(first, 3)
    collector = first
    for place in range(6):
        world.forward(5)
        world.report(servers=("a",))
        collector.round()
        if place == 2:  # another collector takes over
            first.close()
            collector = world.collector(holder="two")
    world.live(collector, 1)
    silent = [record.silent_ticks.tolist() for record in world.recorded()]
    assert silent == [[0, 0]] * 3 + [[0, number] for number in range(1, 7)] + [[0, 0]]


def test_nothing_is_said_of_a_silent_server_nor_of_a_fleet_that_is_silent_as_a_whole(world: World) -> None:
    collector = world.collector()
    world.live(collector, 4, cpu=97.0)
    for servers in (("a",), ()):
        world.forward(5)
        world.report(cpu=97.0, servers=servers)
        collector.round()
    one, none = world.recorded()[-2:]
    assert one.risk[0] > 0
    assert np.isnan(one.risk[1])
    assert one.driver_metric[1].tolist() == [-1, -1]
    assert one.prob_30m > 0
    assert np.isnan(none.risk).all()
    assert np.isnan([none.prob_30m, none.prob_8h]).all()


def test_another_model_takes_over_between_two_ticks_and_knows_what_came_before(world: World) -> None:
    class Renamed(ThresholdModel):
        card = replace(ThresholdModel.card, version="2")

    now: list[RiskModel] = [ThresholdModel()]
    collector = world.collector(model=lambda _: now[0])
    world.live(collector, 40)
    now[0] = Renamed()
    world.live(collector, 5)
    records = world.recorded()
    assert [record.model for record in records] == ["thresholds 1"] * 40 + ["thresholds 2"] * 5
    assert not np.isnan(records[40].risk).any()
    assert records[40].prob_8h == pytest.approx(records[39].prob_8h, abs=0.01)


def test_a_fault_of_our_own_is_told_and_the_collector_begins_anew(world: World) -> None:
    class Faulty(ThresholdModel):
        broken = True

    model = Faulty()

    def give(_: Roster) -> RiskModel:
        if model.broken:
            raise RuntimeError("a bug")
        return model

    collector = world.collector(model=give)
    world.forward(5)
    world.report()
    stop = threading.Event()
    thread = threading.Thread(target=run, args=(collector, stop))
    thread.start()
    time.sleep(0.3)
    stop.set()
    thread.join(5)
    assert not thread.is_alive()
    assert world.recorded() == ()
    model.broken = False
    world.live(collector, 3)
    assert len(world.recorded()) == 4
