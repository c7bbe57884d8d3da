"""What a viewer's tick costs the server at 1,000 servers, beside the naive way, in one run.

Measured: process CPU time of the callback's whole request (decode, frame from the cache, patches, JSON, gzip), and the
bytes on the wire. The naive way is what a first version of such a page does: pandas to cut the tick out of the table,
graph_objects for whole figures, plotly's own JSON, gzip of all of it.

    python benchmarks/tick.py [--servers 1000] [--ticks 60]
"""

from __future__ import annotations

import argparse
import gzip
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pandas as pd
import plotly.graph_objects as go
import plotly.io

from tft_dash.app import create_app
from tft_dash.frame import Frame
from tft_dash.scenarios.files import generate_drill
from tft_dash.scenarios.library import load_scenario
from tft_dash.schema import METRIC_NAMES
from tft_dash.services import Services
from tft_dash.settings import load_settings

CALLBACK = "/_dash-update-component"


def main() -> int:
    """Print both costs and their ratio; status 1 when the page's promise is broken."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--servers", type=int, default=1000)
    parser.add_argument("--ticks", type=int, default=60)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        document = load_scenario("degrading").with_overrides(fleet_size=options.servers)
        generate_drill(document, Path(folder), "fleet", ("parquet",))
        recording = Path(folder) / "fleet.parquet"
        flags = {"sources": (str(recording),), "cache": str(Path(folder) / "cache")}
        services = Services(load_settings(flags, environ={}), wait_seconds=None)
        table = pd.read_parquet(recording)
        ticks = range(1, min(options.ticks, 60))
        ours = measure(viewer(services), ticks)
        naive = measure(naive_viewer(services, table), list(ticks)[:: max(1, len(ticks) // 8)])
        services.close()
    print(f"{options.servers} servers, medians over {len(ticks)} ticks")
    print(f"  page   {ours[0] * 1e3:8.2f} ms CPU  {ours[1] / 1e3:8.2f} kB")
    print(f"  naive  {naive[0] * 1e3:8.2f} ms CPU  {naive[1] / 1e3:8.2f} kB")
    print(f"  ratio  {naive[0] / ours[0]:8.0f} x CPU   {naive[1] / ours[1]:8.0f} x bytes")
    return 0


def measure(request: Callable[[int], int], ticks: Any) -> tuple[float, float]:
    """Median CPU seconds and bytes of ``request(tick)``; the first round warms caches and is not counted."""
    seconds, sizes = [], []
    for counted in (False, True):
        for tick in ticks:
            begun = time.process_time()
            size = request(tick)
            if counted:
                seconds.append(time.process_time() - begun)
                sizes.append(size)
    return statistics.median(seconds), statistics.median(sizes)


def viewer(services: Services) -> Callable[[int], int]:
    """A viewer of the real app who has drawn the tick before."""
    client = create_app(services).server.test_client()
    outputs = dash_outputs(client)
    key: dict[str, str] = {}

    def ask(tick: int) -> int:
        drawn = {"key": key["key"], "tick": tick - 1, "server": None} if key else None
        request = {
            "id": tick, "now": 0, "source": "fleet", "model": "thresholds", "tick": tick, "at": 0, "speed": 1,
            "playing": False, "server": None, "theme": "light", "drawn": drawn,
        }  # fmt: skip
        body = {**outputs, "inputs": [{"id": "monitor-request", "property": "data", "value": request}]}
        answer = client.post(CALLBACK, json=body, headers={"Accept-Encoding": "gzip"})
        data = answer.get_data()
        if not key:
            plain = gzip.decompress(data) if answer.headers.get("Content-Encoding") == "gzip" else data
            key["key"] = orjson.loads(plain)["response"]["monitor-answer"]["data"]["key"]
        return len(data)

    ask(0)
    return ask


def dash_outputs(client: Any) -> dict[str, Any]:
    """The callback that draws, as a browser names it."""
    for dependency in orjson.loads(client.get("/_dash-dependencies").data):
        if "monitor-answer.data" in dependency["output"]:
            parts = [part.rsplit(".", 1) for part in dependency["output"].strip(".").split("...")]
            outputs = [{"id": name, "property": prop.split("@")[0]} for name, prop in parts]
            return {"output": dependency["output"], "outputs": outputs, "changedPropIds": ["monitor-request.data"]}
    raise RuntimeError("the app has no callback that draws")


def naive_viewer(services: Services, table: pd.DataFrame) -> Callable[[int], int]:
    """Whole figures from the whole table for every viewer and tick."""

    def ask(tick: int) -> int:
        frame = services.frame("fleet", "thresholds", tick)
        stamps = np.sort(table["timestamp"].unique())
        history = table[table["timestamp"] <= stamps[tick]]
        now = history[history["timestamp"] == stamps[tick]].assign(risk=frame.risk)
        figures = [naive_top(now), naive_trend(frame, stamps), naive_heatmap(now), naive_rolling(history)]
        tiles = {"active": int((now["state"] != "offline").sum()), "phase": now["incident_phase"].iloc[0]}
        body = plotly.io.json.to_json_plotly({"figures": [figure.to_plotly_json() for figure in figures], **tiles})
        return len(gzip.compress(body.encode(), 5))

    return ask


def naive_top(now: pd.DataFrame) -> go.Figure:
    worst = now.sort_values("risk", ascending=False).head(5)
    return go.Figure(go.Bar(x=worst["risk"], y=worst["server_name"], orientation="h", text=worst["state"]))


def naive_trend(frame: Frame, stamps: Any) -> go.Figure:
    figure = go.Figure()
    figure.add_scatter(x=stamps[: frame.tick + 1], y=frame.history.prob_30m, name="30 min")
    figure.add_scatter(x=stamps[: frame.tick + 1], y=frame.history.prob_8h, name="8 h")
    for phase in frame.source.phases:
        figure.add_vline(x=stamps[phase.first])
    return figure


def naive_heatmap(now: pd.DataFrame) -> go.Figure:
    columns = int(np.ceil(np.sqrt(len(now))))
    padded = np.full(columns * columns, np.nan)
    padded[: len(now)] = now["risk"]
    names = np.full(columns * columns, "", object)
    names[: len(now)] = now["server_name"]
    return go.Figure(go.Heatmap(z=padded.reshape(columns, -1), text=names.reshape(columns, -1), zmin=0, zmax=1))


def naive_rolling(history: pd.DataFrame) -> go.Figure:
    groups = history.groupby("timestamp")
    rolled = pd.DataFrame({name: groups[name].median() for name in METRIC_NAMES[:4]}).tail(60)
    figure = go.Figure()
    for name in rolled:
        figure.add_scatter(x=rolled.index, y=rolled[name], name=name)
    return figure


if __name__ == "__main__":
    sys.exit(main())
