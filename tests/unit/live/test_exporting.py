"""A live source's recorded history, taken out as a recording that everything else reads."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner, Result
from support.live import World

from tft_dash.cli import main
from tft_dash.collecting.keeping import Keeper, Limits
from tft_dash.store.engine import Store
from tft_dash.store.live import Leases, LiveFacts

TICKS = 400


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A source of which 400 ticks of five seconds are recorded; in the second half a server is silent, one is new."""
    store = Store(f"sqlite:///{tmp_path}/store.sqlite")
    world = World(store)
    collector = world.collector()
    for tick in range(TICKS):
        world.forward(5)
        world.report(20.0 + tick % 50, ("a", "b") if tick < TICKS // 2 else ("a", "c"))
    for _ in range(20):
        collector.round()
    collector.close()
    yield world
    store.close()


def thinned(world: World, raw_seconds: float) -> None:
    """Have the history thinned out as a collector does in time."""
    lease = Leases(world.store).acquire(LiveFacts(world.name, "identity", "memory", "memory:", world.step, 0.0), "one")
    assert lease is not None
    elapsed = iter(range(0, 10**6, 301))
    keeper = Keeper(
        world.store, world.name, Limits(raw_seconds, 1e9, 10**12), monotonic=lambda: float(next(elapsed))
    )  # fmt: skip
    while keeper.keep(lease, world.now):
        pass


def call(folder: Path, *arguments: object) -> Result:
    environ = {
        "TFT_DASH_STORE": f"sqlite:///{folder}/store.sqlite", "TFT_DASH_DATA": str(folder / "data"),
        "TFT_DASH_CACHE": str(folder / "cache"),
    }  # fmt: skip
    return CliRunner(env=environ).invoke(main, [str(one) for one in arguments])


def export(folder: Path, *options: object) -> Result:
    return call(folder, "source", "export", "fleet", "--output", folder / "out.parquet", *options)


def test_every_row_that_was_measured_is_in_the_recording_and_no_other(world: World, tmp_path: Path) -> None:
    result = export(tmp_path)
    assert result.exit_code == 0, result.output
    assert f"{2 * TICKS} rows, {TICKS} ticks" in result.stderr
    table = pd.read_parquet(tmp_path / "out.parquet")
    records = world.recorded()
    expected = [
        (record.time, name, float(record.metrics["cpu_pct"][place]))
        for record in records for place, name in enumerate(record.servers) if record.states[place] >= 0
    ]  # fmt: skip
    assert len(table) == len(expected) == 2 * TICKS
    assert table["server_name"].tolist() == [name for _, name, _ in expected]
    assert table["cpu_pct"].tolist() == [value for _, _, value in expected]
    times = table["timestamp"].dt.tz_localize(None).to_numpy("datetime64[ms]")
    np.testing.assert_array_equal(times, np.array([time for time, _, _ in expected], "datetime64[ms]"))
    assert {"prob_30m", "risk"}.isdisjoint(table.columns)


def test_it_is_a_recording_to_the_other_commands(world: World, tmp_path: Path) -> None:
    assert export(tmp_path).exit_code == 0
    assert call(tmp_path, "check", tmp_path / "out.parquet").exit_code == 0
    scored = call(tmp_path, "score", tmp_path / "out.parquet", "--output", tmp_path / "risks.parquet")
    assert scored.exit_code == 0, scored.output
    risks = pd.read_parquet(tmp_path / "risks.parquet")
    assert len(risks) == 2 * len(world.recorded())


def test_a_span_is_taken_out_alone_with_times_in_any_zone(world: World, tmp_path: Path) -> None:
    time = [record.time for record in world.recorded()]
    first, last = (str(one.astype("datetime64[s]")) for one in (time[100], time[149]))
    ahead = str((time[100] + np.timedelta64(2, "h")).astype("datetime64[s]")) + "+02:00"
    for since in (first, f"{first}Z", ahead):
        assert export(tmp_path, "--from", since, "--to", last).exit_code == 0
        table = pd.read_parquet(tmp_path / "out.parquet")
        assert table["timestamp"].nunique() == 50
        assert table["timestamp"].min().tz_localize(None) == pd.Timestamp(time[100])


def test_where_a_part_is_thinned_out_the_ticks_are_as_far_apart_all_over(world: World, tmp_path: Path) -> None:
    before = {record.tick: record for record in world.recorded()}
    thinned(world, raw_seconds=900)
    kept = {record.tick for record in world.recorded()}
    assert len(kept) < len(before)
    result = export(tmp_path)
    assert "every five minutes only" in result.stderr
    times = pd.Series(pd.read_parquet(tmp_path / "out.parquet")["timestamp"].unique())
    assert set(times.diff().dropna().dt.total_seconds()) == {300.0}
    assert len(times) == TICKS * 5 // 300
    since = str(before[TICKS - 100].time)
    fine = export(tmp_path, "--from", since)
    assert "every five minutes only" not in fine.stderr
    assert pd.read_parquet(tmp_path / "out.parquet")["timestamp"].nunique() == 100


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--from", "2031-01-01"), "It is kept from 20"),
        (("--from", "yesterday"), "--from yesterday is no time"),
        (("--to", "0001-01-01T00:00+14:00"), "is no time"),
        (("--output", "fleet.csv"), "is no Parquet file"),
    ],
)
def test_what_cannot_be_taken_out_is_refused_in_words_and_leaves_what_was_there(
    world: World, tmp_path: Path, options: tuple[str, str], words: str
) -> None:
    assert world.recorded()
    (tmp_path / "out.parquet").write_bytes(b"mine")
    result = export(tmp_path, *options)
    assert result.exit_code == 2
    assert words in result.stderr
    assert (tmp_path / "out.parquet").read_bytes() == b"mine"
    assert not list(tmp_path.glob(".*.part"))


def test_a_source_that_nobody_has_collected_is_named(world: World, tmp_path: Path) -> None:
    assert world.recorded()
    result = call(tmp_path, "source", "export", "flet", "--output", tmp_path / "out.parquet")
    assert result.exit_code != 0
    assert "fleet" in result.stderr
