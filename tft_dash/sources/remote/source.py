"""A recording in an object store, played from its copy in the cache."""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tft_dash.errors import NotReadyError, SourceMissingError, TableError, TftDashError, UnreachableError
from tft_dash.frame import SourceDescription
from tft_dash.progress import Progress, silent
from tft_dash.schema import Batch
from tft_dash.sources.base import START
from tft_dash.sources.file import FileSource
from tft_dash.sources.remote.address import OBJECT_STORE
from tft_dash.sources.remote.asking import ask_copy, ask_look
from tft_dash.sources.remote.copies import Hold
from tft_dash.sources.remote.mirror import LIMIT_BYTES, LOOK_SECONDS, AskCopy, AskLook, Mirror

_COPY_SHARE: Final = 0.5


@dataclass(frozen=True, slots=True)
class _Opened:
    version: str
    path: Path
    hold: Hold
    file: FileSource


class ObjectStoreSource:
    """A CSV or Parquet object, or those below a prefix, copied to the cache and read from there.

    :param location: an address that pyarrow reads: ``s3://…``, ``gs://…``, ``abfs://…``.
    :param name: as it stands in URLs.
    :param cache_folder: where copies and cubes are kept.
    :param look_first: whether the store is looked at before a copy that is there is used; for commands.
    :param look_seconds: at least so long are two looks apart.
    :param limit_bytes: of all copies from object stores together.
    :param ask: how a store is asked what it has, and for a copy.

    What is read stays the same for as long as the object lives, whatever happens in the store;
    :meth:`outdated` tells when another one would read something newer.
    Every method but those that say otherwise prepares the source first, and raises what :meth:`prepare` raises.
    """

    def __init__(
        self,
        location: str,
        *,
        name: str,
        cache_folder: Path,
        look_first: bool = False,
        look_seconds: float = LOOK_SECONDS,
        limit_bytes: int = LIMIT_BYTES,
        ask: tuple[AskLook, AskCopy] = (ask_look, ask_copy),
    ) -> None:
        self._name = name
        self._cache = Path(cache_folder)
        self._look_first = look_first
        self.mirror = Mirror(str(location), self._cache, look_seconds=look_seconds, limit_bytes=limit_bytes, ask=ask)
        self._opened: _Opened | None = None
        self._lock = threading.Lock()

    def prepare(self, progress: Progress = silent) -> None:
        """Copy what lies in the store, unless it is here, and make or open its cube.

        :raises UnreachableError: the store cannot be reached, and there is no copy.
        :raises SourceMissingError: nothing is there.
        :raises TableError: what is there cannot be played; says why and what to do.
        :raises LimitError: it is larger than copies may be.
        :raises StorageError: the cache folder cannot be written.
        """
        self._file(progress)

    def describe(self) -> SourceDescription:
        """What the recording is."""
        about = self._file().describe()
        return replace(about, kind=OBJECT_STORE, notices=(*about.notices, *self.mirror.left_out()))

    def read(self, after: int = START, limit: int = 1, *, labels: bool = False) -> Batch:
        """See :meth:`Source.read`; the arrays are read-only views of memory-mapped files."""
        return self._file().read(after, limit, labels=labels)

    def sample_times(self, after: int = START, limit: int = 1) -> NDArray[np.datetime64]:
        """See :meth:`Source.sample_times`."""
        return self._file().sample_times(after, limit)

    def problem_children(self) -> tuple[bool, ...]:
        """See :meth:`FileSource.problem_children`."""
        return self._file().problem_children()

    def local_path(self, progress: Progress = silent) -> Path:
        """The copy; it stays where it is until :meth:`close`."""
        return self._copy(progress).path

    def is_here(self) -> bool:
        """Whether there is a copy; asks nobody."""
        return self._opened is not None or bool(self.mirror.version())

    def problem(self) -> TftDashError | None:
        """Why there is no copy; None = nobody has failed to make one."""
        said = self.mirror.state().problem
        return UnreachableError(said) if said and not self.is_here() else None

    def outdated(self) -> bool:
        """Whether there is a newer copy than this object reads; asks nobody."""
        opened = self._opened
        return opened is not None and self.mirror.version() not in ("", opened.version)

    def remarks(self) -> tuple[str, ...]:
        """What a viewer must know of how current the copy is; asks nobody, and prepares nothing."""
        return self.mirror.remarks()

    def share(self) -> float:
        """How far the copy is that is being made, 0–1."""
        return self.mirror.share()

    def watch(self) -> None:
        """Look at the store if it is time; may take long, and is for a thread that nobody waits for."""
        self.mirror.look()

    def close(self) -> None:
        """Let go of the copy, and stop to make one. Closing twice is fine."""
        self.mirror.close()
        with self._lock:
            if self._opened is not None:
                self._opened.file.close()
                self._opened.hold.release()
                self._opened = None

    def _file(self, progress: Progress = silent) -> FileSource:
        opened = self._copy(lambda share: progress(_COPY_SHARE * share))
        try:
            opened.file.prepare(lambda share: progress(_COPY_SHARE + (1 - _COPY_SHARE) * share))
        except (TableError, SourceMissingError) as error:
            raise self._told(error, opened.path) from error
        return opened.file

    def _copy(self, progress: Progress) -> _Opened:
        with self._lock:
            if self._opened is None:
                if self.mirror.closed:  # whoever still has this object must not go on with newer data
                    raise NotReadyError(f"Copying {self.mirror.shown} anew", 1.0)
                version, path, hold = self.mirror.open(progress, look_first=self._look_first)
                file = FileSource(path, name=self._name, cache_folder=self._cache)
                self._opened = _Opened(version, path, hold, file)
            return self._opened

    def _told(self, error: TableError | SourceMissingError, path: Path) -> TftDashError:
        """The error with the address in the place of the copy's path."""
        return type(error)(self.mirror.renamed(str(error), path))
