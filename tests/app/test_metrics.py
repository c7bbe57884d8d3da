"""``/metrics`` of live sources, asked as Prometheus does: as recorded, bounded, silent about what is not current."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from app.conftest import MakeClient
from support.live import World

from tft_dash.alerting.judge import AlertJudge
from tft_dash.settings import load_settings
from tft_dash.store.engine import Store
from tft_dash.store.live import Hooks

SOURCE = "fleet=push://fleet?step=5s"
LINE = re.compile(r"^([a-z_0-9]+)\{(.*)\} (\S+)$")


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    (tmp_path / "data").mkdir()
    opened = Store(f"sqlite:///{tmp_path}/data/store.sqlite")
    yield World(opened)
    opened.close()


@pytest.fixture
def hooks(tmp_path: Path) -> Hooks:
    return AlertJudge(load_settings({"data": "data", "cache": "cache"}, environ={}, folder=tmp_path)).hooks


def parsed(text: str) -> dict[tuple[str, str], float]:
    """Family and labels → value; a sample that is there twice is an error."""
    found: dict[tuple[str, str], float] = {}
    for line in text.splitlines():
        if line.startswith("#"):
            continue
        match = LINE.match(line)
        assert match, line
        assert (match[1], match[2]) not in found, line
        found[match[1], match[2]] = float(match[3])
    return found


def test_a_source_that_nobody_collects_is_told_as_such_and_nothing_else_of_it(make_client: MakeClient) -> None:
    told = parsed(make_client(SOURCE).get("/metrics").text)
    assert told["tft_dash_live_collected", 'source="fleet"'] == 0
    assert {name for name, _ in told if "live" in name or "alert" in name} == {"tft_dash_live_collected"}


def test_what_was_recorded_is_told_as_issued(make_client: MakeClient, world: World, hooks: Hooks) -> None:
    world.clock.set(np.datetime64("now", "ms"))
    world.live(world.collector(hooks=hooks), 4, 97.0)
    told = parsed(make_client(SOURCE).get("/metrics").text)
    (*_, record) = world.recorded()
    mine = 'source="fleet"'
    assert told["tft_dash_live_ticks_total", mine] == len(world.recorded()) > 2
    for horizon, value in (("30m", record.prob_30m), ("8h", record.prob_8h)):
        assert told["tft_dash_live_probability", f'{mine},horizon="{horizon}"'] == pytest.approx(value, abs=1e-6)
    for name, profile, risk in zip(record.servers, record.profiles, record.risk, strict=True):
        labels = f'{mine},server_name="{name}",profile="{profile}"'
        assert told["tft_dash_live_server_risk", labels] == pytest.approx(risk, abs=1e-6)
    assert told["tft_dash_live_cpu_median_ratio", mine] == pytest.approx(0.97)
    assert ("tft_dash_live_latency_p95_seconds", mine) not in told  # nobody measures it: that is not zero
    assert told["tft_dash_live_servers", f'{mine},state="reporting"'] == 2
    assert told["tft_dash_live_stale", mine] == 0
    assert told["tft_dash_live_source_up", mine] == 1
    phases = [value for (name, _), value in told.items() if name == "tft_dash_alerts"]
    assert len(phases) == 9
    assert sum(phases) == len(make_client(SOURCE).get("/api/v1/alerts").get_json())


def test_what_is_not_current_is_not_told_and_its_age_is(make_client: MakeClient, world: World) -> None:
    world.clock.set(np.datetime64("now", "ms") - np.timedelta64(60, "s"))
    world.live(world.collector(), 3)
    told = parsed(make_client(SOURCE).get("/metrics").text)
    assert told["tft_dash_live_stale", 'source="fleet"'] == 1
    assert 40 < told["tft_dash_live_data_age_seconds", 'source="fleet"'] < 80
    assert 30 < told["tft_dash_live_collector_lag_seconds", 'source="fleet"'] < 80
    assert not [name for name, _ in told if "probability" in name or "risk" in name or "ratio" in name]


def test_so_many_servers_are_told_as_are_asked_for_those_of_the_highest_risk(
    make_client: MakeClient, world: World
) -> None:
    world.clock.set(np.datetime64("now", "ms"))
    collector, names = world.collector(), tuple(f"web-{number}" for number in range(30))
    for _ in range(3):
        world.forward(5)
        world.feed.report(world.now, {"cpu_pct": list(np.linspace(10, 99, 30))}, names)
        collector.round()
    client = make_client(SOURCE)
    told = parsed(client.get("/metrics?servers=4").text)
    risks = {labels: value for (name, labels), value in told.items() if name == "tft_dash_live_server_risk"}
    everybody = parsed(client.get("/metrics").text)
    known = [value for (name, _), value in everybody.items() if name == "tft_dash_live_server_risk"]
    assert len(known) == 30
    assert sorted(risks.values()) == sorted(known)[-4:]
    assert told["tft_dash_live_servers_untold", 'source="fleet"'] == 26
    for wrong in ("-1", "5001", "many", "1e3", "٣", ""):
        answer = client.get("/metrics", query_string={"servers": wrong})
        assert answer.status_code == 400
        assert "whole number from 0 to 5,000" in answer.text


def test_requests_are_counted_by_part_and_code(make_client: MakeClient) -> None:
    client = make_client(SOURCE)
    before = parsed(client.get("/metrics").text)
    for address in ("/", "/api/v1/sources", "/api/v1/nothing", "/healthz", "/healthz"):
        client.get(address)
    after = parsed(client.get("/metrics").text)

    def more(part: str, code: str) -> float:
        key = "tft_dash_http_requests_total", f'part="{part}",code="{code}"'
        return after[key] - before.get(key, 0)

    assert [more("page", "2xx"), more("api", "2xx"), more("api", "4xx"), more("health", "2xx")] == [1, 1, 1, 2]
    assert more("metrics", "2xx") == 1


@pytest.mark.skipif(shutil.which("promtool") is None, reason="not installed: promtool, from Debian's prometheus")
def test_promtool_finds_nothing_wrong(make_client: MakeClient, world: World, hooks: Hooks) -> None:
    world.clock.set(np.datetime64("now", "ms"))
    world.live(world.collector(hooks=hooks), 4, 97.0)
    text = make_client(SOURCE).get("/metrics").text
    done = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")
