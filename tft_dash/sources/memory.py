"""A recording held in memory: the public test double, and what a notebook builds a source from."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tft_dash.errors import TableError
from tft_dash.frame import SourceDescription
from tft_dash.progress import Progress, silent
from tft_dash.schema import GENERIC_PROFILE, Batch, CodeArray, Window, derive_states
from tft_dash.sources.base import START
from tft_dash.sources.finite import NO_PHASE, FiniteSource, phase_spans

DEFAULT_START = np.datetime64("2024-01-01T00:00:00.000", "ms")


class MemorySource:
    """A finite source over a :class:`Window`; nothing is read, written or prepared.

    :param window: the whole recording; its ``phases``, where given, become the source's script.
    :param states: (ticks, servers) codes; derived from the metrics by default.
    :param tick_wall_seconds: seconds a tick takes on the page at speed 1.
    :raises TableError: the window has no ticks, servers or metrics, or its shapes disagree.
    """

    def __init__(
        self,
        window: Window,
        *,
        name: str = "memory",
        states: CodeArray | None = None,
        title: str | None = None,
        simulated: bool = False,
        tick_wall_seconds: float | None = None,
        notices: Sequence[str] = (),
    ) -> None:
        _demand_shapes(window, states)
        metrics = {metric: _frozen(np.asarray(values, np.float32)) for metric, values in window.metrics.items()}
        codes = _frozen(np.asarray(derive_states(metrics) if states is None else states, np.int8))
        names = tuple(dict.fromkeys(phase for phase in window.phases or () if phase is not None))
        phases = _phase_codes(window, names)
        description = SourceDescription(
            name=name,
            kind="memory",
            servers=window.servers,
            profiles=window.profiles,
            metrics=tuple(metrics),
            step_seconds=window.step_seconds,
            start=window.start,
            ticks=window.ticks,
            phases=phase_spans(phases, names),
            tick_wall_seconds=tick_wall_seconds,
            simulated=simulated,
            title=title or name,
            notices=tuple(notices),
            digest=_digest(window, metrics, codes),
        )
        self._finite = FiniteSource(description, metrics, codes, phases, names)

    @classmethod
    def from_arrays(  # noqa: PLR0913 - a test names only what it is about
        cls,
        metrics: Mapping[str, ArrayLike],
        *,
        step_seconds: float = 5.0,
        start: np.datetime64 = DEFAULT_START,
        servers: Sequence[str] | None = None,
        profiles: Sequence[str] | None = None,
        phases: Sequence[str | None] | None = None,
        states: CodeArray | None = None,
        name: str = "memory",
    ) -> MemorySource:
        """A source from metric name → (ticks, servers) values; servers are ``server-001``… unless named."""
        arrays = {metric: np.asarray(values, np.float32) for metric, values in metrics.items()}
        width = next((values.shape[1] for values in arrays.values() if values.ndim == 2), 0)
        names = tuple(servers) if servers is not None else tuple(f"server-{place + 1:03d}" for place in range(width))
        kinds = tuple(profiles) if profiles is not None else (GENERIC_PROFILE,) * len(names)
        script = None if phases is None else tuple(phases)
        window = Window(start.astype("datetime64[ms]"), step_seconds, names, kinds, arrays, script)
        return cls(window, name=name, states=states)

    def prepare(self, progress: Progress = silent) -> None:
        """Does nothing: the arrays are there."""
        progress(1.0)

    def describe(self) -> SourceDescription:
        """What the source is."""
        return self._finite.description

    def read(self, after: int = START, limit: int = 1, *, labels: bool = False) -> Batch:
        """See :meth:`Source.read`; the arrays are read-only."""
        return self._finite.read(after, limit, labels=labels)

    def sample_times(self, after: int = START, limit: int = 1) -> NDArray[np.datetime64]:
        """The ticks' times where a server has a value, NaT elsewhere; see :meth:`Source.sample_times`."""
        batch = self.read(after, limit)
        about = self.describe()
        nominal = np.array([about.time_of(batch.first_tick + place) for place in range(batch.ticks)], "datetime64[ms]")
        seen = np.any([~np.isnan(values) for values in batch.window.metrics.values()], axis=0)
        return np.where(seen, nominal[:, None], np.datetime64("NaT", "ms"))

    def close(self) -> None:
        """Does nothing: there is nothing to let go of."""


def _demand_shapes(window: Window, states: CodeArray | None) -> None:
    shape = (window.ticks, len(window.servers))
    if 0 in shape:
        raise TableError(f"A source in memory needs metrics, ticks and servers; got {shape[0]} ticks × {shape[1]}.")
    found = {metric: values.shape for metric, values in window.metrics.items()}
    if states is not None:
        found["states"] = states.shape
    for what, given in found.items():
        if given != shape:
            raise TableError(f"A source in memory has {what} of shape {given}; give (ticks, servers) = {shape}.")
    for what, values in (("profiles", window.profiles), ("phases", window.phases)):
        wanted = shape[1] if what == "profiles" else shape[0]
        if values is not None and len(values) != wanted:
            raise TableError(f"A source in memory has {len(values)} {what}; give {wanted}.")


def _phase_codes(window: Window, names: Sequence[str]) -> NDArray[np.int16]:
    if window.phases is None:
        return np.full(window.ticks, NO_PHASE, np.int16)
    codes = {name: code for code, name in enumerate(names)}
    return np.array([NO_PHASE if phase is None else codes[phase] for phase in window.phases], np.int16)


def _frozen(values: NDArray[Any]) -> NDArray[Any]:
    view = values.view()
    view.flags.writeable = False
    return view


def _digest(window: Window, metrics: Mapping[str, NDArray[np.float32]], states: CodeArray) -> str:
    head = repr((str(window.start), window.step_seconds, window.servers, window.profiles, window.phases))
    digest = hashlib.sha256(head.encode())
    for name in sorted(metrics):
        digest.update(name.encode())
        digest.update(np.ascontiguousarray(metrics[name]).tobytes())
    digest.update(np.ascontiguousarray(states).tobytes())
    return digest.hexdigest()
