"""A drill as files: made, and recognised as made from a certain document."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Collection
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from tft_dash.errors import DocumentError, SettingError, shorten
from tft_dash.progress import Progress, silent
from tft_dash.scenarios.document import Scenario, parse_document, to_yaml
from tft_dash.scenarios.format.fields import SLUG_PATTERN
from tft_dash.scenarios.generate import drill_blocks
from tft_dash.scenarios.writing.atomic import FileSet, file_set
from tft_dash.scenarios.writing.csv_text import HEADER, CsvText
from tft_dash.scenarios.writing.metadata import brief, describe
from tft_dash.scenarios.writing.parquet import METADATA_KEY, ParquetDrill

FORMATS: Final = ("csv", "parquet")


@dataclass(frozen=True, slots=True)
class DrillFiles:
    """Where a drill's files lie; a form that was not asked for is None.

    :param csv_sha256: of the CSV form, whether or not it was kept.
    """

    csv: Path | None
    parquet: Path | None
    metadata: Path
    document: Path
    rows: int
    csv_sha256: str

    @property
    def paths(self) -> tuple[Path, ...]:
        """All the files, the one to open first: Parquet where there is one."""
        return tuple(path for path in (self.parquet, self.csv, self.metadata, self.document) if path is not None)


def generate_drill(
    scenario: Scenario,
    folder: Path,
    name: str | None = None,
    formats: Collection[str] = FORMATS,
    progress: Progress = silent,
) -> DrillFiles:
    """Write the drill that ``scenario`` determines into ``folder``, which is made if need be.

    The files ``<name>.csv``, ``.parquet``, ``.scenario.yaml`` and ``_metadata.json`` appear whole or not at all. What
    an earlier drill of that name left in a form that is not asked for now is removed: it would tell another story.

    :param name: of the files; the scenario's own where none is given.
    :raises SettingError: the name or a format is not possible.
    :raises StorageError: the folder cannot be written to, or the disk is full.
    """
    name = scenario.name if name is None else name
    _check(name, formats)
    with file_set(folder) as files:
        digest, size = _write_rows(files, scenario, name, formats, progress)
        files.write(f"{name}.scenario.yaml", to_yaml(scenario))
        facts = {**describe(scenario), "name": name, "csv_sha256": digest, "csv_bytes": size}
        files.write(f"{name}_metadata.json", json.dumps(facts, indent=2, sort_keys=True, ensure_ascii=False) + "\n")
        for form in set(FORMATS) - set(formats):
            (folder / f"{name}.{form}").unlink(missing_ok=True)
    spec = scenario.spec
    return DrillFiles(
        folder / f"{name}.csv" if "csv" in formats else None,
        folder / f"{name}.parquet" if "parquet" in formats else None,
        folder / f"{name}_metadata.json",
        folder / f"{name}.scenario.yaml",
        spec.clock.ticks * spec.fleet.size,
        digest,
    )


def is_current(folder: Path, name: str, scenario: Scenario, formats: Collection[str] = FORMATS) -> bool:
    """Whether the files of that name come from exactly this document, by this generator, and are whole.

    The CSV is compared by digest, the Parquet by what its footer says; nothing is generated.
    """
    try:
        found = json.loads((folder / f"{name}_metadata.json").read_text("utf-8"))
        document = parse_document((folder / f"{name}.scenario.yaml").read_text("utf-8"), name)
        due = {**describe(scenario), "name": name}
        return (
            document == scenario
            and isinstance(found, dict)
            and {key: found.get(key) for key in due} == due
            and ("csv" not in formats or _csv_matches(folder / f"{name}.csv", found))
            and ("parquet" not in formats or _parquet_matches(folder / f"{name}.parquet", scenario))
        )
    except (OSError, ValueError, DocumentError, pa.ArrowException):
        return False


def _check(name: str, formats: Collection[str]) -> None:
    if not re.fullmatch(SLUG_PATTERN, name):
        raise SettingError(
            f"A drill cannot be called '{shorten(name)}': use 1 to 64 of a–z, 0–9, - and _, "
            "starting with a letter or digit."
        )
    unknown = set(formats) - set(FORMATS)
    if unknown or not formats:
        asked = f"'{shorten(sorted(unknown)[0])}'" if unknown else "none"
        raise SettingError(f"A drill is written as {' or '.join(FORMATS)}, or both; asked for: {asked}.")


def _write_rows(
    files: FileSet, scenario: Scenario, name: str, formats: Collection[str], progress: Progress
) -> tuple[str, int]:
    """Write the rows in every form; returns the CSV's SHA-256 and size."""
    spec = scenario.spec
    digest, size, text = hashlib.sha256(HEADER), len(HEADER), CsvText(spec)
    csv = files.begin(f"{name}.csv") if "csv" in formats else None
    if csv is not None:
        csv.write(HEADER)
    with ExitStack() as stack:
        parquet = None
        if "parquet" in formats:
            parquet = stack.enter_context(ParquetDrill(spec, files.begin(f"{name}.parquet")))
            parquet.describe(brief(scenario))
        for block in drill_blocks(spec):
            lines = text.lines(block)
            digest.update(lines)
            size += len(lines)
            if csv is not None:
                csv.write(lines)
            if parquet is not None:
                parquet.write(block)
            progress((block.first + block.ticks) / spec.clock.ticks)
    return digest.hexdigest(), size


def _csv_matches(path: Path, facts: dict[str, Any]) -> bool:
    if path.stat().st_size != facts.get("csv_bytes"):
        return False
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() == facts.get("csv_sha256")


def _parquet_matches(path: Path, scenario: Scenario) -> bool:
    footer = pq.read_metadata(path)
    said = json.loads((footer.metadata or {}).get(METADATA_KEY.encode(), b"null"))
    return footer.num_rows == scenario.spec.clock.ticks * scenario.spec.fleet.size and said == brief(scenario)
