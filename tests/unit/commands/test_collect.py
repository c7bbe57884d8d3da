"""The command that collects live sources."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from sqlalchemy import func, select
from support.live import World

from tft_dash.cli import main
from tft_dash.commands import collecting
from tft_dash.errors import StorageError
from tft_dash.settings import load_settings
from tft_dash.store.engine import Store
from tft_dash.store.live import LiveStore
from tft_dash.store.pushed.taking import take
from tft_dash.store.pushed.values import TAKEN, Limits, PushedRows
from tft_dash.store.schema import PUSH_SAMPLES


def run(tmp_path: Path, *arguments: str, **environ: str) -> Result:
    places = {"TFT_DASH_DATA": str(tmp_path), "TFT_DASH_CACHE": str(tmp_path / "cache"), **environ}
    return CliRunner(env=places).invoke(main, ["collect", *arguments], prog_name="tft-dash")


@pytest.mark.parametrize(
    ("arguments", "sources", "words"),
    [
        ((), "", "There is no live source to collect"),
        ((), "drill=recording.csv", "There is no live source to collect"),
        (("recording.csv",), "", "is no live source"),
        (("ftp://host/x",), "", "ftp:// is not known"),
        (("fleet=push://fleet?step=soon",), "", "step=soon: expected a time"),
        (("fleet=push://fleet?model=oracle",), "", "There is no risk model 'oracle'"),
        (("--forget", "nothing"), "", "There is no live source 'nothing'"),
    ],
)
def test_what_cannot_be_collected_is_refused_with_what_to_do(
    tmp_path: Path, arguments: tuple[str, ...], sources: str, words: str
) -> None:
    result = run(tmp_path, *arguments, TFT_DASH_SOURCES=sources)
    assert result.exit_code == 2
    assert words in result.stderr
    assert "Traceback" not in result.stderr


def test_a_password_in_an_address_is_not_repeated(tmp_path: Path) -> None:
    result = run(tmp_path, "fleet=prometheus+http://me:hunter2@host:9090/?step=soon")
    assert result.exit_code == 2
    assert "hunter2" not in result.output


def test_a_history_can_be_dropped(tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path}/store.sqlite")
    world = World(store)
    world.live(world.collector(), 3)
    store.close()
    result = run(tmp_path, "--forget", "fleet")
    assert (result.exit_code, result.stderr) == (0, "The recorded history of 'fleet' is dropped.\n")
    again = Store(f"sqlite:///{tmp_path}/store.sqlite")
    assert World(again).ticks.states() == ()
    again.close()


def test_a_history_is_dropped_with_its_alerts_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store(f"sqlite:///{tmp_path}/store.sqlite")
    world = World(store)
    world.live(world.collector(), 3)

    def fail(*_: object) -> None:
        raise StorageError("the disk is full")

    monkeypatch.setattr(collecting, "forget_source", fail)
    result = run(tmp_path, "--forget", "fleet")
    assert (result.exit_code, len(world.recorded())) == (3, 3)
    store.close()


def test_what_was_pushed_to_a_source_that_was_never_collected_stays(tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path}/store.sqlite")
    now = int(LiveStore(store).now().astype(int))
    rows = PushedRows(np.array([now]), ["a"], [""], np.zeros(1, np.int8), {"cpu_pct": np.ones(1, np.float32)})
    (taken,) = take(store, "web", [rows], Limits(5000, 5000, 1e9, 10**9, 10**9))
    assert taken.count(TAKEN) == 1
    assert run(tmp_path, "--forget", "web").exit_code == 2
    with store.read() as connection:
        assert connection.execute(select(func.count()).select_from(PUSH_SAMPLES)).scalar() == 1
    store.close()


def test_a_collector_started_by_a_web_server_never_ends_with_a_status_that_stops_it(tmp_path: Path) -> None:
    result = run(tmp_path, "fleet=push://fleet?model=oracle", "--parent", "1")
    assert result.exit_code == 1
    assert "oracle" in result.stderr


def test_what_a_collector_is_told_is_what_its_parent_was_told(tmp_path: Path) -> None:
    class Told:
        def add(self, _name: str, arguments: list[str], environ: dict[str, str]) -> None:
            self.arguments, self.settings = arguments, load_settings({}, environ=environ, folder=tmp_path)

    told = Told()
    flags = {"data": tmp_path, "model": "tft", "fleet_zones": ("Europe/Berlin", "tokyo=Asia/Tokyo"), "port": 8051}
    settings = load_settings({**flags, "sources": ("fleet=push://fleet?step=15s",)}, environ={}, folder=tmp_path)
    collecting.keep(told, settings, collecting.live_sources(settings))  # type: ignore[arg-type]
    assert told.arguments == ["collect", "fleet"]
    assert {name: getattr(told.settings, name) for name in flags} == flags
