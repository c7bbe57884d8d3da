"""``tft-dash models``: what there is, activation, and the way back."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from support.calibrations import calibration

from tests.unit.models.forecasting.folders import VERSION, copied
from tft_dash.cli import main
from tft_dash.models.calibrated.shelf import CalibrationShelf
from tft_dash.models.thresholds import ThresholdModel
from tft_dash.services import Services

Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs ``tft-dash models`` over a data folder with the version 9.9."""
    monkeypatch.chdir(tmp_path)
    copied(tmp_path / "data" / "models", "9.9")
    places = {"TFT_DASH_DATA": str(tmp_path / "data"), "TFT_DASH_CACHE": str(tmp_path / "cache")}
    return lambda *arguments: CliRunner(env=places).invoke(main, ["models", *arguments], prog_name="tft-dash")


def test_models_and_versions_are_listed_with_their_state(run: Run, tmp_path: Path) -> None:
    (tmp_path / "data" / "models" / "broken").mkdir()
    lines = [line.split("\t") for line in run().stdout.splitlines()]
    assert {line[0] for line in lines} == {"thresholds", "scripted", "tft", "tft version"}
    versions = {line[1]: line[2:4] for line in lines if line[0] == "tft version"}
    assert versions[VERSION] == ["shipped", "active"]
    assert versions["9.9"] == ["own", "ready"]
    assert versions["broken"] == ["own", "refused"]


def test_a_version_is_activated_and_gone_back_from(run: Run, tmp_path: Path) -> None:
    assert run("activate", "9.9").exit_code == 0
    assert "tft\t9.9" in run().stdout
    assert run("rollback").exit_code == 0
    assert json.loads((tmp_path / "data" / "models" / "active.json").read_text())["version"] == VERSION


def test_a_choice_that_another_host_has_overtaken_is_told(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def overtaken(services: Services) -> None:
        services.models.shelf.activate(VERSION)

    monkeypatch.setattr(Services, "exchange_models", overtaken)
    result = run("activate", "9.9")
    assert result.exit_code == 2
    assert "on another host something else at the same moment" in result.stderr


def test_what_answers_for_nothing_is_removed(run: Run, tmp_path: Path) -> None:
    shelf = CalibrationShelf(tmp_path / "data" / "calibrations")
    shelf.add(calibration(ThresholdModel.card, ("a",), sources=("fleet",)))
    shelf.activate("ours-1")
    run("activate", "9.9")
    for name, words in (("ours-1", "rollback --source fleet"), ("9.9", "Activate another version first")):
        refused = run("remove", name)
        assert refused.exit_code == 2
        assert words in refused.stderr
    run("rollback")
    run("rollback", "--source", "fleet")
    assert "tft 9.9 is removed" in run("remove", "9.9").stderr
    assert "The calibration 'ours-1' is removed" in run("remove", "ours-1").stderr
    assert "9.9" not in run().stdout
    assert "ours-1" not in run().stdout
    again = run("remove", "9.9")
    assert (again.exit_code, VERSION in again.stderr) == (2, False)
    assert run("remove", VERSION).exit_code == 2


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (("activate", "9.8"), 2, "Did you mean '9.9'"),
        (("activate", "broken"), 1, "card.json is refused"),
        (("activate", "../models/9.9"), 2, "There is no model version"),
        (("rollback",), 2, "nothing to go back to"),
        (("activate",), 2, "NAME"),
        (("actviate", "9.9"), 2, "No such command"),
    ],
)
def test_what_cannot_be_activated_is_told_and_changes_nothing(
    run: Run, tmp_path: Path, arguments: tuple[str, ...], status: int, words: str
) -> None:
    (tmp_path / "data" / "models" / "broken").mkdir()
    result = run(*arguments)
    assert result.exit_code == status
    assert words in result.stderr
    assert "Traceback" not in result.output
    assert not (tmp_path / "data" / "models" / "active.json").exists()


def test_a_choice_that_is_refused_is_told_while_the_rest_is_listed(run: Run, tmp_path: Path) -> None:
    (tmp_path / "data" / "models" / "active.json").write_text("{")
    result = run()
    assert result.exit_code == 0
    assert "the model 'tft' does not answer" in result.stderr
    assert "thresholds\t" in result.stdout
    assert "tft-dash models activate" in result.stderr
