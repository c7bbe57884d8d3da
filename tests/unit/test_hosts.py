"""The services of two hosts that share a store: what one of them has, both serve."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support.calibrations import calibration

from tft_dash.callbacks.inspection import ANSWER, REPORT, TARGETS, VERDICT, Inspections
from tft_dash.errors import NotReadyError, StorageError, UnknownNameError, UsageError
from tft_dash.models.thresholds import ThresholdModel
from tft_dash.scenarios.library import load_scenario
from tft_dash.services import Services
from tft_dash.settings import load_settings
from tft_dash.sharing.exchange import Exchange
from tft_dash.store.engine import Store

HEALTHY = load_scenario("healthy")


@pytest.fixture
def hosts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Services]]:
    """Two, whose store counts as a server that both reach."""
    monkeypatch.setattr(Store, "is_shared", property(lambda _store: True))
    made = []
    for name in ("a", "b"):
        flags = {
            "data": tmp_path / name, "cache": tmp_path / name / "cache", "store": f"sqlite:///{tmp_path}/store.sqlite",
        }  # fmt: skip
        made.append(Services(load_settings(flags, environ={}, folder=tmp_path), look_seconds=0.0))
    yield made
    for each in made:
        each.close()


def until(tell: Callable[[], bool]) -> None:
    for _ in range(600):
        if tell():
            return
        time.sleep(0.05)
    raise AssertionError("it never came")


def test_a_drill_that_is_done_is_there_on_every_host_and_copied_by_those_that_serve(hosts: list[Services]) -> None:
    a, b = hosts
    run = a.runs.submit(HEALTHY)
    until(lambda: a.runs.get(run.id).state == "done")
    assert b.runs.get(run.id).there
    with pytest.raises(NotReadyError, match=r"Copying 'healthy-.*' from another host"):
        b.source(run.source)
    said = dict(zip(TARGETS, Inspections(b).answer({"name": run.source, "wanted": {REPORT: "1"}}), strict=True))
    assert said[ANSWER]["state"] == "copying"
    assert "from another host: 0% done" in said[ANSWER]["words"]
    assert said[VERDICT] == []
    b.resume()
    until(lambda: run.source in b.source_names())
    assert b.path(run.source).read_bytes() == a.path(run.source).read_bytes()
    assert b.runs.submit(HEALTHY).state == "done"
    with pytest.raises(UnknownNameError):
        b.source("healthy-ffffffff")


def test_it_is_removed_from_all_by_any_but_not_while_it_is_watched_on_another(hosts: list[Services]) -> None:
    a, b = hosts
    run = a.runs.submit(HEALTHY)
    until(lambda: a.runs.get(run.id).state == "done")
    for each in hosts:
        each.resume()
    until(lambda: run.source in b.source_names())
    b.recordings.watch(run.source)
    until(lambda: a.recordings.all()[0].watched is not None)
    with pytest.raises(UsageError, match="is being watched"):
        a.remove(run.source)


def test_a_drill_that_another_host_has_made_is_fetched_by_whoever_is_asked_to_make_it(hosts: list[Services]) -> None:
    a, b = hosts
    run = a.runs.submit(HEALTHY)
    until(lambda: a.runs.get(run.id).state == "done")
    made = a.path(run.source).stat().st_mtime_ns
    again = b.recordings.make(HEALTHY)
    assert again.path.stat().st_mtime_ns == made


def test_without_the_store_a_host_serves_what_it_has(hosts: list[Services], monkeypatch: pytest.MonkeyPatch) -> None:
    a, _ = hosts

    def away(*_: object) -> None:
        raise StorageError("The store is away.")

    monkeypatch.setattr(Exchange, "arriving", away)
    assert a.path("demo_dataset").is_file()
    with pytest.raises(UnknownNameError):
        a.source("healthy-ffffffff")


def test_a_drill_that_cannot_be_given_yet_is_done_all_the_same_and_given_later(
    hosts: list[Services], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    a, b = hosts

    def away(*_: object) -> None:
        raise StorageError("The store is away.")

    with monkeypatch.context() as patch:
        patch.setattr(Exchange, "publish", away)
        run = a.runs.submit(HEALTHY)
        until(lambda: a.runs.get(run.id).state == "done")
    assert "is not on the other hosts yet: The store is away." in caplog.text
    assert not b.runs.get(run.id).there
    for each in hosts:
        each.resume()
    until(lambda: run.source in b.source_names())


def test_a_calibration_that_is_activated_by_a_command_on_one_host_answers_on_another(hosts: list[Services]) -> None:
    a, b = hosts
    servers = b.describe("demo_dataset").servers
    a.models.calibrations.add(calibration(ThresholdModel.card, servers, sources=("demo_dataset",)))
    a.models.calibrations.activate("ours-1")
    assert b.frame("demo_dataset", "thresholds", 9).card.fitted == ""
    a.exchange_models()
    b.exchange_models()
    assert b.frame("demo_dataset", "thresholds", 9).card.fitted.startswith("ours-1")
    b.models.calibrations.rollback("demo_dataset")
    b.exchange_models()
    a.exchange_models()
    assert a.frame("demo_dataset", "thresholds", 9).card.fitted == ""
    b.exchange_models()
    b.remove_model("ours-1")
    for each in (b, a, b):
        each.exchange_models()
        assert "ours-1" not in each.models.calibrations.names()
