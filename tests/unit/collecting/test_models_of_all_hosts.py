"""A collector on a host that takes over judges by what another host has activated."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from support.calibrations import calibration
from support.pulse import SERVERS, STEP, PulseFeed

from tft_dash.collecting.process import opened_collector
from tft_dash.errors import StorageError
from tft_dash.live.specs import LiveSpec
from tft_dash.models.calibrated.model import CalibratedModel
from tft_dash.models.calibrated.shelf import CalibrationShelf
from tft_dash.models.thresholds import ThresholdModel
from tft_dash.settings import Settings, load_settings
from tft_dash.sharing.exchange import Exchange
from tft_dash.sharing.places import JUDGING
from tft_dash.store.engine import Store, store_url
from tft_dash.store.live import LiveStore

SettingsOf = Callable[[str], Settings]
SPEC = LiveSpec("pulse", "pulse", "pulse://x", {}, step_seconds=STEP, delay_seconds=0.0, backfill_hours=0.01)


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SettingsOf:
    """Of a host by its name; their store counts as a server that all reach."""
    monkeypatch.setattr(Store, "is_shared", property(lambda _store: True))
    return lambda name: load_settings(
        {"data": tmp_path / name, "store": f"sqlite:///{tmp_path}/store.sqlite"}, environ={}, folder=tmp_path
    )


def newest_by(settings: Settings) -> str:
    """The model of the newest tick, after a collector on that host has recorded some."""
    store = Store(store_url(settings))
    live = LiveStore(store)
    with opened_collector(settings, SPEC, feed=PulseFeed()) as collector:
        before = -1 if (state := live.state("pulse")) is None else state.latest
        end = time.monotonic() + 30
        while (state := live.state("pulse")) is None or state.latest <= before:
            assert time.monotonic() < end
            collector.round()
            time.sleep(0.05)
    record = live.tick("pulse", state.latest)
    store.close()
    assert record is not None
    return record.model


def test_who_takes_over_judges_as_another_host_has_activated(settings: SettingsOf) -> None:
    assert newest_by(settings("a")) == ThresholdModel.card.identity
    made = calibration(ThresholdModel.card, SERVERS, sources=("pulse",))
    shelf = CalibrationShelf(settings("b").data / "calibrations")
    shelf.add(made)
    shelf.activate("ours-1")
    store = Store(store_url(settings("b")))
    Exchange(settings("b").data, store).synchronise(JUDGING, settle_seconds=0)
    store.close()
    assert newest_by(settings("c")) == CalibratedModel(ThresholdModel(), made).card.identity
    assert newest_by(settings("a")) == CalibratedModel(ThresholdModel(), made).card.identity


def test_a_source_that_nobody_has_collected_is_judged_by_its_calibration_from_its_first_tick(
    settings: SettingsOf,
) -> None:
    made = calibration(ThresholdModel.card, SERVERS, sources=("pulse",))
    shelf = CalibrationShelf(settings("a").data / "calibrations")
    shelf.add(made)
    shelf.activate("ours-1")
    newest_by(settings("a"))
    store = Store(store_url(settings("a")))
    found = {record.model for record in LiveStore(store).ticks("pulse", 0, 10_000)}
    store.close()
    assert found == {CalibratedModel(ThresholdModel(), made).card.identity}


def test_a_host_that_cannot_have_them_says_so_and_judges_as_it_can(
    settings: SettingsOf, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def away(*_: object, **__: object) -> None:
        raise StorageError("The store is away.")

    monkeypatch.setattr(Exchange, "synchronise", away)
    with caplog.at_level(logging.WARNING):
        assert newest_by(settings("a")) == ThresholdModel.card.identity
    assert "The models of the other hosts are not here yet: The store is away." in caplog.text
