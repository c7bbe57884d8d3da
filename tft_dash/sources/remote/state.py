"""What was found when an address was last looked at, where all processes find it."""

from __future__ import annotations

import json
import os
import threading
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

_REMEMBERED_SECONDS: Final = 0.5
_NEVER: Final = float("-inf")


@dataclass(frozen=True, slots=True)
class State:
    """What was found when the address was last looked at.

    :param version: the copy that is current; "" = there is none.
    :param looked_at: when that was last known to be what the store has, seconds since 1970; 0 = never.
    :param tried_at: when a look last began.
    :param failing_since: when the first of the looks failed that have failed since; 0 = the last one did not.
    :param problem: why it failed.
    """

    version: str = ""
    looked_at: float = 0.0
    tried_at: float = 0.0
    failing_since: float = 0.0
    problem: str = ""


class NotedState:
    """The state of an address in a file, read again after :data:`_REMEMBERED_SECONDS`.

    :param folder: of the address.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / "state.json"
        self._known = (_NEVER, State())

    def read(self) -> State:
        """The state; an empty one where there is none, or the file is damaged."""
        read_at, state = self._known
        if time.monotonic() - read_at < _REMEMBERED_SECONDS:
            return state
        try:
            state = State(**json.loads(self._path.read_text("utf-8")))
        except (OSError, ValueError, TypeError):
            state = State()
        self._known = (time.monotonic(), state)
        return state

    def forget(self) -> None:
        """Read it anew next time."""
        self._known = (_NEVER, State())

    def write(self, state: State) -> None:
        """Write it down, whole.

        :raises OSError: the folder cannot be written.
        """
        partial = self._path.with_name(f"state.{os.getpid()}-{threading.get_ident()}.partial")
        partial.write_text(json.dumps(asdict(state)), "utf-8")
        partial.replace(self._path)
        self.forget()
