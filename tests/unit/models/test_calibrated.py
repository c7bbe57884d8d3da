"""A fleet's own calibration: applied to its own probabilities, to no other fleet and no other model; taken back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.calibrations import calibration

from tft_dash.errors import ModelRefusedError, UnknownNameError, UsageError
from tft_dash.models.calibrated.model import CalibratedModel
from tft_dash.models.calibrated.shelf import CalibrationShelf
from tft_dash.models.forecasting.calibration import Line
from tft_dash.models.thresholds import ThresholdModel
from tft_dash.schema import Assessments
from tft_dash.services import Services
from tft_dash.settings import load_settings

LONG, SHORT = "early-warning", "demo_dataset"


@pytest.fixture
def services(tmp_path: Path, cache: Path) -> Iterator[Services]:
    settings = load_settings({"cache": cache, "data": tmp_path}, environ={}, folder=tmp_path)
    made = Services(settings, wait_seconds=None, look_seconds=0.0)
    yield made
    made.close()


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


def assessments(soon: list[float], fleet: float) -> Assessments:
    risk = np.array([soon], np.float32)
    count = risk.shape[1]
    return Assessments(
        risk, np.full((1, count, 2), -1, np.int8), np.full((1, count, 2), np.nan, np.float32),
        np.array([fleet], np.float32), np.array([fleet], np.float32),
        server_prob_30m=risk, server_prob_8h=np.maximum(risk, np.float32(0.3)),
    )  # fmt: skip


def test_probabilities_keep_their_order_their_gaps_and_what_is_certain() -> None:
    card = ThresholdModel.card
    model = CalibratedModel(ThresholdModel(), calibration(card, ("a",)))
    said = model.restated(assessments([0.2, np.nan, 1.0], 1.0))
    assert said.server_prob_30m[0, 0] == pytest.approx(1 / (1 + np.exp(2.0 - 0.5 * np.log(0.2 / 0.8))), abs=1e-6)
    assert np.isnan(said.server_prob_30m[0, 1])
    assert said.server_prob_30m[0, 2] == said.server_prob_8h[0, 2] == said.prob_30m[0] == said.prob_8h[0] == 1.0
    assert (said.server_prob_8h[0, [0, 2]] >= said.server_prob_30m[0, [0, 2]]).all()
    calm = model.restated(assessments([0.9, 0.2], 0.01))
    assert calm.prob_30m[0] >= calm.server_prob_30m.max()
    assert (model.card.calibrated, model.card.fitted.startswith("ours-1")) == (True, True)
    assert model.card.identity != card.identity


def test_it_answers_for_its_own_source_once_it_is_active_and_no_longer_once_taken_back(services: Services) -> None:
    own = services.frame(LONG, "tft", 200)
    forecast = services.forecast(LONG, 200, 0)
    shelf = services.models.calibrations
    shelf.add(calibration(own.card, own.source.servers))
    assert services.frame(LONG, "tft", 200).prob_30m == own.prob_30m
    shelf.activate("ours-1")
    stated = services.frame(LONG, "tft", 200)
    assert stated.card.fitted.startswith("ours-1")
    assert stated.prob_30m != own.prob_30m
    ahead = services.forecast(LONG, 200, 0)
    assert ahead is not None
    assert forecast is not None
    assert ahead.prob_30m == pytest.approx(float(stated.risk[0]), abs=1e-6)
    assert ahead.prob_30m != forecast.prob_30m
    assert services.trace(stated, 0).risk[-1] == stated.risk[0]
    assert services.frame(SHORT, "thresholds", 20).card.fitted == ""
    assert shelf.rollback(LONG) == {"tft": None}
    assert services.frame(LONG, "tft", 200).prob_30m == own.prob_30m


def test_going_back_to_one_that_was_removed_is_going_back_to_the_models_own(services: Services) -> None:
    shelf = services.models.calibrations
    for name in ("ours-1", "ours-2"):
        shelf.add(calibration(ThresholdModel.card, services.describe(SHORT).servers, name=name, sources=(SHORT,)))
        shelf.activate(name)
    shelf.remove("ours-1")
    assert shelf.rollback(SHORT) == {"thresholds": None}
    frame = services.frame(SHORT, "thresholds", 20)
    assert (frame.card.fitted, frame.remarks) == ("", ())


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ({"servers": ("other-1", "other-2")}, "it has met 0 of the"),
        ({"model_identity": "tft 0.0.9 ffff"}, "it was fitted to tft 0.0.9 ffff"),
    ],
)
def test_it_never_speaks_for_other_servers_or_another_model_and_the_frame_says_so(
    services: Services, parts: dict[str, Any], words: str
) -> None:
    own = services.frame(LONG, "tft", 200)
    services.models.calibrations.add(calibration(own.card, own.source.servers, **parts))
    services.models.calibrations.activate("ours-1")
    frame = services.frame(LONG, "tft", 200)
    assert (frame.prob_30m, frame.card.fitted) == (own.prob_30m, "")
    assert words in " ".join(frame.remarks)


def test_a_model_without_probabilities_of_servers_gets_them_from_its_risks(services: Services) -> None:
    own = services.frame(SHORT, "thresholds", 30)
    parts = {"sources": (SHORT,), "server": {"30m": Line(slope=1.0, intercept=-1.0), "8h": Line()}}
    services.models.calibrations.add(calibration(own.card, own.source.servers, **parts))
    services.models.calibrations.activate("ours-1")
    frame = services.frame(SHORT, "best", 30)
    assert frame.card.name == "thresholds"
    np.testing.assert_array_equal(frame.risk, own.risk)
    assert frame.prob_30m != own.prob_30m
    said = services.monitor.assessed(services.source(SHORT), services.answering(SHORT, "best").model).assessments
    assert said.tells_servers


def test_a_second_shelf_sees_the_choice_and_goes_back_to_the_one_before(tmp_path: Path) -> None:
    card = ThresholdModel.card
    first, second = CalibrationShelf(tmp_path, look_seconds=0.0), CalibrationShelf(tmp_path, look_seconds=0.0)
    for name in ("ours-1", "ours-2"):
        first.add(calibration(card, ("a",), name=name))
        first.activate(name)
    assert second.current(LONG, card.name).name == "ours-2"  # type: ignore[union-attr]
    assert second.rollback(LONG) == {card.name: "ours-1"}
    assert first.current(LONG, card.name).name == "ours-1"  # type: ignore[union-attr]
    with pytest.raises(UsageError, match="already"):
        first.add(calibration(card, ("a",)))
    with pytest.raises(UnknownNameError):
        first.activate("ours-3")
    with pytest.raises(UsageError, match="no calibration has been active"):
        first.rollback("nothing")


def test_a_damaged_calibration_is_refused_listed_and_never_answers_for_anyone(services: Services) -> None:
    own = services.frame(LONG, "tft", 200)
    shelf = services.models.calibrations
    path = shelf.add(calibration(own.card, own.source.servers))
    shelf.activate("ours-1")
    document = json.loads(path.read_text())
    path.write_text(json.dumps({**document, "server": {"30m": {"slope": -1.0, "intercept": 0.0}}}))
    frame = services.frame(LONG, "tft", 200)
    assert frame.prob_30m == own.prob_30m
    assert "does not answer" in frame.remarks[0]
    assert shelf.all()[0].problem is not None
    with pytest.raises(ModelRefusedError):
        shelf.activate("ours-1")
    path.unlink()
    assert services.frame(LONG, "tft", 200).remarks
