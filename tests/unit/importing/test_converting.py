"""Foreign tables become tables of the contract: every layout, unit and way to write a time, and nothing is invented."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from tft_dash.errors import TableError
from tft_dash.importing.convert import convert
from tft_dash.importing.fit import fit_problems
from tft_dash.importing.foreign import open_foreign
from tft_dash.importing.mapping import Mapping, MappingError, parse_mapping, read_mapping, to_yaml
from tft_dash.importing.preview import preview_mapping
from tft_dash.importing.proposal import propose
from tft_dash.sources.validate import check_table

RAW = Path(__file__).parents[3] / ".." / "shared" / "data" / "raw"


def written(folder: Path, content: str, name: str = "export.csv", encoding: str = "utf-8") -> Path:
    path = folder / name
    path.write_bytes(content.encode(encoding))
    return path


def table_of(path: Path, mapping: Mapping | None = None) -> dict[str, list[Any]]:
    output = path.parent / "made" / "table.parquet"
    convert(path, mapping or propose(path), output)
    made: dict[str, list[Any]] = pq.read_table(output).to_pydict()
    return made


def mapping_of(**spec: object) -> Mapping:
    return parse_mapping(
        {"apiVersion": "tft-dash/v1", "kind": "Mapping", "metadata": {"name": "m"}, "spec": spec}, "the test"
    )


def problems_of(path: Path, mapping: Mapping) -> list[str]:
    return [f"{place} {words}" for place, words in fit_problems(open_foreign(path, mapping.spec.csv), mapping)]


def one_metric(folder: Path, metric: str, unit: str, value: str) -> float:
    path = written(folder, f"t,v\n2026-01-01T00:00:00Z,{value}\n")
    columns = {"server_name": {"value": "a"}, metric: {"from": "v", "unit": unit}}
    return float(table_of(path, mapping_of(timestamp={"from": "t"}, columns=columns))[metric][0])


@pytest.mark.parametrize(
    ("metric", "unit", "value", "expected"),
    [
        ("cpu_pct", "fraction", "0.29", 29.0),
        ("error_rate", "percent", "3", 0.03),
        ("latency_ms", "s", "0.25", 250.0),
        ("latency_ms", "us", "1500", 1.5),
        ("gc_pause_ms", "ns", "2500000", 2.5),
        ("net_in_mb_s", "B/s", "1500000", 1.5),
        ("net_in_mb_s", "KiB/s", "1000", 1.024),
        ("net_out_mb_s", "MiB/s", "1", 1.048576),
        ("net_out_mb_s", "Mbit/s", "80", 10.0),
        ("disk_io_mb_s", "kB/s", "500", 0.5),
    ],
)
def test_a_value_is_brought_into_the_contracts_unit(
    tmp_path: Path, metric: str, unit: str, value: str, expected: float
) -> None:
    assert one_metric(tmp_path, metric, unit, value) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-24T08:00:00Z",
        "2026-11-24 09:00:00+01:00",
        "1795507200",
        "1795507200000",
        "1795507200000000",
        "24.11.2026 08:00:00",
        "11/24/2026 08:00:00",
        "24 Nov 2026 08:00:00",
    ],
)
def test_a_time_is_understood_however_it_is_written(tmp_path: Path, text: str) -> None:
    path = written(tmp_path, f"time,host,cpu\n{text},web-1,50\n")
    assert [stamp.astimezone(UTC) for stamp in table_of(path)["timestamp"]] == [datetime(2026, 11, 24, 8, tzinfo=UTC)]


def test_a_time_without_a_zone_is_read_in_the_zone_that_is_named(tmp_path: Path) -> None:
    path = written(tmp_path, "t,cpu\n2026-07-01 10:00:00,50\n2026-12-01 10:00:00,50\n")
    columns = {"server_name": {"value": "a"}, "cpu_pct": {"from": "cpu"}}
    stamp = {"from": "t", "zone": "Europe/Berlin"}
    made = table_of(path, mapping_of(timestamp=stamp, columns=columns))["timestamp"]
    assert [moment.astimezone(UTC).hour for moment in made] == [8, 9]


def test_semicolons_and_decimal_commas_are_seen(tmp_path: Path) -> None:
    path = written(
        tmp_path, "Zeit;Host;CPU;RAM\n24.11.2026 08:00:00;web-1;12,5;40,0\n24.11.2026 08:01:00;web-1;13,5;\n"
    )
    made = table_of(path)
    assert made["cpu_pct"] == [12.5, 13.5]
    assert made["mem_pct"] == [40.0, None]


def test_latin_1_is_read_and_its_letters_kept(tmp_path: Path) -> None:
    path = written(tmp_path, "time,host,cpu\n2026-11-24T08:00:00Z,Münch\xe9n,50\n", encoding="latin-1")
    assert table_of(path)["server_name"] == ["Münch\xe9n"]


def test_a_wide_table_becomes_a_row_per_server_and_a_gap_stays_a_gap(tmp_path: Path) -> None:
    lines = "time,web-1.cpu,web-2.cpu,web-1.mem,web-2.mem\n1764000000,0.5,0.25,0.4,\n1764000060,0.5,0.75,0.4,0.3\n"
    made = table_of(written(tmp_path, lines))
    assert made["server_name"] == ["web-1", "web-2"] * 2
    assert made["cpu_pct"] == [50.0, 25.0, 50.0, 75.0]
    assert made["mem_pct"][1] is None
    assert made["mem_pct"][3] == pytest.approx(30.0)


def test_a_narrow_table_becomes_a_row_per_server_and_time(tmp_path: Path) -> None:
    lines = "ts,instance,name,value\n1764000000000,a,cpu_usage,0.5\n1764000000000,a,mem_used_percent,50\n"
    made = table_of(written(tmp_path, f"{lines}1764000060000,a,cpu_usage,0.25\n"))
    assert made["cpu_pct"] == [50.0, 25.0]
    assert made["mem_pct"] == [50.0, None]


def test_a_number_that_is_none_is_missing_and_counted(tmp_path: Path) -> None:
    path = written(tmp_path, "time,host,cpu\n2026-11-24T08:00:00Z,a,50\n2026-11-24T08:01:00Z,a,60\n")
    with path.open("a") as file:
        file.write("2026-11-24T08:02:00Z,a,broken\n")
    assert table_of(path)["cpu_pct"] == [50.0, 60.0, None]
    assert any("cpu" in note for note in preview_mapping(path, propose(path)).notes)


def test_the_same_file_and_mapping_give_the_same_bytes(tmp_path: Path) -> None:
    path = written(tmp_path, "time,host,cpu\n2026-11-24T08:00:00Z,a,50\n")
    for name in ("one", "two"):
        convert(path, propose(path), tmp_path / f"{name}.parquet")
    assert (tmp_path / "one.parquet").read_bytes() == (tmp_path / "two.parquet").read_bytes()


def test_one_of_two_columns_with_the_same_name_can_be_chosen(tmp_path: Path) -> None:
    path = written(tmp_path, "time,host,cpu,cpu\n2026-11-24T08:00:00Z,a,50,60\n")
    columns = {"server_name": {"from": "host"}, "cpu_pct": {"from": "cpu (2)"}}
    assert table_of(path, mapping_of(timestamp={"from": "time"}, columns=columns))["cpu_pct"] == [60.0]


def test_a_column_of_any_name_is_only_a_name(tmp_path: Path) -> None:
    path = written(tmp_path, "time,host,cpu,__proto__,=1+1\n2026-11-24T08:00:00Z,<script>alert(1)</script>,50,1,2\n")
    made = table_of(path)
    assert made["server_name"] == ["<script>alert(1)</script>"]
    assert made["__proto__"] == ["1"]


def test_three_thousand_columns_are_read(tmp_path: Path) -> None:
    names = [f"c{place}" for place in range(3000)]
    path = written(tmp_path, f"time,host,cpu,{','.join(names)}\n2026-11-24T08:00:00Z,a,50{',1' * 3000}\n")
    assert table_of(path)["cpu_pct"] == [50.0]


def test_too_many_columns_are_refused(tmp_path: Path) -> None:
    path = written(tmp_path, ",".join(f"c{place}" for place in range(20_001)) + "\n")
    with pytest.raises(TableError, match="20,001 columns"):
        propose(path)


def test_a_mapping_that_names_a_column_that_is_not_there_says_which_there_are(tmp_path: Path) -> None:
    path = written(tmp_path, "time,host,cpu\n2026-11-24T08:00:00Z,a,50\n")
    columns = {"server_name": {"from": "hots"}, "cpu_pct": {"from": "cpu"}}
    (problem,) = problems_of(path, mapping_of(timestamp={"from": "time"}, columns=columns))
    assert problem.startswith("spec.columns.server_name.from")
    assert "host" in problem


def test_a_file_whose_measurement_nobody_can_tell_is_proposed_without_a_metric(tmp_path: Path) -> None:
    path = written(tmp_path, "timestamp,value\n2026-11-24T08:00:00Z,5\n", "sensor.csv")
    mapping = propose(path)
    assert "choose its metric" in mapping.metadata.description
    assert mapping.spec.columns.server_name is not None
    assert mapping.spec.columns.server_name.value == "sensor"
    assert any("no metric" in problem for problem in problems_of(path, mapping))


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"timestamp": {"from": "t", "zone": "../../secret"}}, "spec.timestamp.zone"),
        ({"timestamp": {"from": "t", "format": "custom"}}, "spec.timestamp"),
        ({"columns": {"cpu_pct": {"from": "c", "unit": "MB/s"}}}, "spec.columns.cpu_pct.unit"),
        ({"columns": {"rps": {"from": "c"}}}, "spec.columns.rps"),
        ({"layout": "wide", "columns": {"cpu_pct": {"from": "cpu"}}}, "spec.columns.cpu_pct.from"),
        ({"layout": "narrow"}, "spec.narrow"),
    ],
)
def test_a_mistake_in_a_mapping_is_named_with_its_place(change: dict[str, object], path: str) -> None:
    with pytest.raises(MappingError) as caught:
        mapping_of(**change)
    assert path in [place for place, _ in caught.value.problems]


def test_a_mapping_comes_back_from_its_own_text(tmp_path: Path) -> None:
    mapping = propose(written(tmp_path, "Zeit;Host;CPU\n24.11.2026 08:00:00;web-1;12,5\n"))
    assert read_mapping(to_yaml(mapping), "itself") == mapping


@pytest.mark.parametrize(
    ("name", "metric", "unit"),
    [("nab_ec2_cpu", "cpu_pct", "percent"), ("nab_ec2_request_latency", "latency_ms", "ms")],
)
def test_a_public_recording_is_imported_as_proposed(tmp_path: Path, name: str, metric: str, unit: str) -> None:
    path = RAW / f"{name}.csv"
    if not path.is_file():
        pytest.skip(f"{path.name} is not here")
    mapping = propose(path)
    assert mapping.spec.columns.metrics()[metric].unit == unit
    output = tmp_path / f"{name}.parquet"
    assert convert(path, mapping, output) == 4032
    report = check_table(output, cache_folder=tmp_path / "cache")
    assert "keeps the data contract" in report.as_text()


def test_a_public_recording_of_requests_is_imported_once_a_metric_is_chosen(tmp_path: Path) -> None:
    origin = RAW / "cloud_monitoring_rps.csv"
    if not origin.is_file():
        pytest.skip(f"{origin.name} is not here")
    path = tmp_path / origin.name
    path.write_bytes(origin.read_bytes())
    mapping = propose(path)
    assert "count requests, which no metric of the contract does" in mapping.metadata.description
    assert any("no metric" in problem for problem in problems_of(path, mapping))
    columns = {"server_name": {"value": "cloud"}, "net_in_mb_s": {"from": "Value", "unit": "kB/s"}}
    made = mapping_of(timestamp={"from": "TimeStamp"}, columns=columns, keep=["Label"])
    assert table_of(path, made)["net_in_mb_s"][:2] == pytest.approx([0.482, 1.302])


def test_a_narrow_table_without_the_metrics_words_says_so(tmp_path: Path) -> None:
    path = written(tmp_path, "ts,host,name,value\n2026-11-24T08:00:00Z,a,load,1\n")
    columns = {"server_name": {"from": "host"}, "cpu_pct": {"from": "cpu"}}
    narrow = {"metric": "name", "value": "value"}
    mapping = mapping_of(layout="narrow", narrow=narrow, timestamp={"from": "ts"}, columns=columns)
    with pytest.raises(TableError, match="No row has 'cpu' in its column name"):
        table_of(path, mapping)


def test_windows_letters_are_told_from_latin_ones(tmp_path: Path) -> None:
    path = written(tmp_path, "time,host,cpu\n2026-11-24T08:00:00Z,“a”,50\n", encoding="windows-1252")
    assert propose(path).spec.csv.encoding == "windows-1252"
    assert table_of(path)["server_name"] == ["“a”"]


def test_lines_before_the_header_are_passed_over(tmp_path: Path) -> None:
    path = written(tmp_path, "Report of the week\n\ntime,host,cpu\n2026-11-24T08:00:00Z,a,50\n")
    assert propose(path).spec.csv.skip_lines > 0
    assert table_of(path)["cpu_pct"] == [50.0]
