"""What the guarded process does with an upload: take it in, or show what a mapping would make of it."""

from __future__ import annotations

import importlib
import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tft_dash.errors import TableError
from tft_dash.importing.convert import convert
from tft_dash.importing.fit import fit_problems
from tft_dash.importing.foreign import open_foreign
from tft_dash.importing.guarded.desk import NEEDS_MAPPING, READY, REFUSED, Desk
from tft_dash.importing.guarded.publishing import ABOUT
from tft_dash.importing.guarded.signature import signature_of
from tft_dash.importing.guarded.sizes import demand_size
from tft_dash.importing.losses import Losses
from tft_dash.importing.mapping import Mapping, read_mapping, to_yaml
from tft_dash.importing.preview import preview_mapping
from tft_dash.importing.proposal import changes_nothing, propose
from tft_dash.progress import Progress
from tft_dash.schema import METRIC_NAMES, SERVER_NAME, TIMESTAMP
from tft_dash.sources.files.tables import open_table
from tft_dash.sources.library import open_recording

Outcome = dict[str, Any]


def admit(job: Outcome, desk: Desk, progress: Progress) -> Outcome:
    """Make the dataset, with the mapping if there is one, else as the file is.

    :raises TftDashError: it cannot be; says why.
    """
    shutil.rmtree(desk.dataset, ignore_errors=True)
    desk.dataset.mkdir()
    # Messages name the file by a path: seen from here that is its own name, and no folder of the server's.
    os.chdir(desk.dataset)
    source = _named(desk, job)
    demand_size(source, job["limit_bytes"])
    mapping = read_mapping(desk.text("mapping.yaml") or "", "The mapping") if job["mapping"] else None
    if mapping is None:
        return _as_it_is(source, job, desk, progress)
    return _converted(source, mapping, job, desk, progress)


def preview(job: Outcome, desk: Desk, progress: Progress) -> Outcome:
    """The first rows before and after the mapping; of the proposed one where none is given."""
    os.chdir(desk.folder)
    given = job.get("document")
    source = Path(job["file"])
    if not source.exists():
        _link(desk.original, source)
    demand_size(source, job["limit_bytes"])
    mapping = read_mapping(given, "The mapping") if given is not None else propose(source)
    shown = preview_mapping(source, mapping, rows=int(job.get("rows", 8)))
    progress(1.0)
    return {"state": READY, "preview": shown.as_dict(), "mapping": to_yaml(mapping)}


def _named(desk: Desk, job: Outcome) -> Path:
    """The upload under a name that fits messages: its own, made safe, with the ending of what it is."""
    place = Path(job["file"])
    if not place.exists():
        _link(desk.original, place)
    return place


def _link(original: Path, place: Path) -> None:
    try:
        os.link(original, place)
    except OSError:
        shutil.copyfile(original, place)  # the file system knows no links


def _as_it_is(path: Path, job: Outcome, desk: Desk, progress: Progress) -> Outcome:
    reason = _contract_problem(path)
    if not reason:
        reason = _unreadable(path, job, lambda share: progress(share * 0.6))
    if not reason:
        _finish(path, job, desk, progress, mapped=False)
        return {"state": READY, "message": ""}
    proposal = propose(path)
    foreign = open_foreign(path, proposal.spec.csv)
    problems = fit_problems(foreign, proposal)
    if changes_nothing(proposal) and not problems:
        return {"state": REFUSED, "message": reason}
    desk.write_text("proposal.yaml", to_yaml(proposal))
    signature, columns = signature_of(path, proposal)
    desk.write("signature.json", {"signature": signature, "columns": list(columns)})
    return {"state": NEEDS_MAPPING, "message": _amiss(path, reason)}


def _contract_problem(path: Path) -> str:
    """Why a file is no table of the contract by its header alone; empty when it is one."""
    try:
        table = open_table(path)
    except TableError as error:
        return str(error)
    lacking = [name for name in (TIMESTAMP, SERVER_NAME) if name not in table.types]
    if not any(name in table.types for name in METRIC_NAMES):
        lacking.append("metric column")
    return f"It has no {', no '.join(lacking)} by the contract's name." if lacking else ""


def _unreadable(path: Path, job: Outcome, progress: Progress) -> str:
    """Why a table cannot be played; empty when it can, and then what is made of it stays in the cache."""
    try:
        open_recording(path, Path(job["cache"]), step_seconds=None, progress=progress)
    except TableError as error:
        return str(error)
    return ""


def _converted(source: Path, mapping: Mapping, job: Outcome, desk: Desk, progress: Progress) -> Outcome:
    table, losses = Path(f"{job['name']}.parquet"), Losses()
    original = Path(f"original{source.suffix}")
    source.rename(original)
    rows = convert(original, mapping, table, lambda share: progress(share * 0.5), losses=losses)
    reason = _unreadable(table, job, lambda share: progress(0.5 + share * 0.3))
    notes = " ".join(losses.words())
    if reason:
        return {"state": NEEDS_MAPPING, "message": f"{notes} {reason}".strip()}
    Path("mapping.yaml").write_text(to_yaml(mapping), "utf-8")
    _finish(table, job, desk, progress, mapped=True)
    return {"state": READY, "message": f"{rows:,} rows were imported. {notes}".strip()}


def _finish(table: Path, job: Outcome, desk: Desk, progress: Progress, *, mapped: bool) -> None:
    if job.get("prepare"):
        _called(job["prepare"])(table.absolute(), Path(job["cache"]), lambda share: progress(0.8 + share * 0.2))
    about = {key: job[key] for key in ("label", "bytes", "received")}
    Desk(desk.dataset).write(ABOUT, {**about, "file": str(table), "mapping": mapped})


def _called(spec: str) -> Callable[[Path, Path, Progress], object]:
    """The function that ``module:function`` names."""
    module, _, name = spec.partition(":")
    found: Callable[[Path, Path, Progress], object] = getattr(importlib.import_module(module), name)
    return found


def _amiss(path: Path, reason: str) -> str:
    """What is amiss, without the file's name and the advice how to mend it: a mapping will do."""
    first = re.split(r"(?<=\.)\s+(?=[A-Z])", reason, maxsplit=1)[0]
    about, named, rest = first.partition(str(path))
    if named and not about:
        first = rest[2:].capitalize() if rest.startswith(": ") else f"It{rest}"
    return f"{first if len(first) < 400 else f'{first[:400]}…'} A mapping says how to read it."
