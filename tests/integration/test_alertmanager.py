"""A real Alertmanager, from its Debian package, is told of alerts: it tells its own receiver once that they fire, and
once that they are over, whatever happens in between."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from support.receivers import Inbox, receiver
from support.serving import free_port
from support.watching import Watch

from tft_dash.alerting.couriers import Couriers
from tft_dash.alerting.trying import Trial

PROGRAM = shutil.which("prometheus-alertmanager") or shutil.which("alertmanager")
AMTOOL = shutil.which("amtool")
PATIENCE = 60.0
CONFIG = """
route:
  receiver: test
  group_by: [alertname, server_name]
  group_wait: 1s
  group_interval: 1s
  repeat_interval: 12h
receivers:
  - name: test
    webhook_configs:
      - url: {url}/from-alertmanager
        send_resolved: true
"""


@dataclass
class Running:
    """An Alertmanager and what it tells on."""

    url: str
    inbox: Inbox
    process: subprocess.Popen[bytes]
    start: Callable[[], subprocess.Popen[bytes]]

    def told(self) -> list[tuple[str, str]]:
        """What it has told: server and status, in order."""
        return [
            (alert["labels"]["server_name"], alert["status"])
            for got in self.inbox.got
            for alert in got.plain["alerts"]
            if "server_name" in alert["labels"]
        ]

    def alerts(self) -> list[dict[str, Any]]:
        """What it knows."""
        with urllib.request.urlopen(f"{self.url}/api/v2/alerts", timeout=10) as answer:
            found: list[dict[str, Any]] = json.loads(answer.read())
        return found


def until(true: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < end, what
        time.sleep(0.2)


def ready(url: str) -> bool:
    with contextlib.suppress(OSError), urllib.request.urlopen(f"{url}/-/ready", timeout=5) as answer:
        return bool(answer.status == 200)
    return False


@pytest.fixture
def alertmanager(tmp_path: Path) -> Iterator[Running]:
    if PROGRAM is None:
        if os.environ.get("CI"):
            pytest.fail("CI must have an Alertmanager: apt-get install prometheus-alertmanager")
        pytest.skip("there is no Alertmanager here: apt-get install prometheus-alertmanager")
    with receiver() as inbox:
        (tmp_path / "am.yml").write_text(CONFIG.format(url=inbox.url))
        port = free_port()
        command = [
            PROGRAM, f"--config.file={tmp_path}/am.yml", f"--storage.path={tmp_path}/am",
            f"--web.listen-address=127.0.0.1:{port}", "--cluster.listen-address=",
        ]  # fmt: skip

        def start() -> subprocess.Popen[bytes]:
            with (tmp_path / "am.log").open("ab") as log:
                process = subprocess.Popen(command, stdout=log, stderr=log)
            until(lambda: ready(f"http://127.0.0.1:{port}"), "the Alertmanager does not start")
            return process

        running = Running(f"http://127.0.0.1:{port}", inbox, start(), start)
        try:
            yield running
        finally:
            running.process.kill()
            running.process.wait()


@pytest.fixture
def watch(tmp_path: Path, alertmanager: Running) -> Iterator[Watch]:
    target = {"name": "am", "type": "alertmanager", "url": alertmanager.url}
    made = Watch(tmp_path, target, TFT_DASH_PUBLIC_URL="http://monitor.example.com/")
    couriers = Couriers(made.courier, "fleet", look_seconds=0.1)
    couriers.start()
    yield made
    couriers.stop()
    made.close()


def test_an_alert_fires_once_and_is_over_once(alertmanager: Running, watch: Watch) -> None:
    watch.live(3, 97.0)
    until(lambda: len(alertmanager.told()) == 2, "nothing was told")
    watch.world.feed.away = "it is away"  # a gap ends nothing, and tells nothing
    for _ in range(3):
        watch.world.forward(5)
        watch.collector.round()
    watch.world.feed.away = None
    watch.live(4, 98.0)
    (one, _) = known = alertmanager.alerts()
    assert {alert["labels"]["server_name"] for alert in known} == {"a", "b"}
    assert one["generatorURL"] == "http://monitor.example.com/?source=fleet&tick=0"
    assert not [name for name in one["labels"] if "prob" in name or name == "value"]
    assert sorted(alertmanager.told()) == [("a", "firing"), ("b", "firing")]
    watch.live(2, 20.0)
    until(lambda: len(alertmanager.told()) == 4, "the end was not told")
    watch.live(3, 20.0)
    time.sleep(3)
    assert sorted(alertmanager.told()) == [("a", "firing"), ("a", "resolved"), ("b", "firing"), ("b", "resolved")]


def test_an_alertmanager_that_was_killed_is_told_again_and_tells_nothing_twice(
    alertmanager: Running, watch: Watch
) -> None:
    watch.live(2, 97.0)
    until(lambda: len(alertmanager.told()) == 2, "nothing was told")
    alertmanager.process.terminate()
    alertmanager.process.wait()
    watch.live(2, 20.0)
    until(lambda: any(one.outcome == "failed" for one in watch.desk.deliveries()), "nothing was tried")
    alertmanager.process = alertmanager.start()
    until(lambda: ("am", "resolved", "carried") not in watch.states(), "it was not told of the end")
    until(lambda: len(alertmanager.told()) == 4, "the end was not told on")
    assert sorted(alertmanager.told()) == [("a", "firing"), ("a", "resolved"), ("b", "firing"), ("b", "resolved")]


def test_amtool_sees_the_alerts_and_a_test(alertmanager: Running, watch: Watch) -> None:
    if AMTOOL is None:
        pytest.skip("there is no amtool here")
    watch.live(2, 97.0)
    assert Trial(watch.desk, watch.settings).test("am").ok
    until(lambda: len(alertmanager.alerts()) == 3, "not everything has arrived")
    command = [AMTOOL, f"--alertmanager.url={alertmanager.url}", "alert", "query", "-o", "json"]
    said = json.loads(subprocess.run(command, check=True, capture_output=True, timeout=30).stdout)
    assert {one["labels"]["alertname"] for one in said} == {"Hot", "TftDashTest"}
