"""The callbacks of the list of datasets: what is known of each, and the scans that fill the gaps one by one."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from dash import ClientsideFunction, Dash, Input, Output

from tft_dash import components, ids
from tft_dash.callbacks.reporting import RETRIED_ERROR
from tft_dash.errors import TftDashError, shorten
from tft_dash.pages.datasets import DatasetRow, PendingUpload, matching, pending, sorted_rows, table
from tft_dash.pages.inspector.verdict import verdict_of
from tft_dash.pages.wording import Verdict
from tft_dash.services import Services

logger = logging.getLogger(__name__)

ORIGINS: Final = {"configured": "configured", "upload": "upload", "run": "generated drill"}
NOT_SCANNED: Final = Verdict("unknown", "not scanned yet")


def register_datasets(app: Dash, services: Services) -> None:
    """Add the callbacks of the list to ``app``."""
    app.clientside_callback(
        ClientsideFunction("tft_dash", "gateDatasets"),
        Output(ids.DATASETS_REQUEST, "data"),
        Input(ids.DATASETS_CLOCK, "n_intervals"),
        Input(ids.DATASETS_SEARCH, "value"),
    )

    @app.callback(
        Output(ids.DATASETS_TABLE, "children"),
        Output(ids.DATASETS_PENDING, "children"),
        Output(ids.DATASETS_ANSWER, "data"),
        Input(ids.DATASETS_REQUEST, "data"),
        prevent_initial_call=True,
    )
    def answer(request: dict[str, Any]) -> tuple[Any, Any, dict[str, Any]]:
        return _answer(services, request)

    app.clientside_callback(
        ClientsideFunction("tft_dash", "landDatasets"), Input(ids.DATASETS_ANSWER, "data"), prevent_initial_call=True
    )


def _answer(services: Services, request: Mapping[str, Any]) -> tuple[Any, Any, dict[str, Any]]:
    base = services.settings.base_path
    try:
        names = services.source_names()
        rows = [dataset_row(services, name) for name in names]
        busy = scan_next(services, rows)
        key, descending = str(request.get("sort") or ""), request.get("descending") is True
        shown = sorted_rows(matching(rows, request.get("search")), key, descending=descending)
        listed = table(shown, base, key=key, descending=descending, total=len(rows))
        waiting = pending(_pending(services, request.get("known")), base)
    except TftDashError as error:
        listed, waiting, busy = components.banner("The list cannot be shown", str(error)), [], False
    except Exception:
        logger.exception("a request of the list of datasets failed: %r", request)
        listed, waiting, busy = components.banner("Something went wrong", RETRIED_ERROR), [], False
    return listed, waiting, {"id": request.get("id"), "busy": busy}


def dataset_row(services: Services, name: str) -> DatasetRow:
    """What is known of a source without reading it."""
    try:
        path, origin = services.path(name), services.origin(name)
        size, changed = _disk(path)
        found, why = _found(services, path)
    except (TftDashError, OSError) as error:
        return DatasetRow(name, "—", None, None, None, None, None, None, Verdict("bad", "cannot be read"), str(error))
    facts: Mapping[str, Any] = {} if isinstance(found, Verdict) else found.facts
    verdict = found if isinstance(found, Verdict) else verdict_of(found)
    return DatasetRow(
        name=name,
        kind=_kind(path, origin),
        servers=facts.get("servers"),
        rows=facts.get("rows"),
        span_seconds=facts.get("span_seconds"),
        step_seconds=facts.get("step_seconds"),
        bytes=size,
        changed=changed,
        verdict=verdict,
        why=why,
        removable=origin != "configured",
    )


def _kind(path: Path, origin: str) -> str:
    drill = origin == "configured" and path.with_name(f"{path.stem}.scenario.yaml").is_file()
    return "drill" if drill else ORIGINS.get(origin, origin)


def _found(services: Services, path: Path) -> tuple[Any, str]:
    """The report that is there already, or the state of the scan; and why it cannot be read, if it cannot."""
    report = services.inspector.known_report(path)
    if report is not None:
        unreadable = [found for found in report.findings if found.rule == "unreadable-table"]
        return (Verdict("bad", "cannot be read"), unreadable[0].sentence) if unreadable else (report, "")
    progress = services.inspector.progress(path)
    if progress.state == "running":
        return Verdict("working", f"scanning {progress.share:.0%}"), ""
    if progress.state == "cancelled":
        return Verdict("unknown", f"scan cancelled at {progress.share:.0%}"), ""
    return NOT_SCANNED, ""


def scan_next(services: Services, rows: Sequence[DatasetRow]) -> bool:
    """Start the scan of the first dataset without one, unless a scan runs; tells whether one does now."""
    if any(row.verdict.kind == "working" for row in rows):
        return True
    for row in rows:
        if row.verdict == NOT_SCANNED:
            services.inspector.start(services.path(row.name))
            return True
    return False


def _disk(path: Path) -> tuple[int, float]:
    """Bytes and last change of a file, or of all files in a folder."""
    files = [each for each in path.rglob("*") if each.is_file()] if path.is_dir() else [path]
    found = [each.stat() for each in files]
    return sum(status.st_size for status in found), max((status.st_mtime for status in found), default=0.0)


def _pending(services: Services, known: object) -> list[PendingUpload]:
    """Uploads that wait for somebody, without those whose own line the page shows."""
    shown = known if isinstance(known, list) else []
    words = {
        "needs-mapping": "its columns are not mapped yet",
        "working": "is being imported",
        "received": "was received, but not looked at yet",
    }
    return [
        PendingUpload(
            id=upload.id,
            filename=upload.label,
            words=words.get(upload.state) or shorten(upload.message.removeprefix(upload.label).strip(), 400),
            state=upload.state,
        )
        for upload in services.uploads.pending()
        if upload.id not in shown
    ]
