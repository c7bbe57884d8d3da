"""A small real HTTP server that speaks Prometheus's JSON: selectors and timestamp() of them, with its lookback."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

LOOKBACK = 300.0
STALE = "stale"


@dataclass
class FakePrometheus:
    """What the server holds and how it behaves.

    :ivar series: name, labels, and (second, value) pairs; the value STALE is a staleness marker.
    :ivar answers: canned ``(status, headers, body)``, one for each request, before anything else is answered.
    :ivar results: query → what is answered instead, as the result of a matrix.
    :ivar most: more points times series than that are refused, as by ``query.max-samples``.
    :ivar hang_ups: so many requests are left without an answer, their connections closed.
    :ivar asked: every request: path, parameters, headers.
    """

    now: float = 1_700_000_000.0
    series: list[tuple[str, dict[str, str], list[tuple[float, Any]]]] = field(default_factory=list)
    answers: list[tuple[int, Mapping[str, str], str]] = field(default_factory=list)
    results: dict[str, list[Any]] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    most: int = 10**9
    delay_seconds: float = 0.0
    hang_ups: int = 0
    asked: list[tuple[str, dict[str, str], dict[str, str]]] = field(default_factory=list)
    port: int = 0

    @property
    def url(self) -> str:
        return f"prometheus+http://127.0.0.1:{self.port}"

    def add(self, name: str, labels: Mapping[str, str], points: list[tuple[float, Any]]) -> None:
        self.series.append((name, dict(labels), points))

    def queries(self, path: str = "query_range") -> list[dict[str, str]]:
        return [parameters for asked, parameters, _ in self.asked if asked == path]

    def answer(self, path: str, parameters: Mapping[str, str]) -> tuple[int, dict[str, Any]]:
        query = parameters.get("query", "")
        if path == "query" and query == "time()":
            return success("scalar", [self.now, str(self.now)])
        if path == "query" and query == "count by (job) (up)":
            jobs = sorted({labels.get("job", "") for name, labels, _ in self.series if name == "up"})
            return success("vector", [{"metric": {"job": job}, "value": [self.now, "1"]} for job in jobs])
        if query in self.results:
            return success("matrix", self.results[query])
        if path != "query_range":
            return refused(f"unexpected {query!r}")
        return self._series(query, parameters)

    def _series(self, query: str, parameters: Mapping[str, str]) -> tuple[int, dict[str, Any]]:
        found = re.fullmatch(r"(?:timestamp\((.*)\)|(.*))", query)
        selector = re.fullmatch(r"([a-z_]+)(?:\{(.*)\})?", (found[1] or found[2]) if found else "")
        if selector is None:
            return refused(f"parse error: unexpected {query!r}")
        wanted = dict(re.findall(r'([a-z_]+)="([^"]*)"', selector[2] or ""))
        chosen = [
            (labels, points)
            for name, labels, points in self.series
            if name == selector[1] and all(labels.get(label) == text for label, text in wanted.items())
        ]
        first, last, step = (round(float(parameters[name]) * 1000) for name in ("start", "end", "step"))
        times = [at / 1000 for at in range(first, last + 1, step)]
        if len(times) > 11_000:
            return refused("exceeded maximum resolution of 11,000 points per timeseries.")
        if len(times) * len(chosen) > self.most:
            words = "query processing would load too many samples into memory in query execution"
            return 422, {"status": "error", "errorType": "execution", "error": words}
        named = {} if found and found[1] else {"__name__": selector[1]}
        result = []
        for labels, points in chosen:
            values = [[at, text] for at in times if (text := value_at(points, at, bool(found and found[1])))]
            if values:
                result.append({"metric": {**named, **labels}, "values": values})
        return success("matrix", result, self.warnings)


def refused(words: str) -> tuple[int, dict[str, Any]]:
    return 400, {"status": "error", "errorType": "bad_data", "error": words}


def success(kind: str, result: Any, warnings: list[str] | None = None) -> tuple[int, dict[str, Any]]:
    body = {"status": "success", "data": {"resultType": kind, "result": result}}
    return 200, {**body, "warnings": warnings} if warnings else body


def value_at(points: list[tuple[float, Any]], at: float, of_time: bool) -> str | None:
    """What Prometheus shows at an instant: the newest sample of the last five minutes, unless it marks an end."""
    before = [(when, value) for when, value in points if at - LOOKBACK < when <= at]
    if not before or before[-1][1] == STALE:
        return None
    return str(before[-1][0] if of_time else before[-1][1])


@contextmanager
def fake_prometheus() -> Iterator[FakePrometheus]:
    fake = FakePrometheus()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # one packet for an answer

        def do_GET(self) -> None:
            self._reply(urlsplit(self.path).query)

        def do_POST(self) -> None:
            self._reply(self.rfile.read(int(self.headers.get("Content-Length", 0))).decode())

        def _reply(self, query: str) -> None:
            parameters = dict(parse_qsl(query, keep_blank_values=True))
            path = urlsplit(self.path).path
            fake.asked.append((path.removeprefix("/api/v1/"), parameters, dict(self.headers)))
            if fake.delay_seconds:
                time.sleep(fake.delay_seconds)
            if fake.hang_ups:
                fake.hang_ups -= 1
                self.close_connection = True
                return
            if fake.answers:
                status, headers, text = fake.answers.pop(0)
            else:
                status, body = fake.answer(path.removeprefix("/api/v1/"), parameters)
                headers, text = {}, json.dumps(body)
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(text.encode())))
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    fake.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield fake
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
