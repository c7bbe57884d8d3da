"""The process that speaks with a store: ``python -m tft_dash.sources.remote.child``, its order on stdin.

A store's library may wait for minutes, starts threads of its own and cannot be interrupted; a process can be ended.
The order does not stand on the command line, where everybody could read it: it may hold a password.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
from pyarrow import fs

from tft_dash.sources.remote import objects
from tft_dash.sources.remote.address import encoded, shown
from tft_dash.sources.remote.failures import in_words

LOOK: Final = "look"
COPY: Final = "copy"


def main() -> int:
    """Do what the order says, and tell the outcome, one JSON object a line."""
    order: dict[str, Any] = json.loads(sys.stdin.readline())
    location = order["location"]
    try:
        files, path = fs.FileSystem.from_uri(encoded(location))
        _tell(_done(files, path, order))
    except Exception as error:  # noqa: BLE001 - the edge of the process: whoever waits is told in words
        said = in_words(error, location, pa.__version__)
        _tell({"error": type(said).__name__, "message": str(said)})
    return 0


def _done(files: fs.FileSystem, path: str, order: dict[str, Any]) -> dict[str, Any]:
    what = shown(order["location"])
    if order["task"] == LOOK:
        return {"look": objects.look(files, path, what).as_dict()}
    lock = threading.Lock()
    arrived = 0

    def on_bytes(count: int) -> None:
        nonlocal arrived
        with lock:
            arrived += count
            _tell({"bytes": arrived})

    copied = objects.copy(files, objects.Look.from_dict(order["look"]), Path(order["folder"]), on_bytes, what)
    return {"look": copied.as_dict()}


def _tell(answer: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    status = main()
    sys.stdout.flush()
    # Not by the usual way out, where the store's library may wait for its own threads.
    os._exit(status)
