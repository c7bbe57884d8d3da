"""Histories in parts: the same whoever builds them, never more than a part in memory, gone on with when killed."""

from __future__ import annotations

import tracemalloc
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

pytest.importorskip("sklearn", reason="measuring needs the extra 'train'")

from support.histories import gathered_in_memory

from tft_dash.errors import DataError, StorageError, TftDashError, UnreachableError, UsageError
from tft_dash.scenarios.files import generate_drill
from tft_dash.scenarios.library import load_scenario
from tft_dash.schema import Window
from tft_dash.training.building import Crew, FleetFacts, Gathered, RecordedOrigin, SimulatedOrigin, gathered
from tft_dash.training.building import crew as crews
from tft_dash.training.building.parts import Task
from tft_dash.training.fleets import digest_of
from tft_dash.training.measuring.answers import Stretch, stretch_of

ORIGINS = (SimulatedOrigin(3, 5, 2.0), SimulatedOrigin(4, 5, 2.0))
FEW_ROWS = 1300
"""Two servers to a part."""


def build(folder: Path, crew: Crew | None = None, rows: int = FEW_ROWS) -> Gathered:
    return gathered(ORIGINS, [one.facts() for one in ORIGINS], folder, crew or Crew(), rows=rows)


def same(one: Gathered, other: Gathered) -> bool:
    return digest_of(one.history) == digest_of(other.history) and np.array_equal(one.risk, other.risk, equal_nan=True)


def test_parts_of_any_size_make_the_same_history_and_that_of_the_whole_fleet(tmp_path: Path) -> None:
    whole, parts = build(tmp_path / "whole", rows=10**9), build(tmp_path / "parts")
    assert same(whole, parts)
    assert isinstance(parts.history.metrics, np.memmap)
    assert not (tmp_path / "parts" / "parts").exists()
    second = gathered_in_memory(4, 5, 2.0)
    first = parts.fleets[0].servers
    alone = stretch_of(parts, Stretch(1, first, first + parts.fleets[1].servers))[1]
    assert same(alone, second)
    assert alone.fleets == second.fleets


def test_dasks_own_processes_build_the_same_to_the_bit(tmp_path: Path) -> None:
    pytest.importorskip("dask", reason="needs the extra 'train'")
    assert same(build(tmp_path / "alone"), build(tmp_path / "dask", Crew(workers=2)))


@pytest.mark.filterwarnings("ignore")
def test_a_dask_cluster_builds_the_same_to_the_bit(tmp_path: Path) -> None:
    distributed = pytest.importorskip("distributed", reason="needs the extra 'train'")
    with distributed.LocalCluster(
        n_workers=1, threads_per_worker=2, processes=False, dashboard_address=None
    ) as cluster:
        found = build(tmp_path / "cluster", Crew(scheduler=cluster.scheduler_address))
    assert same(build(tmp_path / "alone"), found)


def test_a_scheduler_that_is_not_there_and_an_address_that_is_none_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("distributed", reason="needs the extra 'train'")
    monkeypatch.setattr("tft_dash.training.building.crew.CONNECT_SECONDS", 1.0)
    with pytest.raises(UnreachableError, match="no Dask scheduler answers"):
        build(tmp_path / "a", Crew(scheduler="tcp://127.0.0.1:1"))
    with pytest.raises(UsageError, match="is no address"):
        build(tmp_path / "b", Crew(scheduler="foo://somewhere"))


def test_what_was_built_is_not_built_again_and_what_was_left_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[Path] = []

    def stopping(task: Task) -> TftDashError | None:
        if len(made) == 2:
            raise KeyboardInterrupt
        made.append(task.folder)
        return real(task)

    real = crews.build
    monkeypatch.setattr(crews, "build", stopping)
    with pytest.raises(KeyboardInterrupt):
        build(tmp_path / "work")
    made.append(Path("never stop again"))
    found = build(tmp_path / "work")
    assert len(made) == len(set(made)) == 6 + 1
    build(tmp_path / "work")
    assert len(made) == 6 + 1
    monkeypatch.undo()
    assert same(found, build(tmp_path / "undisturbed"))


def test_another_fleet_replaces_what_was_built(tmp_path: Path) -> None:
    build(tmp_path)
    other = SimulatedOrigin(9, 2, 2.0)
    found = gathered([other], [other.facts()], tmp_path, Crew())
    assert found.history.servers == 2
    assert same(found, gathered_in_memory(9, 2, 2.0))


@dataclass(frozen=True)
class Wide:
    """A fleet of any size that costs nothing to make."""

    servers: int
    ticks: int = 2000
    zone: str = ""

    def facts(self) -> FleetFacts:
        return FleetFacts("wide", self.servers, self.ticks)

    def key(self) -> str:
        return f"wide {self.servers}"

    def raw_ticks(self) -> int:
        return self.ticks

    def window(self, first: int, last: int) -> Window:
        cpu = np.full((self.ticks, last - first), 20.0, np.float32)
        names = tuple(f"s{place}" for place in range(first, last))
        return Window(np.datetime64("2026-01-05", "ms"), 300.0, names, ("web",) * len(names), {"cpu_pct": cpu})


def test_memory_does_not_grow_with_the_fleet(tmp_path: Path) -> None:
    peaks = []
    for servers in (8, 64):
        origin = Wide(servers)
        tracemalloc.start()
        found = gathered([origin], [origin.facts()], tmp_path / str(servers), Crew(), rows=4 * origin.ticks)
        found.history.incidents_of(range(servers))
        digest_of(found.history.stretch(0, 4))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert found.history.rows == servers * origin.ticks
    assert peaks[1] < 1.3 * peaks[0]
    assert peaks[1] < 0.5 * sum(path.stat().st_size for path in (tmp_path / "64").glob("*.npy"))


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match="cannot be written"):
        build(tmp_path / "file" / "work")


def test_a_recording_is_built_in_parts_from_its_file_and_refused_when_it_changes(tmp_path: Path) -> None:
    scenario = load_scenario("fleet-history").with_overrides(seed=3, fleet_size=5, duration_seconds=2 * 86_400)
    generate_drill(scenario, tmp_path, name="fleet", formats=("parquet",))
    path = tmp_path / "fleet.parquet"
    opened = RecordedOrigin("fleet", path, tmp_path / "cache", "")
    origin = RecordedOrigin("fleet", path, tmp_path / "cache", opened._source().describe().digest)
    found = gathered([origin], [origin.facts()], tmp_path / "work", Crew(), rows=FEW_ROWS)
    assert digest_of(found.history) == digest_of(gathered_in_memory(3, 5, 2.0).history)
    table = pq.read_table(path)
    pq.write_table(table.slice(0, len(table) - 50), path)
    with pytest.raises(DataError, match="has changed"):
        gathered([origin], [FleetFacts("fleet", 5, 576)], tmp_path / "other", Crew())


@pytest.mark.parametrize(("step", "words"), [(900.0, "900 s"), (7.0, "7 s")])
def test_a_step_that_cannot_be_averaged_is_refused_in_words(tmp_path: Path, step: float, words: str) -> None:
    lines = ["timestamp,server_name,profile,cpu_pct"]
    start = np.datetime64("2026-01-05T00:00:00")
    lines += [f"{start + np.timedelta64(int(step) * tick, 's')},a,web,20.0" for tick in range(40)]
    (tmp_path / "x.csv").write_text("\n".join(lines) + "\n")
    with pytest.raises(DataError, match=f"'x' cannot be learnt from.*{words}"):
        RecordedOrigin("x", tmp_path / "x.csv", tmp_path / "cache", "").facts()
