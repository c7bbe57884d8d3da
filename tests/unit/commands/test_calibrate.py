"""``tft-dash calibrate`` from the terminal, without torch: with thresholds, with outcomes, and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner, Result
from support.recordings import DATA

from tft_dash.cli import main
from tft_dash.models.forecasting.shelf import shipped_versions

NAB = [DATA / "nab" / f"{name}.parquet" for name in ("aws-cloudwatch", "asg-misconfiguration")]
NEZHA = [DATA / "nezha" / f"{name}.parquet" for name in ("online-boutique", "train-ticket")]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a fleet's history, the same without incidents, and the incidents as people would note them."""
    folder = tmp_path_factory.mktemp("calibrating")
    options = ["--days", 9, "--fleet-size", 6, "--seed", 9, "--format", "parquet", "--name", "fleet"]
    assert call(folder, "generate", "fleet-history", "--output-dir", folder, *options).exit_code == 0
    table = pd.read_parquet(folder / "fleet.parquet")
    calm = table.drop(columns=["state"])
    for column, value in (("cpu_pct", 20.0), ("mem_pct", 30.0), ("error_rate", 0.01)):
        calm[column] = value
    calm.to_parquet(folder / "calm.parquet")
    hourly = table[table["timestamp"].dt.minute == 0]
    hourly.drop(columns=["state"]).to_parquet(folder / "sparse.parquet")
    rows = []
    for name, one in table.groupby("server_name", observed=True):
        critical = (one["cpu_pct"] > 90) | (one["mem_pct"] > 90) | (one["error_rate"] > 0.3)
        starts = one["timestamp"][critical & ~critical.shift(1, fill_value=False)]
        rows += [{"server": name, "start": start, "end": start + pd.Timedelta(minutes=20)} for start in starts]
    pd.DataFrame(rows).to_csv(folder / "incidents.csv", index=False)
    return folder


def call(folder: Path, *arguments: object) -> Result:
    env = {"TFT_DASH_DATA": str(folder / "data"), "TFT_DASH_CACHE": str(folder / "cache")}
    return CliRunner(env=env).invoke(main, [str(argument) for argument in arguments], prog_name="tft-dash")


def test_crossings_are_fitted_to_reported_before_and_after_and_activated_for_their_source_only(place: Path) -> None:
    result = call(place, "calibrate", place / "fleet.parquet", "--name", "ours-1", "--for", "prod", "--for", "fleet")
    assert result.exit_code == 0, result.output
    for words in ("server 30m before", "server 8h after", "fleet 30m after", "threshold crossings", "Brier skill"):
        assert words in result.stdout
    assert "tft-dash models activate ours-1" in result.stderr
    made = json.loads((place / "data" / "calibrations" / "ours-1.json").read_text())
    assert made["sources"] == ["prod", "fleet"]
    assert made["incidents"] > made["later_incidents"] >= 3
    assert made["record"]["server 30m"]["after"]["rows"] > 0
    listed = call(place, "models")
    assert "calibration\tours-1\tready" in listed.stdout
    assert call(place, "models", "activate", "ours-1").exit_code == 0
    assert "active for fleet, prod" in call(place, "models").stdout
    risks = place / "risks.parquet"
    scored = call(place, "score", place / "fleet.parquet", "--model", "tft", "--output", risks)
    assert scored.exit_code == 0, scored.output
    fitted = pd.read_parquet(risks)["server_prob_30m"]
    assert call(place, "models", "rollback", "--source", "fleet").exit_code == 0
    call(place, "score", place / "fleet.parquet", "--model", "tft", "--output", risks)
    own = pd.read_parquet(risks)["server_prob_30m"]
    assert not np.allclose(fitted, own, equal_nan=True)
    again = call(place, "calibrate", place / "fleet.parquet", "--name", "ours-1")
    assert again.exit_code == 2
    assert "already" in again.stderr


def test_outcomes_in_a_file_count_instead_of_crossings_for_either_model(place: Path) -> None:
    for model in ("tft", "thresholds"):
        options = ["--outcomes", place / "incidents.csv", "--model", model, "--name", f"told-{model}", "--activate"]
        result = call(place, "calibrate", place / "calm.parquet", *options)
        assert result.exit_code == 0, result.output
        assert "outcomes in incidents.csv" in result.stdout
        assert "It answers for calm now" in result.stderr


def test_the_labels_of_a_drill_change_nothing(place: Path) -> None:
    bare = pd.read_parquet(place / "fleet.parquet").drop(columns=["incident_phase", "problem_child"])
    (place / "bare").mkdir()
    bare.to_parquet(place / "bare" / "fleet.parquet")
    lines = {}
    for name, path in (("with-labels", place / "fleet.parquet"), ("bare", place / "bare" / "fleet.parquet")):
        assert call(place, "calibrate", path, "--name", name).exit_code == 0
        made = json.loads((place / "data" / "calibrations" / f"{name}.json").read_text())
        lines[name] = [made[part] for part in ("server", "fleet", "rows", "incidents", "record")]
    assert lines["with-labels"] == lines["bare"]


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (["calm.parquet"], 1, "There are 0 incidents"),
        (["nothing.csv"], 3, "nothing.csv"),
        (["fleet.parquet", "--name", "a/b"], 2, "cannot be the name of a calibration"),
        (["fleet.parquet", "--name", "active"], 2, "already"),
        (["fleet.parquet", "--name", shipped_versions()[-1]], 2, "already"),
        (["fleet.parquet", "--model", "scripted"], 2, "reads the script"),
        (["fleet.parquet", "--model", "tff"], 2, "Did you mean 'tft'"),
        (["sparse.parquet"], 1, "--model thresholds"),
        (["sparse.parquet", "--model", "thresholds"], 1, "30 minutes cannot be told"),
        (["fleet.parquet", "--outcomes", "none.csv"], 3, "none.csv"),
        (["fleet.parquet", "--outcomes", "fleet.parquet"], 1, "row 1: it has no start"),
        (["calm.parquet", "--outcomes", "foreign.csv"], 1, "None of the servers"),
    ],
)
def test_what_cannot_be_fitted_is_refused_in_words_and_leaves_nothing(
    place: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], status: int, words: str
) -> None:
    monkeypatch.chdir(place)
    (place / "foreign.csv").write_text("server,start\nnowhere-1,2026-01-01\n")
    folder = place / "data" / "calibrations"
    before = sorted(folder.glob("*")) if folder.exists() else []
    result = call(place, "calibrate", *arguments)
    assert result.exit_code == status, result.output
    assert words in result.stderr
    assert "Traceback" not in result.output
    assert (sorted(folder.glob("*")) if folder.exists() else []) == before


@pytest.mark.skipif(not NAB[0].exists(), reason=f"the shared recordings are not at {DATA}")
@pytest.mark.parametrize(
    ("recordings", "told", "model"),
    [
        (NAB, False, "tft"), (NAB, True, "tft"), (NEZHA, True, "thresholds"),
    ],
)  # fmt: skip
def test_on_real_recordings_the_fitted_probabilities_are_no_worse_than_the_usual_rate(
    place: Path, recordings: list[Path], told: bool, model: str
) -> None:
    labels = [path.with_name(f"{path.stem}_labels.json") for path in recordings] if told else []
    outcomes = [word for path in labels for word in ("--outcomes", path)]
    name = f"real-{len(recordings)}-{told}-{model}-{recordings[0].stem}"
    result = call(place, "calibrate", *recordings, *outcomes, "--model", model, "--name", name)
    assert result.exit_code == 0, result.output
    made = json.loads((place / "data" / "calibrations" / f"{name}.json").read_text())
    for key, change in made["record"].items():
        # Against the rate of the earlier part: what that rate itself becomes later, no calibration can know.
        skill = change["after"]["skill_over_before"][0]
        assert skill is None or skill > -0.03, key
        assert made["whole"][key]["brier_skill"][0] >= -1e-6, key
