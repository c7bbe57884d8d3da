"""The commands: data on stdout, one readable paragraph for every error, the right exit status."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner, Result

from tft_dash.cli import main

DRILL = Path(__file__).parents[3] / "demo_data" / "demo_dataset.parquet"


Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs ``tft-dash`` with its data and cache in a folder of the test's own."""
    monkeypatch.chdir(tmp_path)
    places = {"TFT_DASH_DATA": str(tmp_path / "data"), "TFT_DASH_CACHE": str(tmp_path / "cache")}

    def call(*arguments: object) -> Result:
        return CliRunner(env=places).invoke(main, [str(argument) for argument in arguments], prog_name="tft-dash")

    return call


def test_every_command_has_help_with_an_example(run: Run) -> None:
    for name in main.commands:
        result = run(name, "--help")
        assert result.exit_code == 0
        assert f"tft-dash {name}" in result.output.split("Example:")[1]


def test_generate_writes_the_four_files_and_names_them_on_stdout(run: Run, tmp_path: Path) -> None:
    result = run("generate", "healthy", "--output-dir", tmp_path / "d", "--fleet-size", 3, "--duration", 1)
    assert result.exit_code == 0, result.stderr
    names = {Path(line).name for line in result.stdout.splitlines()}
    assert names == {"healthy.csv", "healthy.parquet", "healthy_metadata.json", "healthy.scenario.yaml"}
    assert all(Path(line).is_file() for line in result.stdout.splitlines())


def test_generating_again_gives_the_same_bytes(run: Run, tmp_path: Path) -> None:
    for folder in ("one", "two"):
        assert run("generate", "cascade", "--output-dir", tmp_path / folder, "--seed", 5).exit_code == 0
    for path in (tmp_path / "one").iterdir():
        assert path.read_bytes() == (tmp_path / "two" / path.name).read_bytes()


def test_score_writes_a_row_per_server_and_tick(run: Run, tmp_path: Path) -> None:
    result = run("score", DRILL, "--model", "thresholds", "--output", tmp_path / "risks.parquet")
    assert result.exit_code == 0, result.stderr
    risks = pd.read_parquet(tmp_path / "risks.parquet")
    own = ["server_prob_30m", "server_prob_8h"]
    assert list(risks) == ["timestamp", "server_name", "risk", "prob_30m", "prob_8h", *own]
    assert len(risks) == 600
    assert risks[own].isna().all(axis=None)
    assert (risks["prob_30m"] <= risks["prob_8h"]).all()
    assert not list(tmp_path.glob(".*part"))


def test_a_forecast_is_scored_where_it_fits_and_refused_where_it_does_not(run: Run, tmp_path: Path) -> None:
    drill = DRILL.with_name("early-warning.parquet")
    assert run("score", drill, "--model", "tft", "--output", tmp_path / "risks.parquet").exit_code == 0
    risks = pd.read_parquet(tmp_path / "risks.parquet")
    told = risks.dropna()
    assert len(told) == len(risks) - 11 * 10
    assert (told["server_prob_30m"] <= told["server_prob_8h"]).all()
    assert (told["risk"] == told["server_prob_30m"]).all()
    assert told["prob_30m"].max() > 0.9
    refused = run("score", DRILL, "--model", "tft", "--output", tmp_path / "none.parquet")
    assert refused.exit_code == 1
    assert "needs an hour of history" in refused.stderr
    assert not (tmp_path / "none.parquet").exists()
    assert run("score", DRILL, "--model", "best", "--output", tmp_path / "best.parquet").exit_code == 0


def test_scores_carry_the_recordings_own_times_to_the_last_digit(run: Run, tmp_path: Path) -> None:
    stamps = pd.to_datetime(["2026-01-01T00:00:00.000001", "2026-01-01T00:00:05.123457", "2026-01-01T00:00:10.000000"])
    table = pd.DataFrame({"timestamp": stamps.astype("datetime64[us]"), "server_name": "a", "cpu_pct": [1.0, 2.0, 3.0]})
    table.to_parquet(tmp_path / "exact.parquet")
    assert run("score", tmp_path / "exact.parquet", "--output", tmp_path / "risks.parquet").exit_code == 0
    risks = pd.read_parquet(tmp_path / "risks.parquet")
    assert list(risks["timestamp"].dt.tz_localize(None)) == list(stamps)


def test_check_accepts_the_drill_and_refuses_a_broken_table(run: Run, tmp_path: Path) -> None:
    assert run("check", DRILL).exit_code == 0
    broken = tmp_path / "broken.csv"
    broken.write_text(
        "timestamp,server_name,cpu_pct\n2026-01-01T00:00:00Z,web-001,140\n2026-01-01T00:00:05Z,web-001,x\n"
    )
    result = run("check", broken, "--json")
    assert result.exit_code == 1
    assert json.loads(result.stdout)["acceptable"] is False


def test_serve_answers_one_request_and_exits(run: Run) -> None:
    assert run("serve", DRILL, "--get", "/healthz").stdout == "ok"
    missing = run("serve", DRILL, "--get", "/api/v1/sources/nothing/ticks/0")
    assert missing.exit_code == 1
    assert "demo_dataset" in json.loads(missing.stdout)["error"]


def test_listings_go_to_stdout(run: Run) -> None:
    assert "thresholds" in run("models").stdout
    assert "early-warning" in run("scenarios").stdout
    assert "demo_dataset" in run("sources").stdout
    assert "TFT_DASH_PORT\t8050\tdefault" in run("settings").stdout
    assert json.loads(run("scenarios", "--schema").stdout)["type"] == "object"


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (["check", "nothing.csv"], 3, "nothing.csv"),
        (["serve", "nothing.csv"], 3, "nothing.csv"),
        (["score", "nothing.csv", "--output", "x.parquet"], 3, "nothing.csv"),
        (["demo", "--scenario", "degradin"], 2, "Did you mean 'degrading'"),
        (["demo", "--scenario", "story.yaml"], 3, "story.yaml"),
        (["demo", "--fleet-size", "0"], 2, "--fleet-size"),
        (["demo", "--duration", "-1"], 2, "--duration"),
        (["demo", "--duration", "nan"], 2, "duration"),
        (["demo", "--seed", "-1"], 2, "--seed"),
        (["demo", "--port", "99999"], 2, "--port"),
        (["demo", "--refresh", "0"], 2, "refresh"),
        (["demo", "--host", "0.0.0.0"], 2, "--insecure-public"),
        (["generate", "healthy", "--output-dir", "d", "--format", "xls"], 2, "csv"),
        (["generate", "healthy", "--output-dir", "d", "--days", "1", "--duration", "5"], 2, "--days"),
        (["generate", "healthy", "--output-dir", "d", "--hours", "2", "--days", "1"], 2, "--hours and --days"),
        (["generate", "healthy", "--output-dir", "d", "--hours", "0"], 2, "--hours"),
        (["generate", "healthy", "--output-dir", "d", "--days", "1e9"], 2, "duration"),
        (["generate", "healthy", "--output-dir", "d", "--name", "../x"], 2, "../x"),
        (["generate", "healthy", "--output-dir", "taken/d"], 3, "taken"),
        (["demo", "--output-dir", "taken"], 3, "taken"),
        (["score", str(DRILL), "--model", "thresholt", "--output", "x.parquet"], 2, "thresholds"),
        (["score", str(DRILL), "--output", "taken/x.parquet"], 3, "taken"),
        (["score", str(DRILL), "--output", "/dev/null"], 2, "not a file"),
        (["score", str(DRILL), "--output", str(DRILL)], 2, "the recording itself"),
        (["score", str(DRILL.parent), "--output", str(DRILL.parent / "x.parquet")], 2, "in its folder"),
        (["serve", str(DRILL), "--model", "nothing"], 2, "nothing"),
        (["serve", str(DRILL), "--get", "healthz"], 2, "slash"),
        (["serve", "empty.csv"], 1, "empty"),
        (["nothing"], 2, "No such command"),
    ],
)
def test_a_wrong_call_is_one_paragraph_with_its_status(
    run: Run, tmp_path: Path, arguments: list[str], status: int, words: str
) -> None:
    (tmp_path / "taken").write_text("a file, not a folder")
    (tmp_path / "empty.csv").write_text("")
    before = sorted(tmp_path.rglob("*"))
    result = run(*arguments)
    assert result.exit_code == status, result.output
    assert words in result.stderr
    assert "Traceback" not in result.output
    assert result.stdout == ""
    left = [path for path in tmp_path.rglob("*") if path not in before and "cache" not in path.parts and path.is_file()]
    assert left == []


def test_a_port_in_use_is_named_with_what_to_do(run: Run) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        result = run("serve", DRILL, "--port", port)
    assert result.exit_code == 3
    assert f"Port {port} is taken" in result.stderr


def test_three_mistakes_in_a_document_are_all_listed_with_their_paths(run: Run, tmp_path: Path) -> None:
    text = (Path(__file__).parents[3] / "demo_data" / "demo_dataset.scenario.yaml").read_text()
    broken = text.replace("seed: 42", "seed: soon").replace("tick: ", "tick: -").replace("tft-dash/v1", "tft-dash/v9")
    (tmp_path / "story.yaml").write_text(broken)
    result = run("generate", "story.yaml", "--output-dir", tmp_path / "d")
    assert result.exit_code == 1
    for path in ("apiVersion", "spec.seed", "spec.clock.tick"):
        assert path in result.stderr
    assert not (tmp_path / "d").exists()
