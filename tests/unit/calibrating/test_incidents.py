"""Files of known incidents: every form that is read, and what is wrong with one that is not."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tft_dash.calibrating.incidents import KnownIncident, read_incidents
from tft_dash.errors import DataError, SourceMissingError

BEGIN, END = np.datetime64("2026-03-01T09:30:00.000", "ms"), np.datetime64("2026-03-01T10:00:00.000", "ms")
FIRST = KnownIncident("web-1", BEGIN, END, True)


def written(folder: Path, text: str, name: str = "incidents.csv") -> Path:
    path = folder / name
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    "text",
    [
        "server,start,end\nweb-1,2026-03-01T09:30:00Z,2026-03-01T10:00:00Z\n",
        "server_name;start;end;label\nweb-1;2026-03-01 09:30;2026-03-01 10:00;true\n",
        "\ufeffServer,Started_At,Ended_At,Outcome\nweb-1,2026-03-01T10:30:00+01:00,2026-03-01T10:00:00,Incident\n\n",
        '[{"server": "web-1", "start": "2026-03-01T09:30:00", "end": "2026-03-01T10:00:00"}]',
        '{"problems": [{"server": "web-1", "start": "2026-03-01T09:30:00", "end": "2026-03-01T10:00", "label": "1"}]}',
        '{"series": {"web-1": {"windows": [{"start": "2026-03-01T09:30:00", "end": "2026-03-01T10:00:00"}]}}}',
        '{"window_seconds": 1800, "faults": [{"injection_time": "2026-03-01T09:30:00", "root_cause_server": "web-1"}]}',
    ],
)
def test_one_incident_is_read_from_every_form(tmp_path: Path, text: str) -> None:
    assert read_incidents(written(tmp_path, text)) == (FIRST,)


def test_parquet_is_read_by_its_content_and_times_without_zone_are_utc(tmp_path: Path) -> None:
    table = pa.table({"server": ["web-1"], "start": pa.array([BEGIN]), "end": pa.array([END])})
    pq.write_table(table, tmp_path / "incidents.txt")
    assert read_incidents(tmp_path / "incidents.txt") == (FIRST,)


def test_a_verdict_says_whether_it_happened_and_a_fault_that_cannot_be_seen_is_unclear(tmp_path: Path) -> None:
    lines = "a,2026-03-01,true\nb,2026-03-01,no\nc,2026-03-01,unclear\n,2026-03-01,unclear\n"
    found = read_incidents(written(tmp_path, "server,start,label\n" + lines))
    assert [one.happened for one in found] == [True, False, None, None]
    assert found[0].end == found[0].start
    assert found[3].server is None
    faults = [{"injection_time": "2026-03-01", "root_cause_server": name, "resource": name == "a"} for name in "ab"]
    truth = {"faults": faults, "ambiguous": [["2026-03-02", "2026-03-03"]], "window_seconds": 60}
    spans = read_incidents(written(tmp_path, json.dumps(truth)))
    assert [(one.server, one.happened) for one in spans] == [(None, None), ("a", True), ("b", None)]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "holds no incident"),
        ("server,start\n", "holds no incident"),
        ("timestamp,server_name,problem_child\n2026-03-01,web-1,true\n", "row 1: it has no start"),
        ("server,start\nweb-1,yesterday\n", "row 1: its start 'yesterday' is no time"),
        ("server,start,end\nweb-1,2026-03-02,2026-03-01\n", "ends .* before it starts"),
        ("server,start,label\nweb-1,2026-03-02,perhaps\n", "label 'perhaps' is none of true, false and unclear"),
        ("server,start\n,2026-03-02\n", "only a span labelled unclear"),
        ('{"a": 1}', "no list of incidents"),
        ("[1, 2]", "no list of incidents"),
        ("[" * 100_000, "cannot be read as a table"),
        ('[{"server": 5, "start": 7}]', "its start 7 is no time"),
        ("PAR1 and no more", "cannot be read as a table"),
        ("a\x00b", "cannot be read as a table"),
    ],
)
def test_what_is_wrong_is_told_with_the_row(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(DataError, match=words):
        read_incidents(written(tmp_path, text))


def test_a_file_that_is_not_there_is_told_so(tmp_path: Path) -> None:
    with pytest.raises(SourceMissingError, match="no-file"):
        read_incidents(tmp_path / "no-file.csv")
    with pytest.raises(SourceMissingError):
        read_incidents(tmp_path)
