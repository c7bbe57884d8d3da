"""Processes that are kept alive."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Callable
from typing import Any

import pytest

from tft_dash.collecting import supervising
from tft_dash.collecting.supervising import Supervisor


def test_a_process_that_cannot_be_started_is_tried_again_and_the_others_run_on(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    real: Callable[..., Any] = subprocess.Popen
    tried: list[str] = []
    both = threading.Event()

    def start(command: list[str], **named: Any) -> Any:
        name = command[command.index("collect") + 1]
        tried.append(name)
        if name == "two" and tried.count("two") == 1:
            raise BlockingIOError(11, "Resource temporarily unavailable")
        if tried.count("two") == 2:
            both.set()
        return real(["sleep", "60"], **named)

    monkeypatch.setattr(supervising.subprocess, "Popen", start)
    monkeypatch.setattr(supervising, "LOOK_SECONDS", 0.02)
    supervisor, stop = Supervisor(), threading.Event()
    for name in ("one", "two", "three"):
        supervisor.add(name, ["collect", name], {})
    thread = threading.Thread(target=supervisor.run, args=(stop,))
    thread.start()
    assert both.wait(20)
    stop.set()
    thread.join(20)
    assert tried == ["one", "two", "three", "two"]
    assert "two: its process cannot be started (Resource temporarily unavailable); it is tried again" in caplog.text
