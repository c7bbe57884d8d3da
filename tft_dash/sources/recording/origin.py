"""Where a recording comes from: what its generator wrote about it, in the file or beside it."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tft_dash.errors import shorten
from tft_dash.sources.files.tables import Table
from tft_dash.sources.findings import Findings

METADATA_KEY: Final = b"tft_dash"
_SIDE_FILE_LIMIT: Final = 1 << 20
_TITLE_LIMIT: Final = 120
_GENERATOR_KEYS: Final = ("scenario", "generator", "generator_version")


@dataclass(frozen=True, slots=True)
class Origin:
    """What is declared about a recording.

    :param step_seconds: time between ticks; None = not declared.
    :param tick_wall_seconds: seconds a tick takes on the page at speed 1; None = not declared.
    """

    simulated: bool = False
    title: str | None = None
    step_seconds: float | None = None
    tick_wall_seconds: float | None = None


def read_origin(path: Path, tables: Sequence[Table], digests: Sequence[str], findings: Findings) -> Origin:
    """The declaration in the tables' own metadata, or in ``<stem>_metadata.json`` beside a single file."""
    for table in tables:
        written = table.metadata.get(METADATA_KEY)
        if written is not None:
            declared = _document(written, f"The metadata in {shorten(table.label)}", findings)
            if declared is not None:
                return _origin(declared, findings)
    if path.is_dir():
        return Origin()
    declared = _side_file(path, findings)
    if declared is not None and (any(key in declared for key in _GENERATOR_KEYS) or _names(declared, digests)):
        return _origin(declared, findings)
    return Origin()


def _side_file(path: Path, findings: Findings) -> Mapping[str, Any] | None:
    side = path.with_name(f"{path.stem}_metadata.json")
    try:
        if not side.is_file() or side.stat().st_size > _SIDE_FILE_LIMIT:
            return None
        written = side.read_bytes()
    except OSError as error:
        findings.note("bad-metadata", side.name, detail=f"{shorten(side.name)} cannot be read ({error.strerror})")
        return None
    return _document(written, shorten(side.name), findings)


def _document(written: bytes, what: str, findings: Findings) -> Mapping[str, Any] | None:
    try:
        found = json.loads(written)
    except (ValueError, RecursionError):
        found = None
    if isinstance(found, dict):
        return found
    findings.note("bad-metadata", what, detail=f"{what} is not a JSON object")
    return None


def _names(declared: object, digests: Sequence[str]) -> bool:
    """Whether one of ``digests`` stands anywhere in a document."""
    if isinstance(declared, dict):
        return any(_names(value, digests) for value in declared.values())
    if isinstance(declared, list):
        return any(_names(value, digests) for value in declared)
    return isinstance(declared, str) and declared in digests


def _origin(declared: Mapping[str, Any], findings: Findings) -> Origin:
    title = declared.get("title")
    step = _positive(declared, "tick_seconds", findings)
    speed = _positive(declared, "playback_speed", findings)
    return Origin(
        simulated=True,
        title=shorten(title, _TITLE_LIMIT) if isinstance(title, str) and title.strip() else None,
        step_seconds=step,
        tick_wall_seconds=step / speed if step is not None and speed is not None else None,
    )


def _positive(declared: Mapping[str, Any], key: str, findings: Findings) -> float | None:
    value = declared.get(key)
    if value is None:
        return None
    if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value) and value > 0:
        return float(value)
    findings.note("bad-metadata", key, detail=f"The metadata's {key} is {shorten(str(value))}, not a positive number")
    return None
