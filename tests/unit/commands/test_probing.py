from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from support.prometheus import fake_prometheus

from tft_dash.cli import main
from tft_dash.live.feeds.prometheus.document import parse_mapping


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["source", "test", *arguments])


@pytest.fixture
def table(tmp_path: Path) -> str:
    now = int(time.time())
    rows = [(second, "a", "web", 10.0) for second in range(now - 1000, now + 60, 5)]
    return made(tmp_path, rows)


def made(folder: Path, rows: Sequence[tuple[int, str, str, float]]) -> str:
    path = folder / "fleet.sqlite"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE metrics (timestamp INTEGER, server_name TEXT, profile TEXT, cpu_pct REAL)")
        connection.executemany("INSERT INTO metrics VALUES (?, ?, ?, ?)", rows)
    return f"sqlite:///{path}?table=metrics&step=5s"


def test_a_source_that_can_be_collected_ends_with_0(table: str) -> None:
    result = run(table)
    assert result.exit_code == 0, result.output
    assert "It can be collected so." in result.stdout
    assert "No index begins with timestamp" in result.stdout
    plain = json.loads(run(f"mine={table}", "--json").stdout)
    assert (plain["name"], plain["acceptable"]) == ("mine", True)
    assert plain["servers"] == [{"server_name": "a", "profile": "web"}]


def test_a_source_that_is_set_is_tried_by_its_name(table: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TFT_DASH_SOURCES", f"mine={table}")
    assert json.loads(run("mine", "--json").stdout)["name"] == "mine"


def test_a_source_without_samples_ends_with_1(tmp_path: Path) -> None:
    result = run(made(tmp_path, []))
    assert result.exit_code == 1
    assert "Not acceptable: The source answers, but has not had a sample" in result.stdout
    assert run(f"sqlite:///{tmp_path}/fleet.sqlite?table=other").exit_code == 1


def test_a_source_that_does_not_answer_ends_with_3_and_shows_no_secret() -> None:
    with fake_prometheus() as fake:
        fake.answers.append((401, {}, ""))
        result = run(f"prometheus+http://me:hunter2@127.0.0.1:{fake.port}/")
        assert result.exit_code == 3
        assert "lets nobody in with what it was given" in result.stderr
        assert "hunter2" not in result.output
    assert run("prometheus+http://127.0.0.1:1/").exit_code == 3
    assert run("sqlite:////nowhere/x.sqlite?table=m").exit_code == 3


def test_wrong_usage_ends_with_2(tmp_path: Path) -> None:
    for url in ("prometheus+http://h/?stp=5s", "sqlite:////x.sqlite", "nothing://h", str(tmp_path / "x.csv")):
        result = run(url)
        assert result.exit_code == 2, (url, result.output)
        assert result.stderr.startswith("tft-dash: ")
    assert "tft-dash check" in run(str(tmp_path / "x.csv")).stderr


def test_what_a_prometheus_could_be_asked_for_instead_is_told(tmp_path: Path) -> None:
    mapping = tmp_path / "own.yaml"
    spec = '{columns: {cpu_pct: {query: "cpu{$select}"}}, up: "up{$select}"}'
    mapping.write_text(f"{{apiVersion: tft-dash/v1, kind: PrometheusMapping, metadata: {{name: own}}, spec: {spec}}}")
    with fake_prometheus() as fake:
        fake.add("up", {"instance": "a:1", "job": "linux"}, [(fake.now - 5, 1)])
        result = run(f'prometheus+http://127.0.0.1:{fake.port}/?mapping={mapping}&select=job="node"')
    assert result.exit_code == 1
    assert 'Its jobs, with their targets: linux (1). Choose with select=job="linux".' in result.stdout
    assert "clock is" in result.stdout


def test_shipped_mappings_are_a_beginning_for_ones_own() -> None:
    def printed(*arguments: str) -> Result:
        return CliRunner().invoke(main, ["source", "mappings", *arguments])

    assert [line.partition("\t")[0] for line in printed().stdout.splitlines()] == ["node", "red"]
    for name in ("node", "red"):
        assert parse_mapping(printed(name).stdout, "own").metadata.name == name
    assert "properties" in json.loads(printed("--schema").stdout)
    assert printed("noed").exit_code == 2
