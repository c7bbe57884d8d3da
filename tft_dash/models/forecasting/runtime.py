"""Runs a forecast model's graph with ONNX Runtime, on the CPU, in any number of threads and forked processes.

The graph: inputs ``metrics`` float32 (batch, 96, 8) in the metrics' units, NaN = missing, the last step is now;
``profile`` int64 (batch,); ``minute`` float32 (batch,) of the week at the last step, UTC, Monday 0:00 is 0. Outputs
``quantiles`` float32 (batch, 40, 4, 7) in the metrics' units; ``chance`` float32 (batch, 40), P(first critical step by
each node); ``selection`` float32 (batch, 11); ``attention`` float32 (batch, 96).
"""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from tft_dash.models.forecasting.layout import CONTEXT, INPUTS, NODES, QUANTILES, TARGETS
from tft_dash.models.forecasting.onnx_file import part_for

CHUNK: Final = 16
"""Windows that are run at a time, always so many: an answer then does not depend on who else is in the chunk, to the
last bit. Larger chunks are no faster, take more memory, and cost a small fleet more."""
FEW: Final = 4
"""The same for whoever asks about a single server: three padded windows cost less than fifteen. One window alone would
be multiplied by another kernel, and differ in the last bits."""

Reals = NDArray[np.float32]
Shape = tuple[int, ...]

INPUT_SHAPES: Final[dict[str, tuple[str, Shape]]] = {
    "metrics": ("tensor(float)", (CONTEXT, len(INPUTS))),
    "profile": ("tensor(int64)", ()),
    "minute": ("tensor(float)", ()),
}
OUTPUT_SHAPES: Final[dict[str, tuple[str, Shape]]] = {
    "quantiles": ("tensor(float)", (len(NODES), len(TARGETS), len(QUANTILES))),
    "chance": ("tensor(float)", (len(NODES),)),
    "selection": ("tensor(float)", (len(INPUTS) + 3,)),
    "attention": ("tensor(float)", (CONTEXT,)),
}
"""Name → type and shape behind the batch axis."""


@dataclass(frozen=True, slots=True)
class Outputs:
    """What the graph says of some windows; see the module. Raw: the calibration comes later."""

    quantiles: Reals
    chance: Reals
    selection: Reals
    attention: Reals


def open_session(graph: bytes) -> Any:  # noqa: ANN401 - onnxruntime has no types
    """A session over a graph, with one thread: requests are what runs side by side.

    :raises Exception: the runtime's own, of many kinds, when it cannot read or run the graph.
    """
    import onnxruntime  # noqa: PLC0415 - 40 MB that only a process which forecasts needs

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.enable_cpu_mem_arena = True
    options.log_severity_level = 4
    return onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])


class Graphed(Protocol):
    """Whatever has a graph: an artefact."""

    @property
    def graph(self) -> bytes:
        """The content of ``model.onnx``, verified."""
        ...


@dataclass(frozen=True, slots=True)
class _Asked:
    """The inputs of all windows."""

    metrics: Reals
    profile: NDArray[np.int64]
    minute: Reals

    def feed(self, here: slice, lacking: int) -> dict[str, NDArray[Any]]:
        """Some of them by the names of the graph, with so many more to fill it up."""
        inputs: dict[str, NDArray[Any]] = {"metrics": self.metrics, "profile": self.profile, "minute": self.minute}
        return {name: _padded(values[here], lacking) for name, values in inputs.items()}


class Runtime:
    """Answers for windows; a session is made at the first question of its kind in each process, so after a fork.

    There are two: over the whole graph, and over the part of it that makes the chances, which are asked for most.

    :param artefact: a verified model.
    """

    def __init__(self, artefact: Graphed) -> None:
        self._graph = artefact.graph
        self._sessions: dict[tuple[str, ...], tuple[int, Any]] = {}
        self._lock = threading.Lock()

    def run(self, metrics: Reals, profile: NDArray[np.int64], minute: Reals, *, at_once: int = CHUNK) -> Outputs:
        """Everything for ``metrics`` (windows, 96, 8), ``profile`` and ``minute`` (windows,)."""
        return Outputs(**self._run(_Asked(metrics, profile, minute), tuple(OUTPUT_SHAPES), at_once))

    def chance(self, metrics: Reals, profile: NDArray[np.int64], minute: Reals) -> Reals:
        """(windows, nodes) the chances alone, which is cheaper."""
        return self._run(_Asked(metrics, profile, minute), ("chance",), CHUNK)["chance"]

    def _run(self, asked: _Asked, wanted: tuple[str, ...], at_once: int) -> dict[str, Reals]:
        count = len(asked.metrics)
        found = {name: np.empty((count, *OUTPUT_SHAPES[name][1]), np.float32) for name in wanted}
        session: Any = self._opened(wanted) if count else None
        for first in range(0, count, at_once):
            here = slice(first, min(first + at_once, count))
            lacking = at_once - (here.stop - first)
            for name, values in zip(wanted, session.run(list(wanted), asked.feed(here, lacking)), strict=True):
                found[name][here] = values[: at_once - lacking]
        return found

    def _opened(self, wanted: tuple[str, ...]) -> Any:  # noqa: ANN401 - onnxruntime has no types
        with self._lock:
            process, session = self._sessions.get(wanted, (None, None))
            if process != os.getpid():
                graph = part_for(self._graph, wanted[0]) if len(wanted) == 1 else self._graph
                session = open_session(graph)
                self._sessions[wanted] = (os.getpid(), session)
            return session


def _padded(values: NDArray[Any], lacking: int) -> NDArray[Any]:
    return values if not lacking else np.concatenate([values, np.repeat(values[-1:], lacking, axis=0)])
