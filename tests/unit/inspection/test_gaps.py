"""The map of servers and time: what is there, missing, told twice, offline."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
from support.recordings import START, fleet_table, write_lines, write_parquet

from tft_dash.inspection.gaps import SERVERS_SHOWN
from tft_dash.inspection.inspector import Inspector


def test_every_kind_of_trouble_stands_where_it_is(tmp_path: Path, inspector: Inspector) -> None:
    path = write_lines(
        tmp_path / "it.csv",
        "timestamp,server_name,state,cpu_pct",
        *(f"2024-05-01T12:00:{second:02d}Z,whole,online,1" for second in range(0, 50, 5)),
        *(f"2024-05-01T12:00:{second:02d}Z,gappy,online,1" for second in (5, 10, 30, 40)),
        "2024-05-01T12:00:10Z,gappy,online,1",
        "2024-05-01T12:00:10Z,gappy,online,2",
        "2024-05-01T12:00:35Z,whole,offline,0",
    )
    found = inspector.gaps(path)
    assert found.servers == ("whole", "gappy")
    assert (found.total_servers, found.bucket_seconds, str(found.start)) == (2, 5.0, "2024-05-01T12:00:00.000")
    assert found.expected.tolist() == [1] * 10
    assert found.first_tick.tolist() == list(range(10))
    assert found.present.tolist() == [[1] * 10, [0, 1, 1, 0, 0, 0, 1, 0, 1, 0]]
    assert found.missing.tolist() == [[0] * 10, [0, 0, 0, 1, 1, 1, 0, 1, 0, 0]]
    assert found.duplicate.tolist() == [[0] * 7 + [1, 0, 0], [0, 0, 2] + [0] * 7]
    assert found.offline[0].tolist() == [0] * 7 + [1, 0, 0]


def test_the_map_adds_up_to_what_the_verdict_counts(tmp_path: Path, inspector: Inspector) -> None:
    table = fleet_table(3_000, [f"web-{place}" for place in range(7)])
    rng = np.random.default_rng(2)
    kept = np.sort(rng.choice(table.num_rows, 15_000, replace=False))
    twice = np.sort(np.concatenate([kept, rng.choice(kept, 300)]))
    path = write_parquet(tmp_path / "it.parquet", table.take(pa.array(twice)))
    found = inspector.gaps(path)
    counts = {finding.rule: finding.count for finding in inspector.report(path).findings}
    assert len(found.first_tick) <= 200
    assert found.missing.sum() == counts["gap"]
    assert found.duplicate.sum() == counts["duplicate-row"] == 300
    assert found.present.sum() == 15_000
    assert found.expected.sum() == inspector.report(path).facts["ticks"]


def test_of_very_many_servers_the_worst_come_first(tmp_path: Path, inspector: Inspector) -> None:
    names = [f"web-{place}" for place in range(SERVERS_SHOWN + 5)]
    table = fleet_table(4, names)
    # The last server misses two ticks, the one before it one.
    gone = [len(names) * tick + len(names) - 1 for tick in (1, 2)] + [len(names) * 2 - 2]
    path = write_parquet(tmp_path / "it.parquet", table.take(pa.array(np.setdiff1d(np.arange(table.num_rows), gone))))
    found = inspector.gaps(path)
    assert found.servers[:2] == (names[-1], names[-2])
    assert (len(found.servers), found.total_servers) == (SERVERS_SHOWN, len(names))
    assert found.missing[:2].sum(axis=1).tolist() == [2, 1]


def test_a_bucket_of_a_long_recording_begins_with_its_tick(tmp_path: Path, inspector: Inspector) -> None:
    found = inspector.gaps(write_parquet(tmp_path / "it.parquet", fleet_table(1_000)))
    size = found.first_tick[1]
    assert (found.first_tick == np.arange(len(found.first_tick)) * size).all()
    assert found.bucket_seconds == size * 5.0
    assert found.start == START
    assert (found.present.sum(axis=1) == 1_000).all()
