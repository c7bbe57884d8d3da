"""Drills made on the server in the background: queue, runner, limits."""

from tft_dash.runs.queue import Run, RunQueue, RunState

__all__ = ["Run", "RunQueue", "RunState"]
