"""The callbacks of the list of datasets: what is known of each, and the scans that fill the gaps one by one."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final
from zlib import crc32

from dash import ClientsideFunction, Dash, Input, Output, no_update

from tft_dash import components, ids
from tft_dash.callbacks.reporting import RETRIED_ERROR
from tft_dash.errors import NotReadyError, TftDashError, shorten
from tft_dash.files import size_and_change
from tft_dash.pages.datasets import DatasetRow, PendingUpload, changed_rows, matching, pending, sorted_rows, table
from tft_dash.pages.inspector.verdict import verdict_of
from tft_dash.pages.wording import Verdict
from tft_dash.services import Services

logger = logging.getLogger(__name__)

ORIGINS: Final = {"configured": "configured", "upload": "upload", "run": "generated drill"}
SCANS_AT_ONCE: Final = 4
SMALL_BYTES: Final = 2_000_000
"""A dataset of this size takes a moment; larger ones are scanned by themselves, after all small ones."""
NOT_SCANNED: Final = Verdict("unknown", "not scanned yet")


class Listing:
    """Answers the list's requests.

    :param services: the sources and what is known of them.
    """

    def __init__(self, services: Services) -> None:
        self._services = services
        # A verdict stands for as long as its file stays as it is, so it is read once and not at every look.
        self._judged: dict[str, tuple[object, DatasetRow]] = {}

    def answer(self, request: Mapping[str, Any]) -> tuple[Any, Any, dict[str, Any]]:
        """The table, or what has changed in it; the uploads that wait; and what the script should know."""
        base = self._services.settings.base_path
        stamps: list[int] = []
        try:
            rows = self.rows()
            busy = scan_next(self._services, rows)
            key, descending = str(request.get("sort") or ""), request.get("descending") is True
            shown = sorted_rows(matching(rows, request.get("search")), key, descending=descending)
            listed = table(shown, base, key=key, descending=descending, total=len(rows))
            stamps = [crc32(repr((key, descending, base)).encode()), *(crc32(repr(row).encode()) for row in shown)]
            changed = _changes(request.get("stamps"), stamps, shown, base) if shown else None
            waiting = pending(_pending(self._services, request.get("known")), base)
            return listed if changed is None else changed, waiting, _told(request, stamps, busy=busy)
        except TftDashError as error:
            banner = components.banner("The list cannot be shown", str(error))
        except Exception:
            logger.exception("a request of the list of datasets failed: %r", request)
            banner = components.banner("Something went wrong", RETRIED_ERROR)
        return banner, [], _told(request, [], busy=False)

    def rows(self) -> list[DatasetRow]:
        """What is known of every source without reading any."""
        names = self._services.recording_names()
        self._judged = {name: known for name, known in self._judged.items() if name in set(names)}
        return [self._row(name) for name in names]

    def _row(self, name: str) -> DatasetRow:
        services = self._services
        try:
            path, origin = services.path(name), services.origin(name)
            looks = (path, origin, *size_and_change(path))
            known = self._judged.get(name)
            if known is not None and known[0] == looks:
                return known[1]
            row = dataset_row(services, name)
        except FileNotFoundError as error:
            return _unreadable(name, f"There is nothing at {error.filename}. Put the file there again.")
        except OSError as error:
            return _unreadable(name, f"{error.filename} cannot be read: {error.strerror}.")
        except NotReadyError as error:
            working = Verdict("working", f"copying {error.progress:.0%}")
            return DatasetRow(name, "—", None, None, None, None, None, None, working, "", removable=False)
        except TftDashError as error:
            return _unreadable(name, str(error))
        if row.verdict.kind in FINAL:
            self._judged[name] = (looks, row)
        return row


FINAL: Final = ("good", "warning", "bad")
"""The kinds of a verdict that is no state of a scan."""


def _changes(known: object, stamps: Sequence[int], shown: Sequence[DatasetRow], base: str) -> Any:  # noqa: ANN401
    """The changed rows alone, where the page has the same rows in the same order; else None."""
    if not isinstance(known, list) or len(known) != len(stamps) or known[0] != stamps[0]:
        return None
    changed = [place for place, (old, new) in enumerate(zip(known, stamps, strict=True)) if old != new]
    if not changed:
        return no_update
    return changed_rows({place - 1: shown[place - 1] for place in changed}, base)


def _told(request: Mapping[str, Any], stamps: Sequence[int], *, busy: bool) -> dict[str, Any]:
    return {"id": request.get("id"), "busy": busy, "stamps": list(stamps)}


def _unreadable(name: str, why: str) -> DatasetRow:
    return DatasetRow(name, "—", None, None, None, None, None, None, Verdict("bad", "cannot be read"), why)


def register_datasets(app: Dash, services: Services) -> None:
    """Add the callbacks of the list to ``app``."""
    listing = Listing(services)

    @app.callback(
        Output(ids.DATASETS_TABLE, "children"),
        Output(ids.DATASETS_PENDING, "children"),
        Output(ids.DATASETS_ANSWER, "data"),
        Input(ids.DATASETS_REQUEST, "data"),
        prevent_initial_call=True,
    )
    def answer(request: dict[str, Any]) -> tuple[Any, Any, dict[str, Any]]:
        return listing.answer(request)

    app.clientside_callback(
        ClientsideFunction("tft_dash", "landDatasets"), Input(ids.DATASETS_ANSWER, "data"), prevent_initial_call=True
    )


def dataset_row(services: Services, name: str) -> DatasetRow:
    """What is known of a source without reading it."""
    path, origin = services.path(name), services.origin(name)
    size, changed = size_and_change(path)
    found, why = _found(services, path)
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
    """Start the next scan, or those of a few small datasets, unless one runs; tells whether one does now."""
    if any(row.verdict.kind == "working" for row in rows):
        return True
    waiting = [row for row in rows if row.verdict == NOT_SCANNED]
    small = [row for row in waiting if (row.bytes or 0) <= SMALL_BYTES]
    for row in small[:SCANS_AT_ONCE] or waiting[:1]:
        services.inspector.start(services.path(row.name))
    return bool(waiting)


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
