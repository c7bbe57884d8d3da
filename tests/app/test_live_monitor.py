"""The live monitor's callback over a live source, asked by POST as a browser does."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from app.conftest import MakeClient
from app.test_callbacks import answer_of, ask, drawn, text_of
from flask.testing import FlaskClient
from support.live import World

from tft_dash.callbacks import live
from tft_dash.live.feeds.memory import ManualClock
from tft_dash.live.source import LOOK_SECONDS
from tft_dash.store.engine import Store

SOURCE = "fleet=push://fleet?step=5s"
FLEET = {"source": "fleet", "model": "best", "playing": True, "follow": True}


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    (tmp_path / "data").mkdir()
    opened = Store(f"sqlite:///{tmp_path}/data/store.sqlite")
    whole = int(time.time()) // 5 * 5 - 600
    yield World(opened, clock=ManualClock(np.datetime64(whole, "s")))
    opened.close()


@pytest.fixture
def client(make_client: MakeClient) -> FlaskClient:
    return make_client(SOURCE)


def shown(response: dict[str, Any]) -> dict[str, Any]:
    return {**drawn(response), "roster": answer_of(response)["roster"]}


def banner(response: dict[str, Any]) -> str:
    return text_of(response["monitor-banner"]["children"]) if "monitor-banner" in response else "the same"


def test_a_page_that_follows_is_given_the_newest_tick_whatever_its_clock_says(
    client: FlaskClient, world: World
) -> None:
    collector = world.collector()
    world.live(collector, 8)
    first = ask(client, **FLEET, tick=3, now=5e12)
    assert (answer_of(first)["tick"], answer_of(first)["live"]["latest"]) == (7, 7)
    world.live(collector, 2)
    later = ask(client, **FLEET, tick=3, seen=9, drawn=shown(first))
    assert answer_of(later)["tick"] == 9
    assert "__dash_patch_update" in later["monitor-trend"]["figure"]


def test_a_worker_that_is_behind_what_the_page_has_seen_looks_anew(make_client: MakeClient, world: World) -> None:
    one, two = make_client(SOURCE), make_client(SOURCE)
    collector = world.collector()
    world.live(collector, 4)
    assert answer_of(ask(two, **FLEET))["tick"] == 3
    world.live(collector, 1)
    assert answer_of(ask(one, **FLEET))["tick"] == 4
    assert answer_of(ask(two, **FLEET, seen=4))["tick"] == 4
    body = {**FLEET, "seen": 4, "tick": 2, "follow": False, "playing": False}
    assert ask(one, **body)["monitor-trend"] == ask(two, **body)["monitor-trend"]


def test_an_earlier_tick_is_replayed_as_it_was_issued(client: FlaskClient, world: World) -> None:
    world.live(world.collector(), 8)
    response = ask(client, **{**FLEET, "follow": False, "playing": False}, tick=2)
    assert answer_of(response)["tick"] == 2
    assert len(response["monitor-trend"]["figure"]["data"][0]["y"]) == 3
    assert response["kpi-progress"]["children"] == f"{world.recorded()[2].time}"[11:19]
    assert text_of(response["monitor-summary"]["children"]) == ""


def test_servers_that_come_and_go_leave_the_zoomed_figures_as_they_are(client: FlaskClient, world: World) -> None:
    collector = world.collector()
    world.live(collector, 4)
    before = ask(client, **FLEET)
    world.forward(5)
    world.report(servers=("a", "b", "c"))
    collector.round()
    after = ask(client, **FLEET, seen=4, drawn=shown(before))
    assert answer_of(after)["about"]["servers"] == ["a", "b", "c"]
    assert list(after["monitor-server"]["options"]) == ["a", "b", "c"]
    for name in ("monitor-trend", "monitor-rolling"):
        assert "__dash_patch_update" in after[name]["figure"]
    assert "data" in after["monitor-heatmap"]["figure"]


def test_a_silent_server_is_grey_with_its_age_and_the_figures_say_of_how_many_they_speak(
    client: FlaskClient, world: World
) -> None:
    collector = world.collector()
    world.live(collector, 4)
    for _ in range(3):
        world.forward(5)
        world.report(servers=("a",))
        collector.round()
    response = ask(client, **FLEET, server="b")
    heat = response["monitor-heatmap"]["figure"]["data"]
    assert heat[1]["z"][0][:2] == [heat[1]["z"][0][0], None]
    assert heat[2]["text"][1].startswith("silent 15 s")
    assert "last heard of 15 s before" in text_of(response["monitor-server-facts"]["children"])
    assert response["kpi-prob-30m-note"]["children"].endswith("1/2 servers")
    assert response["monitor-rolling-note"]["children"].endswith("of 1 of 2 servers")


def test_a_source_that_does_not_answer_is_told_with_since_when_and_only_once(client: FlaskClient, world: World) -> None:
    collector = world.collector()
    world.live(collector, 4)
    world.feed.away = "Connection refused by db:5432. Is it running?"
    world.forward(5)
    collector.round()
    response = ask(client, **FLEET)
    assert "The source does not answer" in banner(response)
    assert "Connection refused by db:5432" in banner(response)
    assert "It last answered at" in banner(response)
    again = ask(client, **FLEET, told=answer_of(response)["told"], drawn=shown(response))
    assert banner(again) == "the same"


def test_a_source_that_nobody_collects_is_told_with_what_to_do(client: FlaskClient, world: World) -> None:
    collector = world.collector()
    world.live(collector, 4)
    collector.close()
    response = ask(client, **FLEET)
    live = answer_of(response)["live"]
    assert live["age"] > live["stale"]
    assert "Nobody collects this source" in banner(response)
    assert "tft-dash collect" in banner(response)


def test_before_the_first_tick_it_is_said_why_there_is_none(client: FlaskClient, world: World) -> None:
    nobody = ask(client, **FLEET)
    assert "not been collected yet" in banner(nobody)
    assert "waiting" in answer_of(nobody)
    world.collector().round()
    world.forward(LOOK_SECONDS)
    assert "has not had a sample yet" in banner(ask(client, **FLEET, seen=0))


def test_a_back_filled_tick_says_that_nobody_saw_it_at_its_time(client: FlaskClient, world: World) -> None:
    for _ in range(80):
        world.forward(5)
        world.report()
    world.collector().round()
    rest = {**FLEET, "follow": False, "playing": False}
    assert "This tick was back-filled" in banner(ask(client, **rest, tick=3))
    assert "back-filled" not in banner(ask(client, **FLEET))


def test_another_model_is_explained_and_not_computed(client: FlaskClient, world: World) -> None:
    world.live(world.collector(), 4)
    response = ask(client, **{**FLEET, "model": "scripted"})
    assert "judged once, as they are recorded" in banner(response)
    assert "Adaptive thresholds" in text_of(response["monitor-model-note"]["children"])


def test_ticks_that_are_overdue_are_told(client: FlaskClient, world: World) -> None:
    world.live(world.collector(), 4)  # of ten minutes ago, by the store's clock
    told = banner(ask(client, **FLEET))
    assert "Ticks are overdue" in told
    assert f"after {world.recorded()[-1].time}".replace("T", " ")[:25] in told


def test_a_server_that_comes_while_it_is_waited_for_gets_a_whole_panel(client: FlaskClient, world: World) -> None:
    collector = world.collector()
    world.live(collector, 4)
    before = ask(client, **FLEET, server="c")
    assert "No such server" in banner(before)
    world.forward(5)
    world.report(servers=("a", "b", "c"))
    collector.round()
    after = ask(client, **FLEET, server="c", seen=4, drawn=shown(before))
    assert after["monitor-server-panel"]["hidden"] is False
    assert "data" in after["monitor-server-figure"]["figure"]


def test_notes_stay_while_servers_come(client: FlaskClient, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "banners", lambda *_given, **_named: [])  # they tell of a time that goes on
    collector = world.collector()
    world.live(collector, 4)
    world.forward(5)
    world.report()
    world.report()
    collector.round()
    before = ask(client, **FLEET)
    assert "twice" in text_of(before["monitor-notices"]["children"])
    world.forward(5)
    world.report(servers=("a", "b", "c"))
    collector.round()
    after = ask(client, **FLEET, seen=5, told=answer_of(before)["told"], drawn=shown(before))
    assert answer_of(after)["told"] == answer_of(before)["told"]
    assert "monitor-notices" not in after
