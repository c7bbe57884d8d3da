"""The commands and scripts of the README and the guides, and how each is run."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.serving import free_port, get

ROOT = Path(__file__).parents[2]
LONG = {"forecasting.md"}
"""Its commands take a quarter of an hour; tests/unit/commands/test_forecasting.py runs them on small fleets."""
GUIDES = [ROOT / "README.md", *(path for path in sorted((ROOT / "docs").glob("*.md")) if path.name not in LONG)]
QUICK_START = ROOT / "docs" / "quick-start.md"
"""As long as all others together, so it has a file of tests, and with it a process, of its own."""
SERVES = re.compile(r"make demo|tft-dash demo|tft-dash serve(?!.*--get)|gunicorn|run_dashboard\(")
RUNNING_US = ("make test",)
"""What runs these tests is not run by them."""
PIP = ("pip install .",)
"""Run in test_wheel.py, into a folder of its own."""
PATIENCE_SECONDS = 180


def blocks(language: str) -> Iterator[tuple[str, str]]:
    for guide in GUIDES:
        for block in re.findall(rf"```{language}\n(.*?)```", guide.read_text(), re.DOTALL):
            yield guide.name, block


def shell_lines(guide: Path) -> list[str]:
    lines = [line for name, block in blocks("bash") if name == guide.name for line in block.splitlines()]
    return [line for line in lines if line.strip() and line not in RUNNING_US + PIP]


def working_folder(folder: Path) -> Path:
    """A working folder like a user's: the shipped drills beside them, data and cache of their own."""
    shutil.copytree(ROOT / "demo_data", folder / "demo_data")
    return folder


def environment(folder: Path) -> dict[str, str]:
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    return {**os.environ, "PATH": path, "TFT_DASH_DATA": str(folder / "data"), "TFT_DASH_CACHE": str(folder / "cache")}


def serve_until_it_answers(command: list[str], folder: Path, port: int, environ: dict[str, str]) -> None:
    process = subprocess.Popen(
        command, cwd=folder, env=environ, start_new_session=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    try:
        end = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < end:
            assert process.poll() is None, process.communicate()[0].decode()
            try:
                if get(f"http://127.0.0.1:{port}/healthz", timeout=2) == (200, b"ok"):
                    return
            except OSError:
                time.sleep(0.1)
        pytest.fail(f"{command} never answered")
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.communicate(timeout=30)


def run_commands(guide: Path, folder: Path) -> None:
    """Every command of a guide, in their order."""
    for line in shell_lines(guide):
        run_line(line, folder)


def run_line(line: str, folder: Path) -> None:
    environ = environment(folder)
    if not SERVES.search(line):
        done = subprocess.run(
            ["bash", "-c", line], cwd=folder, env=environ, check=False, capture_output=True, text=True, timeout=300
        )
        assert done.returncode == 0, f"{line}\n{done.stdout}\n{done.stderr}"
        return
    port = free_port()
    line = re.sub(r" PORT=\d+", "", line)
    if line.startswith("make"):
        serve_until_it_answers(["bash", "-c", f"exec {line} PORT={port}"], ROOT, port, environ)
    else:
        serve_until_it_answers(["bash", "-c", line], folder, port, {**environ, "TFT_DASH_PORT": str(port)})


def run_script(name: str, script: str, folder: Path) -> None:
    path = folder / "script.py"
    path.write_text(script)
    environ = environment(folder)
    if SERVES.search(script):
        port = free_port()
        environ["TFT_DASH_PORT"] = str(port)
        serve_until_it_answers([sys.executable, str(path)], folder, port, environ)
        return
    done = subprocess.run(
        [sys.executable, str(path)], cwd=folder, env=environ, check=False, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, f"{name}\n{done.stderr}"
