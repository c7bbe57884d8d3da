"""A live fleet end to end, on Debian's servers: node_exporter → Prometheus → ``tft-dash serve`` → Alertmanager.

The load is real: a process that uses memory, a processor and the disk of this machine.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from support.alertmanager import Alertmanager, alertmanager
from support.installed import demand
from support.loading import load, memory_pct
from support.scraping import Prometheus, awaited, node_exporter, prometheus
from support.serving import Server, get, running
from support.watching import document

from tft_dash.scenarios.format.loader import dump_text

STEP, DELAY = 2.0, 1.0
SLACK = 2.0
"""A machine that does other things, too, lets everybody wait: scraper, collector and whoever looks."""
SHARE = 0.12
MACHINE = "127.0.0.1"
FIRED, OVER = ("MemoryUsed", MACHINE, "firing"), ("MemoryUsed", MACHINE, "resolved")
OUTAGE_SECONDS = float(os.environ.get("OUTAGE_SECONDS", "12"))
"""``make soak`` gives five minutes."""


@dataclass
class Fleet:
    """Everything that runs.

    :ivar bar: memory in use, in percent, from which on the alert fires.
    """

    prometheus: Prometheus
    alertmanager: Alertmanager
    server: Server
    bar: float

    def api(self, address: str) -> Any:
        status, body = get(f"{self.server.url}/api/v1/{address}")
        return json.loads(body) if status == 200 else None

    def ticks(self) -> int:
        """How many there are."""
        return int(self.api("sources")[0]["ticks"] or 0)

    def tick(self, number: int) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self.api(f"sources/fleet/ticks/{number}")
        return found

    def memory(self, number: int) -> float | None:
        """What a tick says of the machine's memory; None = nothing."""
        servers = [one for one in self.tick(number)["servers"] if one["server_name"] == MACHINE]
        return servers[0]["mem_pct"] if servers else None

    def metric(self, name: str) -> float:
        """A value of the source at ``/metrics``."""
        _, body = get(f"{self.server.url}/metrics")
        lines = [line for line in body.decode().splitlines() if line.startswith(f'{name}{{source="fleet"}}')]
        return float(lines[0].split()[-1])

    def await_over(self, bar: float) -> int:
        """The first tick of those to come that says more than that of the memory."""
        place = self.ticks()

        def next_over() -> int | None:
            nonlocal place
            while place < self.ticks():
                place += 1
                if (self.memory(place - 1) or 0.0) > bar:
                    return place
            return None

        return int(awaited(next_over, "a tick that shows the load")) - 1


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[Fleet]:
    demand("prometheus", "prometheus-node-exporter", "prometheus-alertmanager", "amtool", "promtool")
    bar = memory_pct() + 100 * SHARE / 2
    with contextlib.ExitStack() as ends:
        target, _ = ends.enter_context(node_exporter(tmp_path))
        scraping = ends.enter_context(prometheus(tmp_path, {"node": [target]}))
        telling = ends.enter_context(alertmanager(tmp_path))
        _write_documents(tmp_path, telling.url, bar)
        server = running(
            "serve", f"fleet={scraping.url}?mapping=node&step=2s&delay=1s", "--workers", "2", folder=tmp_path,
            TFT_DASH_ALERT_RULES=str(tmp_path / "rules.yaml"),
            TFT_DASH_ALERT_RECEIVERS=str(tmp_path / "receivers.yaml"),
            TFT_DASH_PUBLIC_URL="http://monitor.example.com/",
        )  # fmt: skip
        found = Fleet(scraping, telling, ends.enter_context(server), bar)
        awaited(lambda: found.ticks() >= 3, "three ticks")
        yield found


def _write_documents(folder: Path, url: str, bar: float) -> None:
    rule = {
        "alert": "MemoryUsed",
        "when": {"check": "metric", "metrics": ["mem_pct"], "above": bar, "clear_at": bar - 100 * SHARE / 4},
        "severity": "critical",
        "for": "2s",
    }
    (folder / "rules.yaml").write_text(dump_text(document("AlertRules", rules=[rule])))
    receiver = {"name": "am", "type": "alertmanager", "url": url}
    (folder / "receivers.yaml").write_text(dump_text(document("AlertReceivers", receivers=[receiver])))


def seconds(instant: str) -> float:
    """Since 1970."""
    found = datetime.fromisoformat(instant)
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()


def test_a_load_is_shown_within_two_ticks_and_an_alert_fires_once_and_is_over_once(
    fleet: Fleet, tmp_path: Path
) -> None:
    with load(SHARE, tmp_path):
        loaded = time.time()
        first = fleet.await_over(fleet.bar)
        assert seconds(fleet.tick(first)["issued"]) - loaded <= 2 * STEP + DELAY + SLACK
        awaited(lambda: fleet.alertmanager.told() == [FIRED], "the alert was told")
        command = ["amtool", f"--alertmanager.url={fleet.alertmanager.url}", "alert", "query", "-o", "json"]
        (known,) = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
        assert known["labels"]["alertname"] == "MemoryUsed"
        assert known["labels"]["source"] == "fleet"
        assert known["generatorURL"].startswith("http://monitor.example.com/?source=fleet&tick=")
        there = fleet.ticks()
        awaited(lambda: fleet.ticks() > there + 2, "it goes on")
    awaited(lambda: fleet.alertmanager.told() == [FIRED, OVER], "its end was told")
    there = fleet.ticks()
    awaited(lambda: fleet.ticks() > there + 2, "it goes on")
    assert fleet.alertmanager.told() == [FIRED, OVER]


def test_prometheus_is_killed_and_started_again_while_an_alert_fires(fleet: Fleet, tmp_path: Path) -> None:
    with load(SHARE, tmp_path):
        awaited(lambda: fleet.alertmanager.told() == [FIRED], "the alert was told")
        fleet.prometheus.program.kill()
        killed = time.monotonic()
        awaited(lambda: fleet.metric("tft_dash_live_stale") == 1, "what is shown is stale")
        assert time.monotonic() - killed <= 2 * STEP + DELAY + SLACK
        assert fleet.metric("tft_dash_live_source_up") == 0
        last = fleet.ticks() - 1
        time.sleep(max(0.0, OUTAGE_SECONDS - (time.monotonic() - killed)))
        assert fleet.ticks() == last + 1  # nothing is made up
        fleet.prometheus.program.start()
        awaited(lambda: fleet.metric("tft_dash_live_stale") == 0, "it is current again")
        awaited(lambda: (fleet.memory(fleet.ticks() - 1) or 0.0) > fleet.bar, "the machine is seen again")
        missed = [fleet.tick(number) for number in range(last + 1, last + 4)]
        assert [one["tick"] for one in missed] == [last + 1, last + 2, last + 3]
        assert all(seconds(one["issued"]) - seconds(one["timestamp"]) > STEP + DELAY for one in missed)
        assert fleet.memory(last + 3) is None  # nobody has measured then: that is missing, not the value before
        assert fleet.alertmanager.told() == [FIRED]
    awaited(lambda: fleet.alertmanager.told() == [FIRED, OVER], "its end was told")
    there = fleet.ticks()
    awaited(lambda: fleet.ticks() > there + 2, "it goes on")
    assert fleet.alertmanager.told() == [FIRED, OVER]


def test_metrics_are_the_same_whichever_worker_answers_and_acceptable_to_promtool(fleet: Fleet) -> None:
    def counted() -> float:
        text = get(f"{fleet.server.url}/metrics")[1].decode()
        line = 'tft_dash_http_requests_total{part="api",code="4xx"} '
        return float(next(one for one in text.splitlines() if one.startswith(line)).removeprefix(line))

    before = counted()
    with ThreadPoolExecutor(16) as several:
        statuses = list(several.map(lambda _: get(f"{fleet.server.url}/api/v1/nothing")[0], range(400)))
    assert set(statuses) == {404}
    assert {counted() for _ in range(12)} == {before + 400}
    _, text = get(f"{fleet.server.url}/metrics")
    done = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, check=False)
    assert (done.returncode, done.stdout + done.stderr) == (0, b"")
