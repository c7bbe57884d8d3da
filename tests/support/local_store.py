"""An object store in a folder, asked in this process: what a store's library would do, with nothing to wait for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from pyarrow import fs

from tft_dash.errors import CancelledError, TftDashError, UnreachableError
from tft_dash.progress import Progress
from tft_dash.sources.remote import objects
from tft_dash.sources.remote.address import shown
from tft_dash.sources.remote.objects import Look


class LocalStore:
    """A store whose buckets are the folders in ``folder``.

    :ivar asked: the addresses that were looked at, in order.
    :ivar down: what is wrong with it; None = it answers.
    :ivar copies: how many times something was copied.
    :ivar meanwhile: called once an object has arrived.
    """

    def __init__(self, folder: Path) -> None:
        self.files = fs.SubTreeFileSystem(str(folder), fs.LocalFileSystem())
        self.asked: list[str] = []
        self.down: TftDashError | None = None
        self.copies = 0
        self.meanwhile: Callable[[], None] = lambda: None

    def fail(self, message: str = "no connection could be made to it.") -> None:
        """Answer nobody any more."""
        self.down = UnreachableError(message)

    def look(self, location: str, _wanted: Callable[[], bool]) -> Look:
        """As :func:`ask_look`."""
        self.asked.append(location)
        if self.down is not None:
            raise self.down
        return objects.look(self.files, self._path(location), shown(location))

    def copy(self, location: str, found: Look, folder: Path, progress: Progress, wanted: Callable[[], bool]) -> Look:
        """As :func:`ask_copy`."""
        if self.down is not None:
            raise self.down
        self.copies += 1
        whole, arrived = sum(one.size for one in found.objects) or 1, 0

        def on_bytes(count: int) -> None:
            nonlocal arrived
            arrived += count
            progress(min(1.0, max(0, arrived) / whole))
            self.meanwhile()
            if not wanted():  # asked last: objects arrive side by side, and this may be the last of them
                raise CancelledError("stopped", 0.0)

        return objects.copy(self.files, found, folder, on_bytes, shown(location))

    @staticmethod
    def _path(location: str) -> str:
        return location.partition("://")[2].partition("?")[0].rpartition("@")[2]
