"""Which model answers for which source, and the forecast of one server."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from tests.unit.models.forecasting.folders import copied
from tests.unit.models.windows import fleet
from tft_dash.errors import UnknownNameError
from tft_dash.figures.forecast.timing import likely_by, when
from tft_dash.models.forecasting.layout import QUANTILES, SOON, TARGETS
from tft_dash.scenarios.library import load_scenario
from tft_dash.schema import THRESHOLDS
from tft_dash.services import Services, shipped_drills
from tft_dash.settings import load_settings
from tft_dash.sources.memory import MemorySource

SHORT, LONG = "demo_dataset", "early-warning"


@pytest.fixture
def services(tmp_path: Path, cache: Path) -> Iterator[Services]:
    """The shipped drills and models, looked at at every question."""
    settings = load_settings({"cache": cache, "data": tmp_path}, environ={}, folder=tmp_path)
    made = Services(settings, wait_seconds=None, look_seconds=0.0)
    yield made
    made.close()


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


def test_the_best_model_is_the_forecast_where_it_fits_and_the_reason_is_told_where_not(services: Services) -> None:
    assert services.frame(LONG, "best", 50).card.name == "tft"
    assert services.frame(LONG, "best", 50).instead is None
    short = services.frame(SHORT, "best", 5)
    assert short.card.name == "thresholds"
    assert "5 minutes long" in str(short.instead)
    assert "'thresholds' (Adaptive thresholds) answers in its place" in str(short.instead)
    assert services.frame(SHORT, "tft", 5).instead == short.instead
    assert services.frame(SHORT, "thresholds", 5).instead is None


def test_a_fleet_is_judged_by_its_own_clock_and_a_drill_by_the_one_it_was_made_with(
    tmp_path: Path, cache: Path
) -> None:
    drill = next(path for path in shipped_drills() if path.stem == LONG)
    table = tmp_path / "tokyo.parquet"
    columns = pq.read_table(drill)
    kept = [name for name in columns.column_names if not name.startswith("incident_") and "phase" not in name]
    pq.write_table(columns.select(kept).replace_schema_metadata(), table)
    assert len(kept) < len(columns.column_names)  # without the labels that tell a drill
    flags = {
        "cache": cache,
        "data": tmp_path,
        "sources": (str(drill), str(table)),
        "fleet_zones": ("tokyo=Asia/Tokyo",),
    }
    services = Services(load_settings(flags, environ={}, folder=tmp_path), wait_seconds=None)
    simulated, real = (services.frame(name, "best", 300) for name in (LONG, "tokyo"))
    assert "Asia/Tokyo" in real.card.summary
    assert "Asia/Tokyo" not in simulated.card.summary
    assert (real.risk != simulated.risk).any()
    ahead = services.forecast("tokyo", 300, 0)
    assert ahead is not None
    assert ahead.prob_30m == pytest.approx(float(real.risk[0]), abs=1e-6)
    services.close()


def test_an_unknown_model_is_no_reason_for_another_to_answer(services: Services) -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'tft'"):
        services.frame(LONG, "tfft", 5)


def test_a_page_starts_with_the_best_unless_a_model_is_set(services: Services) -> None:
    assert services.model_choices() == ("best", "thresholds", "scripted", "tft")
    assert services.default_model() == "tft"
    services.settings = replace(services.settings, model="scripted")
    assert services.model_choices() == ("scripted", "best", "tft", "thresholds")
    assert services.default_model() == "scripted"


def test_an_activated_version_answers_without_a_restart_and_its_answers_are_its_own(
    services: Services, tmp_path: Path
) -> None:
    before = services.frame(LONG, "tft", 100)
    copied(tmp_path / "models", "9.9", lambda card: card.update(title="Another"))
    services.models.shelf.activate("9.9")
    after = services.frame(LONG, "tft", 100)
    assert (before.card.title, after.card.title) == ("Temporal Fusion Transformer", "Another")
    assert before.card.identity != after.card.identity
    assert services.artefacts()[0].active
    services.models.shelf.rollback()
    assert services.frame(LONG, "best", 100).card.identity == before.card.identity


def test_a_refused_model_lets_another_answer_in_words_and_hides_no_card(services: Services, tmp_path: Path) -> None:
    copied(tmp_path / "models", "9.9")
    services.models.shelf.activate("9.9")
    (tmp_path / "models" / "9.9" / "card.json").write_text("{")
    frame = services.frame(LONG, "best", 50)
    assert frame.card.name == "thresholds"
    assert "card.json is refused" in str(frame.instead)
    assert [card.name for card in services.cards()] == ["thresholds", "scripted"]
    assert services.default_model() == "thresholds"
    assert services.forecast(LONG, 50, 0) is None
    assert services.model_evidence("tft") is None
    assert "card.json is refused" in str(services.artefacts()[0].problem)


def test_the_cache_keeps_what_is_said_of_single_servers(services: Services) -> None:
    for name, told in (("tft", True), ("thresholds", False)):
        source, model = services.source(LONG), services.model(name)
        services.monitor.assessed(source, model)
        said = services.monitor.assessed(source, model).assessments
        assert said.tells_servers is told
        assert said.server_prob_30m.shape == said.risk.shape
        assert bool(np.isnan(said.server_prob_8h).all()) is not told


def test_a_forecast_is_the_frames_own_and_complete(services: Services) -> None:
    for tick in (11, 60, 300, 323, 340):
        said = services.monitor.assessed(services.source(LONG), services.model("tft")).assessments
        for server in (0, 7):
            found = services.forecast(LONG, tick, server)
            assert found is not None
            assert found.prob_30m == said.server_prob_30m[tick, server]
            assert found.prob_8h == said.server_prob_8h[tick, server]
            assert found.confidence == pytest.approx(min(1.0, (tick + 1) / 96), abs=0.06)
            assert sum(found.selection.values()) == pytest.approx(1.0, abs=1e-4)
            assert (np.diff(found.quantiles["cpu_pct"], axis=1) >= 0).all()
            assert (np.diff(found.chance) >= 0).all()
            assert found.minutes[SOON] == 30.0
    assert services.forecast(LONG, 323, 7) is services.forecast(LONG, 323, 7)


def test_a_forecast_says_when_a_line_is_first_crossed(services: Services) -> None:
    found = services.forecast(LONG, 330, 7)
    assert found is not None
    crossed = 0
    for name in TARGETS:
        line, bands, crossing = THRESHOLDS[name].critical, found.quantiles[name], found.crossings[name]
        for level, told in ((0.5, crossing.likely), (0.9, crossing.possible)):
            over = (bands[:, QUANTILES.index(level)] > line) & (found.chance > 1.0 - level - 1e-5)
            assert told == (float(found.minutes[over][0]) if over.any() else None)
            crossed += told is not None
    assert crossed


def test_the_panels_words_warn_of_the_early_warning_in_time_and_are_calm_before(services: Services) -> None:
    first, victims = 324, (0, 4, 7)
    for ahead in (6, 5, 4, 3, 2, 1):
        told = [services.forecast(LONG, first - ahead, server) for server in victims]
        times = [likely_by(one) for one in told if one is not None]
        assert min(time for time in times if time is not None) <= 60.0
        assert any(when(one).startswith("Likely critical in about") for one in told if one is not None)
    for tick in (100, 150, 200, 250):
        for server in range(10):
            calm = services.forecast(LONG, tick, server)
            assert calm is not None
            assert likely_by(calm) is None
            assert all(crossing.likely is None for crossing in calm.crossings.values())


def test_before_an_hour_has_passed_a_forecast_says_nothing(services: Services) -> None:
    found = services.forecast(LONG, 10, 0)
    assert found is not None
    assert found.confidence == 0.0
    assert np.isnan(found.prob_30m)
    assert all(np.isnan(values).all() for values in found.quantiles.values())


def test_a_source_that_the_forecast_does_not_fit_has_none(services: Services) -> None:
    assert services.forecast(SHORT, 30, 0) is None


def test_a_recording_that_would_take_long_is_forecast_only_when_that_is_asked_for(services: Services) -> None:
    about = replace(services.describe(LONG), ticks=100_000)
    left_open = services.models.answering(about, "best")
    assert left_open.model.card.name == "thresholds"
    assert "would take about 10 minutes. Choose 'tft'" in str(left_open.instead)
    assert services.models.answering(about, "tft").instead is None
    minutes = replace(about, step_seconds=5.0)
    assert services.models.answering(minutes, "best").model.card.name == "tft"


def test_a_server_that_has_just_fallen_silent_is_forecast_as_the_frame_says(services: Services) -> None:
    window = fleet(30, 2, step_seconds=300.0)
    for values in window.metrics.values():
        values[25:, 1] = np.nan
    source = MemorySource(window)
    about, model = source.describe(), services.models.forecaster()
    said = model.assess_recording(window)
    for tick in range(22, 30):
        found = services.models.forecast(source, about, tick, 1)
        assert found is not None
        np.testing.assert_array_equal(found.prob_30m, said.server_prob_30m[tick, 1])
        assert np.isnan(found.chance).all() == np.isnan(said.server_prob_30m[tick, 1])


def test_a_preview_is_judged_by_the_forecast_where_its_ticks_allow_it_and_says_why_not(services: Services) -> None:
    short = services.preview(load_scenario("degrading"), "tft")
    assert short.card.name == "thresholds"
    assert "5 minutes long" in str(short.instead)
    assert services.preview(load_scenario("degrading"), "thresholds").instead is None
    long = services.preview(load_scenario("early-warning"), "tft")
    assert (long.card.name, long.instead) == ("tft", None)
