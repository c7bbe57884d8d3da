"""A document in a file that is read anew when it changes; while it is broken, what it said before stays in force."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final, Generic, TypeVar

from tft_dash.errors import SourceMissingError, TftDashError, shorten

logger = logging.getLogger(__name__)

LARGEST: Final = 4 << 20
Document = TypeVar("Document")


class WatchedFile(Generic[Document]):
    """The document in a file.

    :param parse: reads its bytes; what the file is called in messages is the second argument.

    :ivar problem: what is wrong with the file as it is now; "" = nothing.
    """

    def __init__(self, path: str, parse: Callable[[bytes, str], Document]) -> None:
        self._path, self._parse = Path(path).expanduser(), parse
        self._seen: tuple[int, int, int] | None = None
        self._document: Document | None = None
        self._lock = threading.Lock()
        self.problem = ""

    def read(self) -> Document:
        """What it says; where it is broken, what it said before.

        :raises TftDashError: it was never readable.
        """
        with self._lock:
            try:
                self._look()
            except TftDashError as error:
                if self._document is None:
                    raise
                if str(error) != self.problem:
                    logger.warning("%s What it said before stays in force.", error)
                self.problem = str(error)
            if self._document is None:
                raise SourceMissingError(self.problem)
            return self._document

    def _look(self) -> None:
        try:
            found = self._path.stat()
            seen = found.st_mtime_ns, found.st_size, found.st_ino
            if seen == self._seen:
                return
            with self._path.open("rb") as file:
                text = file.read(LARGEST)
        except OSError as error:
            self._seen = None  # it may come back as it was
            reason = (error.strerror or type(error).__name__).lower()
            shown = shorten(str(self._path), 200)
            raise SourceMissingError(f"{shown} cannot be read: {reason}. Mend it, or name another file.") from error
        self._seen = seen  # a broken file is not parsed again until it changes
        document = self._parse(text, shorten(str(self._path), 200))
        self._document, self.problem = document, ""
