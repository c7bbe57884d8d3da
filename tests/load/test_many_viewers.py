"""Many viewers for minutes, with workers killed meanwhile: every answer right, memory flat. Run by ``make soak``."""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import threading
import time
import urllib.request
from pathlib import Path
from typing import Any

from support.serving import Server, get, running

SECONDS = float(os.environ.get("SOAK_SECONDS", "120"))
VIEWERS = 24
PAUSE_SECONDS = 0.1
KILL_EVERY_SECONDS = 15.0


def request_body(server: Server) -> dict[str, Any]:
    """The callback that draws, as a browser names it."""
    for dependency in json.loads(get(f"{server.url}/_dash-dependencies")[1]):
        if "monitor-answer.data" in dependency["output"]:
            names = [part.rsplit(".", 1) for part in dependency["output"].strip(".").split("...")]
            outputs = [{"id": name, "property": prop} for name, prop in names]
            return {"output": dependency["output"], "outputs": outputs, "changedPropIds": ["monitor-request.data"]}
    raise AssertionError("the app has no callback that draws")


def draw(server: Server, body: dict[str, Any], tick: int) -> dict[str, Any]:
    """What a viewer who seeks to ``tick`` is shown."""
    wish = {
        "id": tick, "now": 0, "source": "demo_dataset", "model": "thresholds", "tick": tick, "at": 0, "speed": 1,
        "playing": False, "server": None, "theme": "light", "drawn": None,
    }  # fmt: skip
    inputs = [{"id": "monitor-request", "property": "data", "value": wish}]
    request = urllib.request.Request(
        f"{server.url}/_dash-update-component",
        data=json.dumps({**body, "inputs": inputs}).encode(),
        headers={"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=20) as answer:
        return json.loads(answer.read())["response"]


def memory_of(server: Server) -> int:
    """Anonymous memory of the largest worker, bytes."""
    sizes = [0]
    for worker in server.workers():
        with contextlib.suppress(OSError):
            status = Path(f"/proc/{worker}/status").read_text()
            sizes.append(int(status.split("RssAnon:")[1].split()[0]) * 1024)
    return max(sizes)


def test_every_answer_is_right_while_workers_die_and_memory_stays_flat(tmp_path: Path) -> None:
    with running("demo", "--workers", "4", folder=tmp_path) as server:
        body = request_body(server)
        right = {tick: draw(server, body, tick) for tick in range(60)}
        wrong: list[int] = []
        answered = [0] * VIEWERS
        end = time.monotonic() + SECONDS

        def view(number: int) -> None:
            pick = random.Random(number)
            while time.monotonic() < end:
                tick = pick.randrange(60)
                with contextlib.suppress(OSError):  # the worker died under the request; a browser asks again
                    if draw(server, body, tick) != right[tick]:
                        wrong.append(tick)
                    answered[number] += 1
                time.sleep(PAUSE_SECONDS)

        viewers = [threading.Thread(target=view, args=(number,)) for number in range(VIEWERS)]
        for viewer in viewers:
            viewer.start()
        time.sleep(min(10.0, SECONDS / 4))
        early = memory_of(server)
        while time.monotonic() < end:
            time.sleep(min(KILL_EVERY_SECONDS, max(0.0, end - time.monotonic())))
            os.kill(server.workers()[0], signal.SIGKILL)
        for viewer in viewers:
            viewer.join()
        assert wrong == []
        assert min(answered) > 0
        assert memory_of(server) < 1.5 * early
