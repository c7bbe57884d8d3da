"""A real server of the app on the loopback: gunicorn with several workers, as in production."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

START_SECONDS = 60


def free_port() -> int:
    """A port that nothing listens on at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Server:
    """A running ``tft-dash``: its address, what it has said, and how to stop it."""

    arguments: tuple[str, ...]
    environ: Mapping[str, str]
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[str] | None = None
    said: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it and wait until it answers."""
        command = [sys.executable, "-m", "tft_dash", *self.arguments, "--port", str(self.port)]
        self.process = subprocess.Popen(
            command, env={**os.environ, **self.environ}, text=True, stderr=subprocess.PIPE, stdout=subprocess.PIPE,
            start_new_session=True,
        )  # fmt: skip
        threading.Thread(target=self._listen, args=(self.process,), daemon=True).start()
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end:
            if self.process.poll() is not None:
                raise RuntimeError(f"the server ended with {self.process.returncode}: {''.join(self.said)}")
            with contextlib.suppress(OSError), urllib.request.urlopen(f"{self.url}/healthz", timeout=2) as answer:
                if answer.read() == b"ok":
                    return
            time.sleep(0.1)
        raise RuntimeError(f"the server did not answer: {''.join(self.said)}")

    def stop(self, how: int = signal.SIGTERM) -> None:
        """Stop it, workers included."""
        if self.process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, how)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(5)
        for stream in (self.process.stdout, self.process.stderr):
            if stream is not None:
                stream.close()
        self.process = None

    def workers(self) -> list[int]:
        """Process numbers of the workers."""
        if self.process is None:
            return []
        listed = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        return [int(number) for number in re.findall(r"\d+", listed)]

    def _listen(self, process: subprocess.Popen[str]) -> None:
        if process.stderr is not None:
            with contextlib.suppress(ValueError):  # closed by stop()
                self.said.extend(process.stderr)


@contextlib.contextmanager
def running(*arguments: str, folder: Path, **environ: str) -> Iterator[Server]:
    """A server of ``tft-dash *arguments`` whose data and cache lie below ``folder``."""
    places = {"TFT_DASH_DATA": str(folder / "data"), "TFT_DASH_CACHE": str(folder / "cache")}
    server = Server(arguments, {**places, **environ})
    server.start()
    try:
        yield server
    finally:
        server.stop()


def get(url: str, timeout: float = 20) -> tuple[int, bytes]:
    """Status and body of a GET, whatever the status."""
    try:
        with urllib.request.urlopen(url, timeout=timeout) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()
