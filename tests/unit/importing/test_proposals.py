"""What is proposed for exports of well-known tools: right where it can be told, and honest where it cannot."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from tft_dash.errors import TableError
from tft_dash.importing.convert import convert
from tft_dash.importing.guessing.words import metric_for, unit_for
from tft_dash.importing.mapping import Mapping as MappingDocument
from tft_dash.importing.mapping import read_mapping, to_yaml
from tft_dash.importing.proposal import propose

TICKS = range(40)


def rows_of(header: str, line: Callable[[int, int], str], servers: int = 2) -> str:
    return f"{header}\n" + "".join(f"{line(tick, server)}\n" for tick in TICKS for server in range(1, servers + 1))


def iso(tick: int) -> str:
    return f"2026-11-24 08:{tick:02d}:00"


def proposed(folder: Path, text: str, encoding: str = "utf-8", name: str = "export.csv") -> MappingDocument:
    path = folder / name
    path.write_bytes(text.encode(encoding))
    mapping = propose(path)
    assert read_mapping(to_yaml(mapping), "itself") == mapping
    return mapping


def table_of(folder: Path, mapping: MappingDocument, name: str = "export.csv") -> dict[str, list[Any]]:
    convert(folder / name, mapping, folder / "made" / "table.parquet")
    made: dict[str, list[Any]] = pq.read_table(folder / "made" / "table.parquet").to_pydict()
    return made


SHAPES: Mapping[str, tuple[str, str, dict[str, list[Any]]]] = {
    "cloudwatch": (
        rows_of("Full label,i-01 CPUUtilization (Percent),i-02 CPUUtilization (Percent)",
                lambda tick, _: f"2026/11/24 08:{tick:02d}:00,{30 + tick},55.5", 1),
        "wide",
        {"server_name": ["i-01", "i-02"], "cpu_pct": [30.0, 55.5]},
    ),
    "prometheus": (
        rows_of('timestamp,"cpu_usage{instance=""a:9100""}","cpu_usage{instance=""b:9100""}"',
                lambda tick, _: f"{1_795_507_200 + 60 * tick},0.25,0.5", 1),
        "wide",
        {"server_name": ["a:9100", "b:9100"], "cpu_pct": [25.0, 50.0]},
    ),
    "grafana": (
        rows_of('sep=,\n"Time","web-1 CPU","web-2 CPU"', lambda tick, _: f'"{iso(tick)}","30.5%","40 %"', 1),
        "wide",
        {"server_name": ["web-1", "web-2"], "cpu_pct": [30.5, 40.0]},
    ),
    "datadog": (
        rows_of("time,group,avg:system.cpu.user{*} by {host},avg:system.mem.pct_usable{*} by {host}",
                lambda tick, server: f"{iso(tick)},host:web-{server},{30 + server},0.4"),
        "long",
        {"server_name": ["host:web-1", "host:web-2"], "cpu_pct": [31.0, 32.0]},
    ),
    "azure": (
        rows_of("TimeGenerated [UTC],Computer,ObjectName,CounterName,CounterValue",
                lambda tick, server: f'"11/24/2026, 8:{tick:02d}:00.000 AM",vm-{server},CPU,% Processor Time,1.5\n'
                f'"11/24/2026, 8:{tick:02d}:00.000 AM",vm-{server},Memory,% Committed Bytes In Use,45.5'),
        "narrow",
        {"server_name": ["vm-1", "vm-2"], "cpu_pct": [1.5, 1.5], "mem_pct": [45.5, 45.5]},
    ),
    "excel in German": (
        rows_of("Datum;Uhrzeit;Rechner;CPU-Auslastung (%);Arbeitsspeicher (%);Antwortzeit (s);Netzwerk ein (KB/s)",
                lambda tick, server: f"24.11.2026;08:{tick:02d}:00;srv-\u00e4{server};12,5;40,0;0,120;1.234,5"),
        "long",
        {"server_name": ["srv-\u00e41", "srv-\u00e42"], "cpu_pct": [12.5] * 2, "mem_pct": [40.0] * 2,
         "latency_ms": [120.0] * 2, "net_in_mb_s": [1.2345] * 2},
    ),
    "mixed units": (
        rows_of("Timestamp,Hostname,CPU Usage [%],Net In [Mbit/s],Net Out [KiB/s],Response Time [us],Errors [%]",
                lambda tick, server: f'11/24/2026 08:{tick:02d}:00 AM,app-{server},33,80,1000,"250,000",0.5'),
        "long",
        {"server_name": ["app-1", "app-2"], "cpu_pct": [33.0] * 2, "net_in_mb_s": [10.0] * 2,
         "net_out_mb_s": [1.024] * 2, "latency_ms": [250.0] * 2, "error_rate": [0.005] * 2},
    ),
    "nanoseconds": (
        rows_of("ts_ns,node,cpu_ratio,rx_bytes_per_sec",
                lambda tick, server: f"{(1_795_507_200 + 60 * tick) * 10**9 + 7},n{server},0.25,{1_500_000 + tick}"),
        "long",
        {"server_name": ["n1", "n2"], "cpu_pct": [25.0] * 2, "net_in_mb_s": [1.5] * 2},
    ),
}  # fmt: skip


@pytest.mark.parametrize("shape", SHAPES)
def test_an_export_is_read_as_proposed(tmp_path: Path, shape: str) -> None:
    text, layout, expected = SHAPES[shape]
    mapping = proposed(tmp_path, text, "latin-1")
    assert mapping.spec.layout == layout
    made = table_of(tmp_path, mapping)
    times = sorted({f"{stamp:%Y-%m-%d %H:%M}" for stamp in made["timestamp"]})
    assert (times[0], times[-1], len(times)) == ("2026-11-24 08:00", "2026-11-24 08:39", 40)
    first = {name: values[:2] for name, values in made.items() if name in expected}
    assert first == {name: pytest.approx(values) for name, values in expected.items()}


@pytest.mark.parametrize(
    ("column", "values", "words"),
    [
        ("CPU", "-1", "which no share does"),
        ("memory", "8000000000", "neither per cent nor a fraction"),
        ("errors", "12", "counts errors"),
        ("net_rx_bytes", "counter", "counts since a start"),
        ("mem.usable", "0.4", ""),
        ("cpu_idle", "95", ""),
        ("bytes in use", "5", ""),
    ],
)
def test_a_column_that_is_not_what_it_is_called_is_left_out(
    tmp_path: Path, column: str, values: str, words: str
) -> None:
    def line(tick: int, server: int) -> str:
        return f"{iso(tick)},web-{server},{1000 * tick if values == 'counter' else values}"

    mapping = proposed(tmp_path, rows_of(f"time,host,{column}", line))
    assert mapping.spec.columns.metrics() == {}
    assert mapping.spec.keep == (column,)
    assert words in mapping.metadata.description


def test_a_rate_that_rises_and_falls_is_taken_with_a_warning(tmp_path: Path) -> None:
    text = rows_of("time,host,net_rx_bytes", lambda tick, server: f"{iso(tick)},web-{server},{tick % 7}")
    mapping = proposed(tmp_path, text)
    assert mapping.spec.columns.net_in_mb_s is not None
    assert "If net_rx_bytes counts per interval, it is no rate" in mapping.metadata.description


@pytest.mark.parametrize(
    ("name", "value", "unit"), [("cpu_pct", "0.4", "percent"), ("cpu", "0.4", "fraction"), ("cpu", "0.4 %", "percent")]
)
def test_the_contracts_own_name_and_a_sign_of_per_cent_decide_the_unit(
    tmp_path: Path, name: str, value: str, unit: str
) -> None:
    mapping = proposed(tmp_path, rows_of(f"time,host,{name}", lambda tick, server: f"{iso(tick)},w-{server},{value}"))
    assert mapping.spec.columns.metrics()["cpu_pct"].unit == unit
    assert ("check it" in mapping.metadata.description) == (unit == "fraction")


def test_a_column_that_tells_rows_of_one_time_apart_is_the_server(tmp_path: Path) -> None:
    mapping = proposed(tmp_path, rows_of("Time,Series,Value", lambda tick, server: f"{iso(tick)},web-{server},{tick}"))
    assert mapping.spec.columns.server_name is not None
    assert mapping.spec.columns.server_name.from_ == "Series"


def test_columns_of_servers_without_a_metric_are_told_with_their_pattern(tmp_path: Path) -> None:
    text = rows_of('Time,"{instance=""a""}","{instance=""b""}"', lambda tick, _: f"{iso(tick)},{tick},5", 1)
    mapping = proposed(tmp_path, text)
    assert mapping.spec.layout == "wide"
    assert 'write {instance="{server}"} at the metric' in mapping.metadata.description


@pytest.mark.parametrize(("day", "form"), [("2026-11-24", "iso"), ("24.11.2026", "day-first"), ("20261124", "custom")])
def test_a_day_and_a_time_of_day_in_columns_of_their_own_are_one_time(tmp_path: Path, day: str, form: str) -> None:
    text = rows_of("time,date,host,cpu_percent", lambda tick, server: f"08:{tick:02d}:30,{day},w-{server},5")
    mapping = proposed(tmp_path, text)
    assert mapping.spec.timestamp is not None
    assert (mapping.spec.timestamp.columns(), mapping.spec.timestamp.format) == (("date", "time"), form)
    assert f"{table_of(tmp_path, mapping)['timestamp'][2]:%Y-%m-%d %H:%M:%S}" == "2026-11-24 08:01:30"


@pytest.mark.parametrize(
    ("time", "is_said"), [("2026-11-24 08:00:00", True), ("2026-11-24T08:00:00Z", False), ("1795507200", False)]
)
def test_times_without_a_zone_are_said_to_be_read_as_utc(tmp_path: Path, time: str, is_said: bool) -> None:
    mapping = proposed(tmp_path, f"time,host,cpu\n{time},a,50\n")
    assert ("read as UTC" in mapping.metadata.description) == is_said


def test_thousands_in_a_file_of_commas_are_no_decimals(tmp_path: Path) -> None:
    mapping = proposed(tmp_path, rows_of("time,host,latency_ms", lambda tick, _: f'{iso(tick)},a,"1,250"', 1))
    assert mapping.spec.csv.decimal == "."
    assert table_of(tmp_path, mapping)["latency_ms"][0] == 1250.0


def test_a_file_of_spaces_is_refused_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(TableError, match=r"one column only.*write it with commas"):
        proposed(tmp_path, " r  b   swpd\n 1  0      0\n" * 3)


@pytest.mark.parametrize(
    ("name", "unit"),
    [
        ("rxkB/s", "kB/s"),
        ("Net In [KiB/s]", "KiB/s"),
        ("net_in_MBps", "MB/s"),
        ("NetworkInMBps", "MB/s"),
        ("Net In (Mb/s)", "Mbit/s"),
        ("net_in_mbps", "Mbit/s"),
        ("net in MB/s", "MB/s"),
        ("net rx GiB/s", "GiB/s"),
        ("net_rx_Bps", "B/s"),
        ("net_in_bytes_per_second", "B/s"),
        ("net in", None),
    ],
)
def test_the_unit_of_a_rate_is_told_by_its_letters(name: str, unit: str | None) -> None:
    assert (metric_for(name), unit_for("net_in_mb_s", name)) == ("net_in_mb_s", unit)
