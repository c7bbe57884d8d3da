"""What ``tft-dash check`` finds, and how it says it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from support.recordings import fleet_table, write_csv, write_lines, write_parquet

from tft_dash.errors import SourceMissingError, StorageError
from tft_dash.sources.file import FileSource
from tft_dash.sources.report import Report
from tft_dash.sources.rules import RULES, SEVERITIES
from tft_dash.sources.validate import check_table

HEADER = "timestamp,server_name,profile,state,cpu_pct,mem_pct,colour,cpu_pct"
BROKEN = (
    HEADER,
    "2024-05-01T12:00:00Z,a,web,online,140,20,x,1",
    "2024-05-01T12:00:05Z,a,web,online,high,20,x,1",
    "2024-05-01T12:00:10Z,a,web,fine,inf,-20,x,1",
    "yesterday,a,web,online,1,2,x,1",
    "2024-05-01T12:00:20Z,,web,online,1,2,x,1",
    "2024-05-01T12:00:20Z,a,web,online",
    "2024-05-01T14:00:20+02:00,a,web,online,7,,x,1",
    "2024-05-01T12:00:20Z,a,web,online,7,,x,1",
    "2024-05-01T12:00:21Z,a,web,online,8,,x,1",
    "2024-05-01T12:00:15,a,db,online,9,,x,1",
    "2024-05-01T12:00:25Z,a,,online,1,,x,1",
    "2024-05-01T12:00:31Z,a,,online,1,,x,1",
    "2024-05-01T12:01:00Z,a,,online,1,,x,1",
)


def check(folder: Path, *rows: str, step_seconds: float | None = 5.0) -> Report:
    return check_table(write_lines(folder / "it.csv", *rows), step_seconds=step_seconds)


def rules(report: Report) -> set[tuple[str, str | None]]:
    return {(finding.rule, finding.column) for finding in report.findings}


def test_everything_that_is_wrong_is_found_at_once(tmp_path: Path) -> None:
    report = check(tmp_path, *BROKEN)
    assert rules(report) == {
        ("text-in-number", "cpu_pct"),
        ("infinite-value", "cpu_pct"),
        ("out-of-range", "cpu_pct"),
        ("out-of-range", "mem_pct"),
        ("bad-timestamp", None),
        ("bad-server-name", None),
        ("malformed-row", None),
        ("unknown-state", "state"),
        ("duplicate-column", "cpu_pct"),
        ("duplicate-row", None),
        ("shared-tick", None),
        ("gap", None),
        ("jitter", None),
        ("unsorted", None),
        ("mixed-zones", "timestamp"),
        ("sparse-metric", "mem_pct"),
        ("profile-change", "profile"),
        ("naive-timestamp", "timestamp"),
        ("unknown-column", "colour"),
    }
    assert not report.acceptable
    assert [SEVERITIES.index(finding.severity) for finding in report.findings] == sorted(
        SEVERITIES.index(finding.severity) for finding in report.findings
    )


def test_a_finding_has_count_share_advice_and_the_rows_with_time_server_and_value(tmp_path: Path) -> None:
    report = check(tmp_path, *BROKEN)
    finding = next(found for found in report.findings if found.rule == "out-of-range" and found.column == "mem_pct")
    assert (finding.severity, finding.count, round(finding.share or 0, 3)) == ("error", 1, 0.077)
    example = finding.examples[0]
    assert (example.file, example.row, example.time) == ("it.csv", 3, "2024-05-01T12:00:10Z")
    assert (example.server, example.value) == ("a", "-20")
    assert finding.advice


def test_rows_after_a_malformed_one_keep_their_numbers(tmp_path: Path) -> None:
    report = check(tmp_path, *BROKEN)
    told = {finding.rule: [example.row for example in finding.examples] for finding in report.findings}
    assert told["malformed-row"] == [6]
    assert told["duplicate-row"] == [8]
    assert told["unsorted"] == [8 + 2]


def test_only_the_first_five_rows_are_told(tmp_path: Path) -> None:
    rows = [f"2024-05-01T12:{minute:02d}:00Z,a,140" for minute in range(12)]
    report = check(tmp_path, "timestamp,server_name,cpu_pct", *rows, "2024-05-01T12:12:00Z,a,1")
    finding = report.findings[0]
    assert (finding.rule, finding.count) == ("out-of-range", 12)
    assert [example.row for example in finding.examples] == [1, 2, 3, 4, 5]


def test_only_what_is_missing_between_a_servers_own_samples_is_a_gap(tmp_path: Path) -> None:
    rows = [f"2024-05-01T12:00:{second:02d}Z,long,1" for second in (0, 5, 25, 30)]
    report = check(tmp_path, "timestamp,server_name,cpu_pct", *rows, "2024-05-01T12:00:15Z,short,1")
    finding = next(found for found in report.findings if found.rule == "gap")
    assert finding.sentence == "3 samples missing between a server's first and last one (37.5 %); on 1 server."
    assert [(example.server, example.time) for example in finding.examples] == [
        ("long", f"2024-05-01T12:00:{second}Z") for second in (10, 15, 20)
    ]


@pytest.mark.parametrize(
    ("last", "words"), [("1", "1 with the same values, 0 with others"), ("2", "0 with the same values, 1 with others")]
)
def test_repeated_rows_are_told_to_agree_or_not(tmp_path: Path, last: str, words: str) -> None:
    rows = ["2024-05-01T12:00:00Z,a,1", f"2024-05-01T12:00:00Z,a,{last}", "2024-05-01T12:00:05Z,a,1"]
    report = check(tmp_path, "timestamp,server_name,cpu_pct", *rows)
    finding = next(found for found in report.findings if found.rule == "duplicate-row")
    assert words in finding.sentence


def test_a_good_table_is_acceptable_and_its_facts_are_told(tmp_path: Path) -> None:
    path = write_parquet(tmp_path / "it.parquet", fleet_table(12))
    report = check_table(path)
    assert report.acceptable
    facts = dict(report.facts)
    digest = facts.pop("digest")
    assert len(digest) == 64
    assert facts == {
        "format": "parquet",
        "files": 1,
        "size_bytes": path.stat().st_size,
        "rows": 24,
        "servers": 2,
        "ticks": 12,
        "start": "2024-05-01T12:00:00Z",
        "end": "2024-05-01T12:00:55Z",
        "span_seconds": 55.0,
        "step_seconds": 5.0,
        "jitter_seconds": 0.0,
        "samples": 24,
        "metrics": ["cpu_pct", "latency_ms"],
    }


def test_the_report_and_the_page_speak_with_one_voice(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "it.csv", *BROKEN)
    shown = FileSource(path, name="it", cache_folder=tmp_path / "cache", step_seconds=5.0).describe().notices
    sentences = [finding.sentence for finding in check_table(path, step_seconds=5.0).findings]
    assert set(shown) <= set(sentences)
    assert len(shown) == sum(RULES[rule].shown for rule, _ in rules(check_table(path, step_seconds=5.0)))


def test_a_table_that_cannot_be_opened_is_a_finding_with_its_missing_columns(tmp_path: Path) -> None:
    report = check(tmp_path, "time,value", "1,2")
    found = [(finding.rule, finding.column) for finding in report.findings if finding.severity == "error"]
    assert found == [
        ("missing-column", "timestamp"),
        ("missing-column", "server_name"),
        ("missing-column", "metrics"),
        ("unreadable-table", None),
    ]
    assert not report.acceptable


@pytest.mark.parametrize("content", [b"", b"PAR1", b"<html>", b"timestamp,server_name,cpu_pct\n"])
def test_a_file_that_is_no_table_is_a_finding_and_no_exception(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "it.csv"
    path.write_bytes(content)
    report = check_table(path)
    assert [finding.rule for finding in report.findings if finding.severity == "error"] == ["unreadable-table"]


def test_a_missing_file_is_unreachable_rather_than_unacceptable(tmp_path: Path) -> None:
    with pytest.raises(SourceMissingError):
        check_table(tmp_path / "it.csv")


def test_no_room_for_the_check_is_a_storage_error(tmp_path: Path) -> None:
    (tmp_path / "room").touch()
    with pytest.raises(StorageError, match="needs room"):
        check_table(write_csv(tmp_path / "it.csv", fleet_table(2)), cache_folder=tmp_path / "room")


def test_a_check_leaves_nothing_behind(tmp_path: Path) -> None:
    check_table(write_csv(tmp_path / "it.csv", fleet_table(2)), cache_folder=tmp_path / "room")
    assert list((tmp_path / "room").iterdir()) == []


def test_the_report_is_plain_json(tmp_path: Path) -> None:
    report = check(tmp_path, *BROKEN)
    plain = json.loads(json.dumps(report.as_dict(), allow_nan=False))
    assert plain["acceptable"] is False
    assert plain["facts"]["rows"] == 13
    assert {"rule", "severity", "column", "count", "share", "examples", "advice"} <= plain["findings"][0].keys()


def test_the_text_is_calm_narrow_and_worst_first(tmp_path: Path) -> None:
    text = check(tmp_path, *BROKEN).as_text()
    lines = text.splitlines()
    assert lines[0].endswith("it.csv breaks the data contract: 9 errors, 8 warnings, 2 notices.")
    assert max(map(len, lines[1:])) <= 120
    assert text.index("error ") < text.index("warning ") < text.index("notice ")
    assert "    row 2  2024-05-01T12:00:05Z  a  high" in lines
    assert "  What to do: Quote values that hold commas or quotation marks; write the last line completely." in lines


def test_hostile_values_cannot_disturb_the_terminal(tmp_path: Path) -> None:
    report = check(tmp_path, "timestamp,server_name,cpu_pct", "2024-05-01T12:00:00Z,a\x1b[31m,\x1b[2J", "\x1b[0m,b,1")
    assert "\x1b" not in report.as_text()


def test_rows_of_a_folder_are_told_with_their_file(tmp_path: Path) -> None:
    for name in ("one.csv", "two.csv"):
        write_lines(tmp_path / "days" / name, "timestamp,server_name,cpu_pct", f"2024-05-01T12:00:00Z,{name},140")
    write_csv(tmp_path / "days" / "good.csv", fleet_table(2))
    assert "one.csv row 1" in check_table(tmp_path / "days").as_text()


def test_every_rule_can_be_told(tmp_path: Path) -> None:
    for name, rule in RULES.items():
        sentence = rule.sentence.format(column="c", rows="1 row", values="v", samples="s", share="1 %", detail="d")
        assert sentence.endswith((".", "d")), name
        assert rule.advice.endswith("."), name
        assert rule.severity in SEVERITIES
