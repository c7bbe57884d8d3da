"""What lies beside a recording: the generator's metadata, the scenario document, labels."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from tft_dash.components import duration
from tft_dash.frame import SourceDescription
from tft_dash.pages.inspector.drill import Drill
from tft_dash.schema import LABEL_COLUMNS

_SIDE_FILE_LIMIT: Final = 1 << 20
_FACTS: Final = (
    ("scenario", "Scenario"),
    ("seed", "Seed"),
    ("generator_version", "Generator"),
    ("duration_seconds", "Duration (s)"),
    ("tick_seconds", "Tick (s)"),
    ("fleet_size", "Fleet"),
)


def read_drill(path: Path, about: SourceDescription, columns: tuple[str, ...]) -> Drill | None:
    """What the files beside ``path`` say; None when there is nothing to say.

    :param columns: the names of the recording's columns.
    """
    metadata = _text(path.with_name(f"{path.stem}_metadata.json"))
    document = _text(path.with_name(f"{path.stem}.scenario.yaml"))
    side_labels = _text(path.with_name(f"{path.stem}_labels.json"))
    labels: list[str] = [name for name in LABEL_COLUMNS if name in columns]
    if side_labels:
        labels.append(f"{path.stem}_labels.json")
    if not (metadata or document or labels or about.simulated):
        return None
    said = _object(metadata)
    affected = said.get("affected_servers")
    return Drill(
        simulated=about.simulated or bool(document),
        title=about.title if about.simulated else "",
        description=str(said.get("description") or ""),
        facts=[(label, str(said[key])) for key, label in _FACTS if said.get(key) is not None],
        phases=_phases(about),
        affected=[str(name) for name in affected] if isinstance(affected, list) else [],
        labels=labels,
        metadata=metadata,
        label_document=side_labels,
        document=document,
    )


def _phases(about: SourceDescription) -> list[tuple[str, str, str]]:
    step = about.step_seconds
    whole = (about.ticks or 1) * step
    return [
        (phase.name, duration(phase.first * step, whole), duration((phase.last + 1) * step, whole))
        for phase in about.phases
    ]


def _text(path: Path) -> str:
    try:
        if not path.is_file() or path.stat().st_size > _SIDE_FILE_LIMIT:
            return ""
        return path.read_text("utf-8", errors="replace")
    except OSError:
        return ""


def _object(text: str) -> Mapping[str, Any]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
