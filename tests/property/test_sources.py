"""Recordings that no one would write by hand: unsorted, jittered, gappy, duplicated, in many row groups."""

from __future__ import annotations

import tempfile
from collections import defaultdict
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as arrow_csv
import pyarrow.parquet as pq
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tft_dash.sources.file import FileSource
from tft_dash.sources.recording.alignment import SAMPLES_PER_SERVER, SeriesSample, infer_step, make_grid
from tft_dash.sources.recording.ticking import Ticking

START_MS = 1_714_564_800_000
STEP_MS = 5_000
SECOND = 1_000_000_000
SERVERS = ("web-1", "db-1", 'odd "name", <b>')

Row = tuple[int, str, float | None, float | None]

cells = st.none() | st.floats(0, 100, width=32).map(lambda value: abs(round(value, 3)))
rows = st.tuples(st.integers(0, 90_000), st.sampled_from(SERVERS), cells, cells)
lists = st.lists(rows, min_size=1, max_size=40).filter(lambda made: any(row[2] is not None for row in made))
tables = st.builds(
    lambda made, ordered: sorted(made, key=lambda row: row[0]) if ordered else made, lists, st.booleans()
)
quick = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def table_of(made: list[Row]) -> pa.Table:
    return pa.table(
        {
            "timestamp": pa.array([START_MS + row[0] for row in made], pa.timestamp("ms", "UTC")),
            "server_name": [row[1] for row in made],
            "cpu_pct": pa.array([row[2] for row in made], pa.float32()),
            "latency_ms": pa.array([row[3] for row in made], pa.float32()),
        }
    )


def ticks_of(made: list[Row]) -> list[int]:
    """Each row's tick; the second of two successive samples in one tick is pushed to the next, and others with it."""
    times = {name: [row[0] for row in made if row[1] == name] for name in SERVERS}
    firsts = {name: min(series) for name, series in times.items() if series}
    start = min(firsts.values())
    in_order = all(series == sorted(series) for series in times.values())
    before: dict[str, tuple[int, int, int]] = {}
    ticks = []
    for offset, server, *_ in made:
        base = (2 * (firsts[server] - start) + STEP_MS) // (2 * STEP_MS)
        nominal = base + (2 * (offset - firsts[server]) + STEP_MS) // (2 * STEP_MS)
        last, then, pushed = before.get(server, (-99, 0, 0))
        if nominal - last >= 2:
            pushed = 0
        elif nominal == last and offset - then > 0.6 * STEP_MS:
            pushed = 1
        before[server] = (nominal, offset, pushed)
        ticks.append(nominal + pushed if in_order else nominal)
    return ticks


def expected(made: list[Row]) -> dict[tuple[int, str], tuple[int, float | None, float | None]]:
    """(tick, server) → the last sample's time, and each metric's last value; as the contract says, row by row."""
    held = defaultdict(list)
    for place, ((_, server, cpu, latency), tick) in enumerate(zip(made, ticks_of(made), strict=True)):
        held[tick, server].append((made[place][0], place, cpu, latency))
    merged = {}
    for cell, samples in held.items():
        cpu = latency = None
        for _, _, one, other in sorted(samples, key=lambda sample: sample[:2]):
            cpu, latency = cpu if one is None else one, latency if other is None else other
        merged[cell] = (max(sample[0] for sample in samples), cpu, latency)
    return merged


def found(source: FileSource) -> dict[tuple[int, str], tuple[int, float | None, float | None]]:
    about = source.describe()
    window, times = source.read(-1, about.ticks or 0).window, source.sample_times(-1, about.ticks or 0)
    nothing = np.full(times.shape, np.nan, np.float32)
    columns = [window.metrics.get(name, nothing) for name in ("cpu_pct", "latency_ms")]
    held = {}
    for tick, server in np.argwhere(~np.isnat(times)):
        offset = int(times[tick, server].astype("datetime64[ms]").astype(np.int64)) - START_MS
        values = [None if np.isnan(column[tick, server]) else float(column[tick, server]) for column in columns]
        held[int(tick), about.servers[server]] = (offset, values[0], values[1])
    return held


def same(one: dict, other: dict) -> bool:
    rounded = [
        {
            cell: (time, *(None if value is None else np.float32(value) for value in values))
            for cell, (time, *values) in held.items()
        }
        for held in (one, other)
    ]
    return rounded[0] == rounded[1]


@quick
@given(tables, st.integers(1, 9))
def test_every_cell_holds_the_last_value_of_its_samples_in_any_order_and_any_row_groups(
    made: list[Row], group: int
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "made.parquet")
        pq.write_table(table_of(made), path, row_group_size=group)
        source = FileSource(path, name="made", cache_folder=Path(folder, "cache"), step_seconds=STEP_MS / 1000)
        assert same(found(source), expected(made))


@quick
@given(tables)
def test_csv_and_parquet_of_the_same_rows_are_the_same_recording(made: list[Row]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        pq.write_table(table_of(made), Path(folder, "made.parquet"))
        arrow_csv.write_csv(table_of(made), Path(folder, "made.csv"))
        sources = [
            FileSource(Path(folder, f"made.{kind}"), name="made", cache_folder=Path(folder, kind), step_seconds=5.0)
            for kind in ("csv", "parquet")
        ]
        assert found(sources[0]) == found(sources[1])
        assert sources[0].describe().servers == sources[1].describe().servers


regular = st.tuples(
    st.sampled_from([0.25, 1.0, 5.0, 15.0, 47.0, 60.0, 300.0]), st.integers(1, 5), st.integers(0, 2**32 - 1)
)


def sampled(step: float, servers: int, seed: int, ticks: int, jitter: float) -> list[np.ndarray]:
    """Each server's times, at its own moment of the step, off by up to ``jitter`` of a step."""
    random = np.random.default_rng(seed)
    made = []
    for _ in range(servers):
        moments = np.arange(ticks) + random.random() + random.uniform(-jitter, jitter, ticks)
        made.append(START_MS * 1_000_000 + np.rint(moments * step * SECOND).astype(np.int64))
    return made


def aligned(series: list[np.ndarray], blocks: int = 1) -> list[np.ndarray]:
    """Each server's ticks, as a recording of these times gives them, read in so many blocks."""
    sample = SeriesSample()
    for server, times in enumerate(series):
        sample.add(np.full(len(times), server), times)
    step = infer_step(sample.series())
    assert step is not None
    firsts, lasts = np.array([times[0] for times in series]), np.array([times[-1] for times in series])
    grid = make_grid(firsts, lasts, step, sum(map(len, series)))
    ticking = Ticking(grid, in_order=True)
    times, servers = np.concatenate(series), np.repeat(np.arange(len(series)), [len(times) for times in series])
    order = np.argsort(times, kind="stable")
    ticks = np.empty(len(times), np.int64)
    for part in np.array_split(order, blocks):
        ticks[part] = ticking.ticks(times[part], servers[part].astype(np.int32))
    return [ticks[servers == server] for server in range(len(series))]


@quick
@given(regular, st.floats(0, 0.2))
def test_jitter_below_a_quarter_step_never_moves_a_sample_to_another_tick(
    fleet: tuple[float, int, int], jitter: float
) -> None:
    for ticks in aligned(sampled(*fleet, 800, jitter)):
        assert (np.diff(ticks) == 1).all()


@quick
@given(regular, st.floats(0, 0.1), st.floats(-0.45, 0.19))
def test_a_first_sample_that_strayed_costs_no_sample_that_comes_late_enough(
    fleet: tuple[float, int, int], jitter: float, strayed: float
) -> None:
    series = sampled(*fleet, 800, jitter)
    series[0][0] += round(strayed * fleet[0] * SECOND)
    assert (np.diff(aligned(series)[0]) >= 1).all()


@quick
@given(regular, st.floats(0, 0.19), st.lists(st.tuples(st.integers(1, 799), st.floats(2, 40)), max_size=4))
def test_a_rhythm_that_shifts_at_its_gaps_loses_no_sample(
    fleet: tuple[float, int, int], jitter: float, gaps: list[tuple[int, float]]
) -> None:
    step, _, _ = fleet
    series = sampled(*fleet, 800, jitter)
    for place, length in gaps:
        series[0][place:] += round((1 + length) * step * SECOND)
    ticks = aligned(series)[0]
    assert (np.diff(ticks) >= 1).all()


@quick
@given(
    regular,
    st.floats(0, 0.3),
    st.integers(SAMPLES_PER_SERVER + 2, 790),
    st.tuples(st.integers(1, 700), st.floats(1, 30)),
    st.integers(1, 9),
)
def test_cutting_the_tail_off_moves_no_earlier_sample(
    fleet: tuple[float, int, int], jitter: float, cut: int, gap: tuple[int, float], blocks: int
) -> None:
    series = sampled(*fleet, 800, jitter)
    series[0][gap[0] :] += round(gap[1] * fleet[0] * SECOND)
    end = min(times[cut] for times in series)
    whole, part = aligned(series), aligned([times[times < end] for times in series], blocks)
    assert all(np.array_equal(one[: len(other)], other) for one, other in zip(whole, part, strict=True))


@quick
@given(st.integers(1, 3_000), st.integers(1, 4), st.integers(0, 2**32 - 1), st.integers(1, 7))
def test_the_sample_of_series_is_every_servers_earliest_times_in_any_order(
    count: int, servers: int, seed: int, parts: int
) -> None:
    random = np.random.default_rng(seed)
    codes, times = random.integers(0, servers, count), random.integers(0, 2_000, count)
    sample = SeriesSample()
    for code, time in zip(np.array_split(codes, parts), np.array_split(times, parts), strict=True):
        sample.add(code, time)
    wanted = [np.unique(times[codes == code])[:SAMPLES_PER_SERVER] for code in np.unique(codes)]
    assert all(np.array_equal(one, other) for one, other in zip(sample.series(), wanted, strict=True))
