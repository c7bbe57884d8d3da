"""Training and measuring from the terminal; no network is fitted here but a tiny one."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner, Result

from tft_dash.cli import main
from tft_dash.commands import forecasting
from tft_dash.models.forecasting.artefact import load_artefact
from tft_dash.models.forecasting.evidence import Evidence
from tft_dash.models.forecasting.shelf import shipped_folder, shipped_versions

pytest.importorskip("dask", reason="needs the extra 'train'")
pytest.importorskip("torch", reason="needs the extra 'train'")
pytest.importorskip("sklearn", reason="needs the extra 'train'")

import torch

from tft_dash.training import evaluate as evaluating

DRILL = Path(__file__).parents[3] / "demo_data" / "demo_dataset.parquet"
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore:.*not support.*:UserWarning")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a calm and a troubled recording in it."""
    folder = tmp_path_factory.mktemp("forecasting")
    for name, days in (("short", 2), ("long", 10)):
        options = ["--days", days, "--fleet-size", 6, "--seed", 9, "--format", "parquet", "--name", name]
        assert call(folder, "generate", "fleet-history", "--output-dir", folder, *options).exit_code == 0
    calm = pd.read_parquet(folder / "long.parquet")
    for column, value in (("cpu_pct", 20.0), ("mem_pct", 30.0), ("error_rate", 0.01)):
        calm[column] = value
    calm = calm.drop(columns=["state", "incident_phase", "problem_child"])
    calm.to_parquet(folder / "calm.parquet")
    calm[calm["server_name"] == calm["server_name"].iloc[0]].to_parquet(folder / "one.parquet")
    calm.iloc[: 3 * calm["server_name"].nunique()].to_parquet(folder / "three.parquet")
    calm[["timestamp", "server_name"]].assign(cpu_pct=np.nan).to_parquet(folder / "null.parquet")
    (folder / "foreign.parquet").write_text("no table")
    return folder


def call(folder: Path, *arguments: object) -> Result:
    env = {"TFT_DASH_DATA": str(folder / "data"), "TFT_DASH_CACHE": str(folder / "cache")}
    threads = torch.get_num_threads()
    try:
        return CliRunner(env=env).invoke(main, [str(argument) for argument in arguments], prog_name="tft-dash")
    finally:
        torch.set_num_threads(threads)


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (["train", "--output", "m", "--device", "cuda"], 1, "no CUDA device"),
        (["train", "--output", "a model"], 2, "name of a version"),
        (["train", "--output", "taken"], 2, "is there already"),
        (["train", "--output", "taken/file"], 2, "is there already"),
        (["train", "--output", "taken/file/m"], 3, "is no folder that you may write to"),
        (["train", "--output", "m", "--workers", "2", "--scheduler", "tcp://localhost:1"], 2, "Leave one out"),
        (["train", "nothing.csv", "--output", "m"], 3, "nothing.csv"),
        (["train", "short.parquet", "--output", "m"], 1, "takes 4 days at least"),
        (["train", "calm.parquet", "--output", "m"], 1, "not a single incident"),
        (["train", DRILL, "--output", "m"], 1, "'demo_dataset' spans 1 step of"),
        (["train", "long.parquet", "--output", "m", "--days", "3"], 2, "--days belongs to simulated fleets"),
        (["train", "--output", "m", "--fleets", "1", "--servers", "1"], 1, "There is 1 server"),
        (["train", "one.parquet", "--output", "m"], 1, "There is 1 server"),
        (["train", "null.parquet", "--output", "m"], 1, "no readable value"),
        (["train", "three.parquet", "--output", "m"], 1, "spans 3 steps of five minutes"),
        (["train", "foreign.parquet", "--output", "m"], 1, "foreign"),
        (["train", "--output", "m", "--days", "1"], 1, "takes 4 days at least"),
        (["evaluate", "--model", "thresholds"], 2, "There is no forecast model 'thresholds'"),
        (["evaluate", "--model", "no/where"], 1, "card.json"),
        (["evaluate", "--model", "0.0.9"], 2, "There is no forecast model '0.0.9'"),
        (["evaluate", "nothing.csv"], 3, "nothing.csv"),
        (["evaluate", "three.parquet"], 1, "spans 3 steps of five minutes"),
        (["evaluate", "null.parquet"], 1, "no readable value"),
        (["evaluate", "--output", "no/where/evidence.json"], 3, "cannot be written"),
        (["evaluate", "--output", "taken"], 3, "cannot be written"),
        (["evaluate", "--seed", "1"], 2, "has learnt from"),
        (["evaluate", "short.parquet"], 1, "takes 4 days at least"),
        (["evaluate", "calm.parquet"], 1, "not a single incident"),
        (["evaluate", "long.parquet", "--servers", "2"], 2, "--servers belongs to simulated fleets"),
    ],
)
def test_what_cannot_be_done_is_refused_in_words_and_leaves_nothing(
    place: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[object], status: int, words: str
) -> None:
    if arguments[-2:] == ["--device", "cuda"] and torch.cuda.is_available():
        pytest.skip("there is a CUDA device")
    if arguments == ["evaluate", "--seed", "1"] and not load_artefact(newest()).card.trained_on.sources:
        pytest.skip("the shipped model does not name its seeds")
    monkeypatch.chdir(place)
    (place / "taken").mkdir(exist_ok=True)
    (place / "taken" / "file").touch()
    result = call(place, *arguments)
    assert result.exit_code == status, result.output
    assert words in result.stderr
    assert "Traceback" not in result.stderr
    assert not (place / "m").exists()
    assert not (place / "m.training").exists()
    assert not (place / "data" / "models").exists()


def test_without_an_incident_it_is_refused_before_anything_is_fitted(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(evaluating, "References")
    result = call(place, "evaluate", place / "calm.parquet")
    assert "not a single incident" in result.stderr


def test_no_secret_of_an_address_is_kept() -> None:
    address = "prod=s3://key:hunter2@metrics/2026/fleet.parquet?sig=hunter2"
    card = forecasting._of_recordings([address, "last month.parquet"])
    assert card.sources == ("fleet.parquet", "last month.parquet")
    assert "hunter2" not in card.model_dump_json()
    words = forecasting._command("evaluate", [address, "x y.csv"], "tft", {"seed": None})
    assert words == "tft-dash evaluate 'prod=s3://***@metrics/2026/fleet.parquet' 'x y.csv' --model tft"
    assert "hunter2" not in forecasting._of_recordings(["s3://key:hunter2@metrics"]).model_dump_json()


def newest() -> Path:
    return shipped_folder() / shipped_versions()[-1]


@pytest.fixture(scope="module")
def tiny(place: Path) -> tuple[Path, Result]:
    """A model that learnt a little from one small fleet, so that its references are fitted quickly too."""
    folder = place / "tiny-1"
    options = ["--fleets", 1, "--servers", 14, "--days", 8, "--steps", 3, "--seed", 5]
    return folder, call(place, "train", "--output", folder, *options)


def test_a_model_is_trained_from_nothing_and_its_card_says_from_what(place: Path, tiny: tuple[Path, Result]) -> None:
    folder, result = tiny
    assert result.exit_code == 0, result.stderr
    assert "Fitting: step 3 of 3, loss" in result.stderr
    card = load_artefact(folder).card
    assert card.trained_on.simulated
    assert card.trained_on.sources == ("seed 5",)
    assert card.trained_on.digest is not None
    assert card.training["steps_done"] == 3
    assert card.split["train_servers"] == 10
    assert load_artefact(folder).calibration.rows > 0
    assert not (place / "tiny-1.training").exists()


def test_evaluating_twice_gives_the_same_figures_and_one_digest(
    place: Path, tiny: tuple[Path, Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, size in (("REFERENCE_SERVERS", 6), ("REFERENCE_DAYS", 6.0)):
        monkeypatch.setattr(evaluating, name, size)
    options = ["evaluate", "--model", tiny[0], "--servers", 2, "--days", 6, "--seed", 5001]
    first = call(place, *options, "--json", "--output", place / "evidence.json")
    assert first.exit_code == 0, first.stderr
    found = Evidence.model_validate_json(first.stdout)
    assert Evidence.model_validate_json((place / "evidence.json").read_text()) == found
    assert set(found.horizons["30m"].models) == {
        "tft", "gradient-boosting", "thresholds", "persistence", "climatology",
    }  # fmt: skip
    assert found.command.startswith("tft-dash evaluate --model ")
    assert sum(group.servers or 0 for group in found.by_profile) == found.servers == 6
    assert [fleet.source for fleet in found.each] == ["seed 5001", "seed 5002", "seed 5003"]
    assert found.mean is not None
    skills = [fleet.horizons["8h"]["tft"].brier_skill for fleet in found.each]
    assert found.mean.horizons["8h"]["tft"].brier_skill == pytest.approx(np.mean([skill or 0.0 for skill in skills]))
    assert sum(fleet.incidents for fleet in found.each) == found.mean.incidents == found.incidents
    again = call(place, *options, "--workers", 2)
    assert again.exit_code == 0, again.stderr
    assert f"digest {found.digest}" in again.stdout
    assert "each fleet alone" in again.stdout


def test_a_recording_is_measured_on_its_later_half(place: Path) -> None:
    result = call(place, "evaluate", place / "long.parquet", "--model", newest(), "--json")
    assert result.exit_code == 0, result.stderr
    found = json.loads(result.stdout)
    assert found["simulated"] is False
    assert found["by_kind"] == []
    assert found["incidents"] > 0
    assert np.isfinite(found["horizons"]["8h"]["models"]["tft"]["brier_skill"][0])
