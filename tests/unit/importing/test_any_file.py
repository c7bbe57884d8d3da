"""Whatever columns and values stand in a file, a proposal is made or refused in words, and reads back as it is."""

from __future__ import annotations

import contextlib
import tempfile
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import given, settings
from hypothesis import strategies as st

from tft_dash.errors import TableError
from tft_dash.importing.mapping import read_mapping, to_yaml
from tft_dash.importing.preview import preview_mapping
from tft_dash.importing.proposal import propose

NAMES = st.sampled_from(
    [
        *(
            "time",
            "Timestamp",
            "host",
            "cpu",
            "CPU %",
            "value",
            "name",
            "web-1.cpu",
            "web-2.cpu",
            "state",
            "profile",
            "",
        ),
        *("{server}", "a{server}b", "=1+1", "__proto__", "x" * 600, "é", "node-01", "node-02", "latency_seconds"),
        "cpu_pct",
    ]
)
CELLS = st.sampled_from(
    [
        *("1", "0.5", "", "nan", "1e400", "inf", "-5", "2026-11-24T08:00:00Z", "24.11.2026 08:00", "1795507200000"),
        *("web-1", "46350.5", "true", '"quote', "1,5", "12:00", "9" * 25, "online", " ", "é"),
    ]
)
ARRAYS = (
    pa.array([1, 2, None], pa.timestamp("us")),
    pa.array([1, 2, 3], pa.timestamp("ms", tz="Europe/Paris")),
    pa.array([1, 2, 3], pa.date32()),
    pa.array([1, 2, None]),
    pa.array([0.1, None, float("nan")]),
    pa.array(["a", None, "b"]),
    pa.array(["a", "b", "a"]).dictionary_encode(),
    pa.array([True, None, False]),
    pa.array([Decimal("1.5"), None, Decimal("2.5")]),
    pa.array([b"a", b"b", None]),
    pa.array([1, 2, 3], pa.duration("s")),
    pa.array([[1], [2], None]),
    pa.nulls(3),
    pa.array([2**63 + 1, 1, 2], pa.uint64()),
)


def looked_at(content: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "export.csv"
        path.write_bytes(content)
        with contextlib.suppress(TableError):
            mapping = propose(path)
            assert read_mapping(to_yaml(mapping), "itself") == mapping
            preview_mapping(path, mapping)


@settings(max_examples=80)
@given(
    st.lists(NAMES, min_size=1, max_size=6),
    st.lists(st.lists(CELLS, max_size=7), max_size=5),
    st.sampled_from(",;\t|"),
    st.sampled_from(["utf-8", "utf-8-sig", "latin-1"]),
)
def test_any_text_is_proposed_for_or_refused_in_words(
    names: list[str], rows: list[list[str]], separator: str, encoding: str
) -> None:
    looked_at("\n".join(separator.join(line) for line in [names, *rows]).encode(encoding))


@settings(max_examples=60)
@given(st.lists(st.tuples(NAMES, st.sampled_from(ARRAYS)), min_size=1, max_size=6))
def test_any_types_of_a_parquet_file_are_proposed_for_or_refused_in_words(columns: list[tuple[str, pa.Array]]) -> None:
    sink = pa.BufferOutputStream()
    pq.write_table(pa.Table.from_arrays([array for _, array in columns], names=[name for name, _ in columns]), sink)
    looked_at(sink.getvalue().to_pybytes())
