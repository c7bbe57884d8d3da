"""Source + model + tick → :class:`Frame`: a fact, computed once and read by everyone."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import replace
from pathlib import Path
from typing import Final, cast

from tft_dash.artefacts import build_progress
from tft_dash.assessing import Assessed, assess_source, assessed_folder
from tft_dash.background import Background
from tft_dash.errors import NotThereError, TableError
from tft_dash.frame import Frame, ServerTrace, SourceDescription
from tft_dash.models.base import RiskModel
from tft_dash.sources.base import Remote, Source

FRAMES_KEPT: Final = 1024
TRACE_TICKS: Final = 120


class Monitor:
    """Answers with frames from one bounded cache, the same in every process.

    :param cache: folder of derived files, shared by all processes.
    :param background: runs what takes long; a call that meets it raises :class:`NotReadyError`.
    """

    def __init__(self, cache: Path, background: Background) -> None:
        self._cache = cache
        self._background = background
        self._frames: OrderedDict[tuple[str, str, str, int], Frame] = OrderedDict()
        self._lock = threading.Lock()

    def frame(
        self,
        source: Source,
        model: RiskModel,
        tick: int,
        *,
        instead: str | None = None,
        remarks: tuple[str, ...] = (),
        aged: tuple[str, ...] = (),
    ) -> Frame:
        """The frame of one tick.

        :param instead: why this model answers in another one's place.
        :param remarks: what else a viewer must know of it.
        :param aged: why what is read may be older than what there is.

        :raises NotThereError: the recording has no such tick.
        :raises NotReadyError: the recording is being prepared or assessed.
        """
        description = self.describe(source)
        told = " ".join((*remarks, *aged))
        key = (description.name, description.digest, f"{model.card.identity} {instead or ''} {told}", tick)
        with self._lock:
            frame = self._frames.get(key)
            if frame is not None:
                self._frames.move_to_end(key)
                return frame
        frame = self._make(source, description, model, tick)
        frame = replace(frame, instead=instead, remarks=remarks, aged=aged)
        with self._lock:
            self._frames[key] = frame
            while len(self._frames) > FRAMES_KEPT:
                self._frames.popitem(last=False)
        return frame

    def trace(self, source: Source, model: RiskModel, tick: int, server: int) -> ServerTrace:
        """The last :data:`TRACE_TICKS` ticks of one server up to ``tick``."""
        first = max(0, tick - TRACE_TICKS + 1)
        window = source.read(first - 1, tick - first + 1).window
        assessed = self.assessed(source, model)
        metrics = {name: values[:, server] for name, values in window.metrics.items()}
        return ServerTrace(server, first, metrics, assessed.assessments.risk[first : tick + 1, server])

    def describe(self, source: Source) -> SourceDescription:
        """The source's description; prepares the source in the background if need be."""
        copied = source if isinstance(source, Remote) and not source.is_here() else None
        work = "Reading the recording" if copied is None else "Copying the recording"
        share: Callable[[], float] = (lambda: 0.0) if copied is None else copied.share
        return self._background.result(cast(Hashable, source), source.describe, work, share)

    def begin(self, source: Source) -> None:
        """Start to prepare a source whose description is asked for later."""
        self._background.begin(cast(Hashable, source), source.describe)

    def assessed(self, source: Source, model: RiskModel) -> Assessed:
        """Every tick of a recording, judged by ``model``."""
        description = self.describe(source)
        folder = assessed_folder(self._cache, description, model.card)
        job: Callable[[], Assessed] = lambda: assess_source(source, model, self._cache)  # noqa: E731
        return self._background.result(folder, job, "Judging the recording", lambda: build_progress(folder))

    def _make(self, source: Source, description: SourceDescription, model: RiskModel, tick: int) -> Frame:
        ticks = description.ticks or 0
        if ticks == 0:
            raise TableError(f"'{description.name}' has no tick to show.")
        if not 0 <= tick < ticks:
            raise NotThereError(f"'{description.name}' has no tick {tick}; its ticks are 0 to {ticks - 1}.")
        assessed = self.assessed(source, model)
        batch = source.read(tick - 1, 1)
        return Frame(
            source=description,
            card=model.card,
            tick=tick,
            metrics={name: values[0] for name, values in batch.window.metrics.items()},
            states=batch.states[0],
            risk=assessed.assessments.risk[tick],
            driver_metric=assessed.assessments.driver_metric[tick],
            driver_usual=assessed.assessments.driver_usual[tick],
            history=assessed.history(tick),
        )
