"""What every source offers, and the table of source kinds."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from tft_dash.errors import TftDashError
from tft_dash.frame import SourceDescription
from tft_dash.progress import Progress, silent
from tft_dash.registry import Registry
from tft_dash.schema import Batch

START: Final = -1
"""The cursor before the first tick."""


class Source(Protocol):
    """Where batches come from. Stateless for its readers: a place in it is a value that the reader keeps."""

    def prepare(self, progress: Progress = silent) -> None:
        """Make the other calls cheap; may take long the first time, does nothing afterwards."""
        ...

    def describe(self) -> SourceDescription:
        """What the source is; prepares it if need be."""
        ...

    def read(self, after: int = START, limit: int = 1, *, labels: bool = False) -> Batch:
        """Up to ``limit`` ticks strictly newer than the cursor ``after``.

        The same arguments give the same answer for a recording. The arrays may be views of a memory-mapped file:
        reading a whole recording costs nothing until its values are touched.

        :param labels: whether ``window.phases`` is filled; only for models that read labels.
        """
        ...

    def sample_times(self, after: int = START, limit: int = 1) -> NDArray[np.datetime64]:
        """The samples' own times, UTC, (ticks, servers), for the ticks that :meth:`read` would give.

        NaT where a server has no sample at a tick.
        """
        ...

    def close(self) -> None:
        """Let go of files and connections. Closing twice is fine."""
        ...


@runtime_checkable
class Remote(Protocol):
    """A finite source that lies elsewhere and is read from a copy; what it says of itself asks nobody."""

    def is_here(self) -> bool:
        """Whether there is a copy."""
        ...

    def problem(self) -> TftDashError | None:
        """Why there is no copy; None = nobody has failed to make one."""
        ...

    def outdated(self) -> bool:
        """Whether there is a newer copy than this object reads."""
        ...

    def remarks(self) -> tuple[str, ...]:
        """What a viewer must know of how current the copy is."""
        ...

    def share(self) -> float:
        """How far the copy is that is being made, 0–1."""
        ...

    def local_path(self, progress: Progress = silent) -> Path:
        """Where the copy lies until the source is closed; makes one if there is none."""
        ...

    def watch(self) -> None:
        """Look whether there is something newer, if it is time; may take long."""
        ...


SourceFactory = Callable[..., Any]

SOURCES: Final[Registry[SourceFactory]] = Registry(
    "kind of source",
    {
        "file": "tft_dash.sources.file:FileSource",
        "memory": "tft_dash.sources.memory:MemorySource",
        "object-store": "tft_dash.sources.remote.source:ObjectStoreSource",
    },
    group="tft_dash.sources",
)
