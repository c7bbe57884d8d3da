"""Taking a file from a stream to the disk, never more of it than the limit."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, Final

from tft_dash.errors import LimitError, StorageError, UsageError, shorten

CHUNK_BYTES: Final = 1 << 20
_ROOM_STEP: Final = 64 << 20
"""Room is asked for in pieces of this size while a file arrives: others may arrive at the same time."""


def receive_file(
    stream: BinaryIO, place: Path, length: int | None, *, limit_bytes: int, room: Callable[[int], None]
) -> int:
    """Write what ``stream`` gives to ``place``; how many bytes that were.

    :param length: how many bytes are announced; None = not known.
    :raises LimitError: it is larger than ``limit_bytes``, or ``room`` has none.
    :raises UsageError: fewer bytes came than announced.
    :raises OSError: it cannot be written.
    """
    if length is not None:
        if length > limit_bytes:
            raise _too_large(limit_bytes, length)
        room(length)
    size = promised = 0
    with place.open("xb") as file:
        while chunk := stream.read(CHUNK_BYTES):
            size += len(chunk)
            if size > limit_bytes:
                raise _too_large(limit_bytes)
            if size > promised:
                room(_ROOM_STEP if length is None else min(_ROOM_STEP, length - promised))
                promised += _ROOM_STEP
            file.write(chunk)
    if length is not None and size < length:
        raise UsageError(f"The upload ended after {size:,} of {length:,} bytes. Send it again.")
    return size


def _too_large(limit_bytes: int, length: int | None = None) -> LimitError:
    what = "The file is larger" if length is None else f"The file has {length / 1e6:,.1f} MB, more"
    return LimitError(
        f"{what} than the {limit_bytes / 1e6:,.6g} MB that can be uploaded (TFT_DASH_UPLOAD_MB). Split it by time, or "
        "save it as Parquet, which is smaller than CSV."
    )


@contextlib.contextmanager
def storing() -> Iterator[None]:
    """Say in words what keeps an upload from being written."""
    try:
        yield
    except OSError as error:
        raise StorageError(
            f"The upload cannot be stored: {shorten(error.strerror or type(error).__name__)}. "
            "Free some space on the server, or mend the permissions of its data folder."
        ) from error
