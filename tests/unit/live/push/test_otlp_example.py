"""The example that turns OpenTelemetry's metrics into rows gives rows that are acceptable."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tft_dash.live.feeds.push.bodies import LINES, parsed
from tft_dash.live.feeds.push.rows import judged

EXAMPLE = Path(__file__).parents[4] / "docs" / "otlp_rows.py"
TIME = 1_772_366_400_000_000_000


def attribute(key: str, value: str) -> dict[str, Any]:
    return {"key": key, "value": {"stringValue": value}}


def point(value: float, **attributes: str) -> dict[str, Any]:
    named = [attribute(key, word) for key, word in attributes.items()]
    return {"timeUnixNano": str(TIME), "asDouble": value, "attributes": named}


def export(*resource: dict[str, Any]) -> str:
    cpu = [point(0.75, cpu="cpu0", state="idle"), point(0.25, cpu="cpu1", state="idle"), point(0.2, state="user")]
    memory = [point(0.5, state="used"), point(0.5, state="free")]
    metrics = [
        {"name": "system.cpu.utilization", "unit": "1", "gauge": {"dataPoints": cpu}},
        {"name": "system.memory.utilization", "unit": "1", "gauge": {"dataPoints": memory}},
        {"name": "system.processes.count", "sum": {"dataPoints": [{"timeUnixNano": str(TIME), "asInt": "3"}]}},
    ]
    scope = {"scope": {"name": "hostmetricsreceiver"}, "metrics": metrics}
    return json.dumps({"resourceMetrics": [{"resource": {"attributes": list(resource)}, "scopeMetrics": [scope]}]})


def test_its_rows_are_acceptable_and_say_what_was_measured() -> None:
    lines = [
        export(attribute("host.name", "web-1"), attribute("service.name", "web")),
        export(attribute("service.name", "nobody")),
    ]
    done = subprocess.run(
        [sys.executable, str(EXAMPLE)], input="\n".join(lines), capture_output=True, text=True, check=True
    )
    assert "without host.name" in done.stderr
    found = judged(parsed(done.stdout.encode(), LINES[0], 100))
    assert found.report.errors == []
    assert found.rows.times.tolist() == [TIME // 1_000_000]
    assert (found.rows.servers, found.rows.profiles) == (["web-1"], ["web"])
    assert {name: values.tolist() for name, values in found.rows.metrics.items()} == {
        "cpu_pct": [pytest.approx(50.0)],
        "mem_pct": [pytest.approx(50.0)],
    }
