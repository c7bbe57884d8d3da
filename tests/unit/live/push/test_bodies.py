"""Bodies from strangers: what is read of them is bounded by what they hold, not by what they name."""

from __future__ import annotations

import tracemalloc

import orjson
import pyarrow as pa
import pytest

from tft_dash.errors import LimitError
from tft_dash.live.feeds.push.bodies import ARROW, JSON, LINES, parsed
from tft_dash.live.feeds.push.rows import judged

NOW = "2026-03-01T00:00:00Z"


def test_as_many_names_as_rows_need_no_more_than_both() -> None:
    body = orjson.dumps([{f"k{number}": 1} for number in range(4000)])
    tracemalloc.start()
    table = parsed(body, JSON, 10_000)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert table.rows == len(table.columns) == 4000
    assert peak < 20e6


@pytest.mark.parametrize("mimetype", [JSON, LINES[0]])
def test_too_many_rows_are_refused_before_anything_is_read_of_them(mimetype: str) -> None:
    rows = [*({"cpu_pct": 1} for _ in range(3)), "no row"]
    body = orjson.dumps(rows) if mimetype == JSON else b"\n".join(map(orjson.dumps, rows))
    with pytest.raises(LimitError, match="rows; 3 are taken"):
        parsed(body, mimetype, 3)


def test_many_unknown_names_are_told_of_by_their_number() -> None:
    row = {"timestamp": NOW, "server_name": "a", "cpu_pct": 1.0, **{f"zz{number}": 1 for number in range(1020)}}
    found = judged(parsed(orjson.dumps([row]), JSON, 10))
    told = [finding["sentence"] for finding in found.report.findings() if finding["rule"] == "unknown-column"]
    assert len(found.places) == 1
    assert len(told) == 21
    assert told[-1] == "Each of 1,000 further columns is not part of the contract; it is ignored."


def test_names_that_stand_there_twice_are_each_counted_once() -> None:
    names = ["timestamp", "server_name", "cpu_pct", *(f"zz{number // 2}" for number in range(100))]
    batch = pa.record_batch([pa.array([NOW]), pa.array(["a"]), *(pa.array([1.0]) for _ in names[2:])], names=names)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema) as writer:
        writer.write_batch(batch)
    table = parsed(sink.getvalue().to_pybytes(), ARROW[0], 10)
    assert len(table.repeated) == 50
    told = [finding["sentence"] for finding in judged(table).report.findings() if finding["rule"] == "duplicate-column"]
    assert len(told) == 21
    assert "30 further columns" in told[-1]
