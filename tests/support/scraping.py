"""Real servers on the loopback that collect metrics: Debian's Prometheus and node_exporter, a service of our own."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from support.serving import free_port

WAIT_SECONDS = 60.0
EXPORTER = "prometheus-node-exporter"


def awaited(check: Callable[[], Any], what: str) -> Any:
    """The first answer of ``check`` that is true."""
    end = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < end:
        with contextlib.suppress(OSError):
            found = check()
            if found:
                return found
        time.sleep(0.2)
    raise AssertionError(f"waited {WAIT_SECONDS:.0f} s in vain: {what}")


@dataclass
class Program:
    """A server that can be killed and started again with what it has on its disk.

    :ivar ready: an address that answers when it is.
    """

    command: Sequence[str]
    ready: str
    log: Path
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(self.command, stdout=log, stderr=log)
        awaited(self._answers, f"{self.command[0]} starts ({self.log.read_text()[-500:]})")

    def _answers(self) -> bool:
        if self.process is None or self.process.poll() is not None:
            raise AssertionError(f"{self.command[0]} has ended: {self.log.read_text()[-1000:]}")
        with contextlib.suppress(urllib.error.HTTPError):
            urllib.request.urlopen(self.ready, timeout=2).close()
        return True

    def signal(self, number: int) -> None:
        assert self.process is not None
        self.process.send_signal(number)

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None


@dataclass
class Prometheus:
    """A private Prometheus.

    :ivar jobs: job → its targets; see :meth:`configure`.
    """

    folder: Path
    port: int
    program: Program
    interval: str
    jobs: dict[str, Sequence[str]] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"prometheus+http://127.0.0.1:{self.port}/"

    def configure(self, jobs: Mapping[str, Sequence[str]]) -> None:
        """Scrape these targets from now on."""
        self.jobs = dict(jobs)
        lines = [f"global: {{scrape_interval: {self.interval}, scrape_timeout: {self.interval}}}", "scrape_configs:"]
        for job, targets in self.jobs.items():
            listed = ", ".join(f"'{target}'" for target in targets)
            lines += [f"- job_name: {job}", f"  static_configs: [{{targets: [{listed}]}}]"]
        (self.folder / "prometheus.yml").write_text("\n".join(lines) + "\n")
        if self.program.process is not None:
            self.program.signal(signal.SIGHUP)


@contextlib.contextmanager
def prometheus(
    folder: Path, jobs: Mapping[str, Sequence[str]], *options: str, interval: str = "1s", secure: bool = False
) -> Iterator[Prometheus]:
    """A Prometheus that scrapes every second; its data lies in ``folder``."""
    port = free_port()
    command = [
        "prometheus", f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data",
        f"--web.listen-address=127.0.0.1:{port}", *options,
    ]  # fmt: skip
    # Behind TLS any answer at all will do, so the port alone is asked.
    ready = f"http://127.0.0.1:{port}/" + ("" if secure else "-/ready")
    found = Prometheus(folder, port, Program(command, ready, folder / "prometheus.log"), interval)
    found.configure(jobs)
    found.program.start()
    try:
        yield found
    finally:
        found.program.kill()


@contextlib.contextmanager
def node_exporter(folder: Path) -> Iterator[tuple[str, Program]]:
    """A node_exporter of this machine: its target, and how to stop it."""
    target = f"127.0.0.1:{free_port()}"
    command = [EXPORTER, f"--web.listen-address={target}"]
    program = Program(command, f"http://{target}/metrics", folder / "exporter.log")
    program.start()
    try:
        yield target, program
    finally:
        program.kill()


@dataclass
class Service:
    """A service that reports requests, errors and durations.

    :ivar each_second: (requests, errors, seconds a request) that every second adds.
    :ivar away: whether it refuses to be scraped.
    """

    target: str = ""
    each_second: tuple[int, int, float] = (100, 0, 0.02)
    away: bool = False
    begun: float = field(default_factory=time.time)

    def text(self) -> str:
        """What it says of itself now."""
        requests, errors, seconds = self.each_second
        passed = time.time() - self.begun
        bars = {0.01: 0.0, 0.05: 0.0, 0.25: 0.0, 1.0: 0.0}
        counts = {bar: passed * requests if seconds <= bar else low for bar, low in bars.items()}
        lines = [
            "# TYPE http_requests_total counter",
            f'http_requests_total{{code="200"}} {passed * (requests - errors)}',
        ]
        if errors:
            lines.append(f'http_requests_total{{code="503"}} {passed * errors}')
        lines.append("# TYPE http_request_duration_seconds histogram")
        lines += [f'http_request_duration_seconds_bucket{{le="{bar}"}} {count}' for bar, count in counts.items()]
        lines.append(f'http_request_duration_seconds_bucket{{le="+Inf"}} {passed * requests}')
        lines += [f"http_request_duration_seconds_count {passed * requests}", "http_request_duration_seconds_sum 1"]
        return "\n".join(lines) + "\n"


@contextlib.contextmanager
def service() -> Iterator[Service]:
    found = Service()

    class Handler(BaseHTTPRequestHandler):
        wbufsize = -1

        def do_GET(self) -> None:
            body = found.text().encode()
            self.send_response(500 if found.away else 200)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    found.target = f"127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield found
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
