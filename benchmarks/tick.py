"""What a viewer's tick costs the server at 1,000 servers, beside the naive way, in one run.

Measured: process CPU time of the callback's whole request (decode, frame from the cache, patches, JSON, gzip), and the
bytes on the wire; for the first viewer of a tick, whose frame and figures are made, and for any further one. The naive
way is what a first version of such a page does for each viewer: pandas for the numbers of the tick and the rolling
window, graph_objects for the same figures, whole, plotly's own JSON, and gzip of all of it.

    python benchmarks/tick.py [--servers 1000] [--ticks 60]
"""

from __future__ import annotations

import argparse
import gzip
import io
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pandas as pd
import plotly.graph_objects as go
import plotly.io

from tft_dash.app import create_app
from tft_dash.figures import FIGURES
from tft_dash.scenarios.files import generate_drill
from tft_dash.scenarios.library import load_scenario
from tft_dash.services import Services
from tft_dash.settings import load_settings
from tft_dash.theme import LIGHT

CALLBACK = "/_dash-update-component"


def main() -> int:
    """Print both costs and their ratio; in one run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--servers", type=int, default=1000)
    parser.add_argument("--ticks", type=int, default=60)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        document = load_scenario("degrading").with_overrides(fleet_size=options.servers)
        generate_drill(document, Path(folder), "fleet", ("parquet",))
        recording = Path(folder) / "fleet.parquet"
        flags = {"sources": (str(recording),), "cache": str(Path(folder) / "cache"), "data": folder}
        services = Services(load_settings(flags, environ={}), wait_seconds=None)
        table = pd.read_parquet(recording)
        ticks = range(1, min(options.ticks, 60))
        request = viewer(services)
        first = measure(request, ticks)
        ours = measure(request, ticks)
        naive = measure(naive_viewer(services, table), ticks[::6])
        services.close()
    print(f"{options.servers} servers, medians over {len(ticks)} ticks")
    for name, (seconds, size) in {"first viewer": first, "further viewer": ours, "naive viewer": naive}.items():
        print(f"  {name:15} {seconds * 1e3:8.2f} ms CPU {size / 1e3:8.2f} kB on the wire")
    print(f"  naive / further viewer: {naive[0] / ours[0]:.0f} x CPU, {naive[1] / ours[1]:.1f} x bytes")
    return 0


def measure(request: Callable[[int], int], ticks: Sequence[int]) -> tuple[float, float]:
    """Median CPU seconds of this process, and bytes, of ``request(tick)``."""
    seconds, sizes = [], []
    for tick in ticks:
        begun = time.process_time()
        sizes.append(request(tick))
        seconds.append(time.process_time() - begun)
    return statistics.median(seconds), statistics.median(sizes)


def viewer(services: Services) -> Callable[[int], int]:
    """A viewer of the real app who has drawn the tick before; called as gunicorn calls it, without a client's cost."""
    server = create_app(services).server
    outputs = dash_outputs(server.test_client())
    key: dict[str, str] = {}

    def ask(tick: int) -> int:
        drawn = {"key": key["key"], "tick": tick - 1, "server": None} if key else None
        request = {
            "id": tick, "now": 0, "source": "fleet", "model": "thresholds", "tick": tick, "at": 0, "speed": 1,
            "playing": False, "server": None, "theme": "light", "drawn": drawn,
        }  # fmt: skip
        inputs = [{"id": "monitor-request", "property": "data", "value": request}]
        data = b"".join(server(environment({**outputs, "inputs": inputs}), lambda *_: None))
        if not key:
            key["key"] = orjson.loads(gzip.decompress(data))["response"]["monitor-answer"]["data"]["key"]
        return len(data)

    ask(0)
    return ask


def environment(body: dict[str, Any]) -> dict[str, Any]:
    """A POST of ``body`` to Dash's address, as a WSGI server hands it over."""
    content = orjson.dumps(body)
    return {
        "REQUEST_METHOD": "POST", "PATH_INFO": CALLBACK, "SCRIPT_NAME": "", "QUERY_STRING": "",
        "SERVER_NAME": "127.0.0.1", "SERVER_PORT": "8050", "SERVER_PROTOCOL": "HTTP/1.1", "HTTP_HOST": "127.0.0.1:8050",
        "HTTP_ACCEPT_ENCODING": "gzip", "CONTENT_TYPE": "application/json", "CONTENT_LENGTH": str(len(content)),
        "wsgi.input": io.BytesIO(content), "wsgi.errors": sys.stderr, "wsgi.version": (1, 0), "wsgi.url_scheme": "http",
        "wsgi.multithread": True, "wsgi.multiprocess": True, "wsgi.run_once": False,
    }  # fmt: skip


def dash_outputs(client: Any) -> dict[str, Any]:
    """The callback that draws, as a browser names it."""
    for dependency in orjson.loads(client.get("/_dash-dependencies").data):
        if "monitor-answer.data" in dependency["output"]:
            parts = [part.rsplit(".", 1) for part in dependency["output"].strip(".").split("...")]
            outputs = [{"id": name, "property": prop.split("@")[0]} for name, prop in parts]
            return {"output": dependency["output"], "outputs": outputs, "changedPropIds": ["monitor-request.data"]}
    raise RuntimeError("the app has no callback that draws")


def naive_viewer(services: Services, table: pd.DataFrame) -> Callable[[int], int]:
    """The same five figures for every viewer and tick, whole: pandas for the numbers, graph_objects for the figures."""
    stamps = np.sort(table["timestamp"].unique())

    def ask(tick: int) -> int:
        history = table[table["timestamp"] <= stamps[tick]]
        now = history[history["timestamp"] == stamps[tick]]
        ticks = history.groupby("timestamp")
        rolled = pd.DataFrame(
            {
                "cpu": ticks["cpu_pct"].median(),
                "latency": ticks["latency_ms"].quantile(0.95),
                "errors": ticks["error_rate"].mean(),
            }
        )
        frame = services.frame("fleet", "thresholds", tick)
        worst = now.assign(risk=np.asarray(frame.risk)).sort_values("risk", ascending=False).head(5)
        figures = [go.Figure(module.figure(frame, LIGHT)) for module in FIGURES]
        tiles = [
            go.Figure(go.Indicator(value=value)) for value in (frame.prob_30m, frame.prob_8h, len(worst), len(rolled))
        ]
        body = plotly.io.json.to_json_plotly([figure.to_plotly_json() for figure in (*figures, *tiles)])
        return len(gzip.compress(body.encode(), 5))

    return ask


if __name__ == "__main__":
    sys.exit(main())
