"""A live source in the JSON interface: from its records, as they were issued."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from app.conftest import MakeClient
from flask.testing import FlaskClient
from support.live import World

from tft_dash.errors import StorageError
from tft_dash.live.source import LOOK_SECONDS
from tft_dash.store.engine import Store
from tft_dash.store.live import LiveStore

SOURCE = "fleet=push://fleet?step=5s"
DRILL = Path(__file__).parents[2] / "demo_data" / "demo_dataset.parquet"
NAME_OF_STORE = "store.sqlite"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    (tmp_path / "data").mkdir()
    opened = Store(f"sqlite:///{tmp_path}/data/{NAME_OF_STORE}")
    yield World(opened)
    opened.close()


@pytest.fixture
def ask(make_client: MakeClient) -> Callable[..., Any]:
    """Asks the app over one live source."""
    client: FlaskClient = make_client(SOURCE)

    def answer(address: str, status: int = 200) -> Any:
        response = client.get(f"/api/v1/sources{address}")
        assert response.status_code == status, response.text
        return json.loads(response.text)

    return answer


def test_a_source_that_nobody_collects_is_listed_with_that_and_what_to_do(ask: Callable[..., Any]) -> None:
    (source,) = ask("")
    assert (source["name"], source["ticks"]) == ("fleet", None)
    assert "has not been collected yet" in source["error"]
    assert "tft-dash collect" in ask("/fleet/ticks/0", 503)["error"]


def test_a_source_whose_collector_has_found_no_sample_says_so(ask: Callable[..., Any], world: World) -> None:
    world.collector().round()
    assert "has not had a sample yet" in ask("")[0]["error"]
    assert "has not had a sample yet" in ask("/fleet/ticks/0", 503)["error"]


def test_a_source_is_listed_with_what_is_recorded_and_grows(ask: Callable[..., Any], world: World) -> None:
    collector = world.collector()
    world.live(collector, 5)
    (source,) = ask("")
    assert source["error"] is None
    assert (source["live"], source["servers"], source["ticks"], source["step_seconds"]) == (True, 2, 5, 5.0)
    assert source["metrics"] == ["cpu_pct"]
    assert source["end"] == f"{world.now}"[:19] + "Z"
    world.live(collector, 2)
    assert ask("/fleet/ticks/6")["ticks"] == 7


def test_a_tick_is_shown_as_it_was_issued(ask: Callable[..., Any], world: World) -> None:
    world.live(world.collector(), 30)
    world.live(world.collector(holder="two"), 0)
    record = world.recorded()[20]
    frame = ask("/fleet/ticks/20")
    assert (frame["tick"], frame["source"], frame["progress"], frame["phase"]) == (20, "fleet", None, None)
    assert frame["timestamp"] == f"{record.time}"[:19] + "Z"
    assert frame["issued"][:19] == f"{record.issued}"[:19]
    assert frame["prob_30m"] == pytest.approx(record.prob_30m, rel=1e-6)
    assert [server["server_name"] for server in frame["servers"]] == ["a", "b"]
    assert frame["servers"][0]["cpu_pct"] == 20.0
    assert frame["servers"][0]["risk"] == pytest.approx(float(record.risk[0]), rel=1e-6)
    assert (frame["model"]["name"], frame["instead"]) == ("thresholds", None)


def test_another_model_than_the_one_that_judged_is_not_asked_and_that_is_said(
    ask: Callable[..., Any], world: World
) -> None:
    world.live(world.collector(), 3)
    frame = ask("/fleet/ticks/1?model=scripted")
    assert frame["model"]["name"] == "thresholds"
    assert "live source" in frame["instead"]


def test_a_tick_tells_the_servers_of_its_time_and_what_is_missing_is_null(
    ask: Callable[..., Any], world: World
) -> None:
    collector = world.collector()
    world.live(collector, 3)
    for _ in range(6):
        world.forward(5)
        world.report(servers=("b", "c"))
        collector.round()
    world.forward(5)
    collector.round()
    assert [server["server_name"] for server in ask("/fleet/ticks/1")["servers"]] == ["a", "b"]
    later = {server["server_name"]: server for server in ask("/fleet/ticks/8")["servers"]}
    assert list(later) == ["a", "b", "c"]
    assert (later["a"]["state"], later["a"]["cpu_pct"], later["a"]["risk"]) == ("no data", None, None)
    assert later["b"]["cpu_pct"] == 20.0
    silent = ask("/fleet/ticks/9")  # nobody reported
    assert silent["active_servers"] == 0
    assert {server["cpu_pct"] for server in silent["servers"]} == {None}


def test_ticks_that_are_not_there_are_refused_with_those_that_are(ask: Callable[..., Any], world: World) -> None:
    world.live(world.collector(), 3)
    assert "0 to 2" in ask("/fleet/ticks/3", 404)["error"]


def test_a_history_that_was_dropped_is_not_remembered(ask: Callable[..., Any], world: World) -> None:
    collector = world.collector()
    world.live(collector, 8, cpu=20.0)
    assert ask("/fleet/ticks/2")["servers"][0]["cpu_pct"] == 20.0
    world.ticks.forget("fleet")
    world.forward(500)
    again = world.collector(holder="two", backfill=3)
    world.live(again, 4, cpu=70.0)
    time.sleep(LOOK_SECONDS)
    assert ask("/fleet/ticks/2")["servers"][0]["cpu_pct"] == 70.0


def test_a_live_source_cannot_be_judged_as_a_whole_or_inspected_as_a_file(
    make_client: MakeClient, world: World
) -> None:
    world.live(world.collector(), 3)
    client = make_client(SOURCE, str(DRILL))
    assert [dataset["name"] for dataset in json.loads(client.get("/api/v1/datasets").text)] == ["demo_dataset"]
    assert client.get("/api/v1/datasets/fleet/report").status_code == 400
    assert client.get("/compare?a=fleet&b=fleet").status_code == 200


def test_the_history_of_a_frame_is_what_was_recorded(make_client: MakeClient, world: World) -> None:
    del make_client
    world.live(world.collector(), 40)
    history = world.ticks.history("fleet", 0, 99)
    expected = np.array([record.prob_30m for record in world.recorded()], np.float32)
    np.testing.assert_array_equal(history.figures["prob_30m"], expected)


def test_pages_go_on_with_what_is_known_while_the_store_is_away(
    ask: Callable[..., Any], world: World, tmp_path: Path
) -> None:
    world.live(world.collector(), 5)
    before = ask("/fleet/ticks/4")
    store = tmp_path / "data" / NAME_OF_STORE
    store.rename(tmp_path / "away")
    time.sleep(LOOK_SECONDS)
    assert ask("/fleet/ticks/4") == before
    (source,) = ask("")
    assert source["ticks"] == 5
    assert "removed or replaced" in source["notices"][0]
    assert "removed or replaced" in ask("/fleet/ticks/2", 503)["error"]
    (tmp_path / "away").rename(store)
    time.sleep(LOOK_SECONDS)
    assert ask("")[0]["notices"] == []
    assert ask("/fleet/ticks/2")["tick"] == 2


def test_a_portal_of_live_sources_alone_has_all_its_pages(make_client: MakeClient) -> None:
    client = make_client(SOURCE)
    callbacks = json.loads(client.get("/_dash-dependencies").text)
    (router,) = [one for one in callbacks if one["output"].startswith(".._pages_content.children...")]
    outputs = [name.rpartition(".") for name in router["output"].strip(".").split("...")]
    for page in ("/", "/compare", "/datasets", "/datasets/fleet", "/models", "/alerts", "/scenarios"):
        values = {"pathname": page, "search": ""}
        body = {
            "output": router["output"],
            "outputs": [{"id": name, "property": part} for name, _, part in outputs],
            "inputs": [{**one, "value": values[one["property"]]} for one in router["inputs"]],
            "changedPropIds": ["_pages_location.pathname"],
            "state": [{**one, "value": None} for one in router["state"]],
        }
        answer = client.post("/_dash-update-component", json=body)
        assert answer.status_code == 200, f"{page}: {answer.text[:300]}"
        assert "_pages_content" in answer.text


def test_a_tick_is_found_by_its_time_and_the_newest_by_its_name(ask: Callable[..., Any], world: World) -> None:
    world.live(world.collector(), 6)
    records = world.recorded()
    assert ask("/fleet/ticks/latest")["tick"] == 5
    for shift, tick in ((0, 3), (4.9, 3), (-0.1, 2), (1e6, 5)):
        stamp = f"{records[3].time + np.timedelta64(round(shift * 1000), 'ms')}Z"
        status = 404 if shift == 1e6 else 200
        found = ask(f"/fleet/ticks/{stamp}", status)
        assert found.get("tick") == (None if status == 404 else tick)
    assert "lies before" in ask("/fleet/ticks/2001-01-01", 404)["error"]
    assert "is not a tick" in ask("/fleet/ticks/yesterday", 404)["error"]


def test_a_source_says_how_it_is_at_this_moment_and_a_tick_who_is_silent(ask: Callable[..., Any], world: World) -> None:
    collector = world.collector()
    world.live(collector, 3)
    world.forward(5)
    world.report(servers=("a",))
    collector.round()
    (source,) = ask("")
    assert source["now"]["collected"] is True
    assert source["now"]["stale"] is True  # the world's clock shows another year than the store's
    assert source["now"]["problem"] is None
    frame = ask("/fleet/ticks/3")
    assert (frame["active_servers"], frame["measured_servers"]) == (1, 1)
    assert [server["silent_seconds"] for server in frame["servers"]] == [None, 5.0]


def test_a_portal_whose_live_source_has_no_tick_yet_is_ready_to_say_so(make_client: MakeClient) -> None:
    answer = make_client(SOURCE).get("/readyz")
    assert answer.status_code == 200
    assert "not been collected" in answer.json["problems"]["fleet"]


def test_a_portal_whose_store_is_away_is_not_ready(
    make_client: MakeClient, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(_self: object, _name: str) -> None:
        raise StorageError("The store is away.")

    monkeypatch.setattr(LiveStore, "state", away)
    answer = make_client(SOURCE).get("/readyz")
    assert answer.status_code == 503
    assert "The store is away" in answer.json["problems"]["fleet"]
