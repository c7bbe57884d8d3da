"""Turn OpenTelemetry metrics (OTLP JSON, one export a line) into rows that can be pushed to tft_dash.

    tail -n +1 -F metrics.jsonl | python otlp_rows.py

Reads what the collector's `file` exporter writes, and prints one JSON row for each server and instant. Change the
tables below to what your fleet measures. Only gauges and sums are read; rates are left to whoever computes them.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from typing import Any

Plain = dict[str, Any]
SERVER = ("host.name", "service.instance.id")
PROFILE = ("service.name", "os.type")
GAUGES = {
    # metric, attribute=value that a point must have: column, factor
    ("system.memory.utilization", "state=used"): ("mem_pct", 100.0),
}
IDLE = ("system.cpu.utilization", "state=idle")
"""CPU is told by state; what is not idle is busy. Points of several cores are averaged."""


def attributes(plain: Plain) -> dict[str, str]:
    """OTLP's list of keys and values."""
    return {one["key"]: str(next(iter(one["value"].values()), "")) for one in plain.get("attributes", [])}


def value_of(point: Plain) -> float:
    """A point's value; 64-bit integers are written as text."""
    return float(point["asDouble"] if "asDouble" in point else point["asInt"])


def first(there: dict[str, str], names: tuple[str, ...]) -> str | None:
    """The first of several attributes that is there."""
    return next((there[name] for name in names if there.get(name)), None)


def matches(point: Plain, wanted: str) -> bool:
    """Whether a point has the attribute that is asked for."""
    name, _, value = wanted.partition("=")
    return not name or attributes(point).get(name) == value


def points_of(metric: Plain) -> list[Plain]:
    """The points of a gauge or a sum."""
    return [*metric.get("gauge", {}).get("dataPoints", []), *metric.get("sum", {}).get("dataPoints", [])]


def rows_of(export: Plain) -> Iterator[dict[str, Any]]:
    """One row for each server and instant of an export."""
    for resource in export.get("resourceMetrics", []):
        there = attributes(resource.get("resource", {}))
        server = first(there, SERVER)
        if server is None:
            sys.stderr.write("otlp_rows: metrics without host.name are left out\n")
            continue
        rows: dict[int, dict[str, Any]] = {}
        idle: dict[int, list[float]] = {}
        for metric in (one for scope in resource.get("scopeMetrics", []) for one in scope.get("metrics", [])):
            for point in points_of(metric):
                time = int(point["timeUnixNano"])
                if metric["name"] == IDLE[0] and matches(point, IDLE[1]):
                    idle.setdefault(time, []).append(value_of(point))
                for (name, wanted), (column, factor) in GAUGES.items():
                    if metric["name"] == name and matches(point, wanted):
                        rows.setdefault(time, {})[column] = value_of(point) * factor
        for time, shares in idle.items():
            rows.setdefault(time, {})["cpu_pct"] = 100.0 * (1.0 - sum(shares) / len(shares))
        for time, row in sorted(rows.items()):
            yield {"timestamp": time, "server_name": server, "profile": first(there, PROFILE), **row}


def main() -> None:
    """From stdin to stdout."""
    for line in sys.stdin:
        if line.strip():
            for row in rows_of(json.loads(line)):
                sys.stdout.write(json.dumps(row) + "\n")
                sys.stdout.flush()


if __name__ == "__main__":
    main()
