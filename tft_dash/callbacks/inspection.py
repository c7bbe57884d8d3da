"""From a page's request to what an inspection shows: each part once the scan has come so far."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

# pyarrow imports pandas when a scan first needs it, in its own thread; what Dash writes at that moment looks into the
# half-imported module and fails.
import pandas as pd  # noqa: F401
from dash import html, no_update

from tft_dash import components, ids
from tft_dash.callbacks.beside import read_drill
from tft_dash.callbacks.reporting import RETRIED_ERROR
from tft_dash.callbacks.rows import described, grid_columns, plain_of
from tft_dash.errors import CancelledError, NotReadyError, TableError, TftDashError
from tft_dash.figures import gaps
from tft_dash.pages.inspector import columns as column_table
from tft_dash.pages.inspector import drill, facts, grid, verdict
from tft_dash.services import Services
from tft_dash.theme import theme_of

if TYPE_CHECKING:
    from tft_dash.inspection.gaps import GapMap
    from tft_dash.inspection.inspector import ScanProgress

logger = logging.getLogger(__name__)

Target = tuple[str, str]
Drawing = dict[Target, Any]

REPORT, COLUMNS, MAP, ROWS = "report", "columns", "map", "rows"
ANSWER: Final = (ids.DATASET_ANSWER, "data")
VERDICT: Final = (ids.DATASET_VERDICT, "children")
MORE_HIDDEN: Final = (ids.DATASET_COLUMNS_MORE, "hidden")
MORE_WORDS: Final = (ids.DATASET_COLUMNS_MORE, "children")
TARGETS: Final[tuple[Target, ...]] = (
    VERDICT,
    (ids.DATASET_FACTS, "children"),
    (ids.DATASET_COLUMNS, "children"),
    MORE_HIDDEN,
    MORE_WORDS,
    (ids.DATASET_MAP, "figure"),
    (ids.DATASET_MAP, "style"),
    (ids.DATASET_MAP_BOX, "hidden"),
    (ids.DATASET_MAP_NOTE, "children"),
    (ids.DATASET_SERVER, "options"),
    (ids.DATASET_DRILL, "children"),
    (ids.DATASET_GRID_PLACE, "children"),
    ANSWER,
)
"""Everything that a request may change, in the order in which the callback returns it."""


class Inspections:
    """Answers the requests of an inspection's page.

    :param services: where reports and rows come from.
    """

    def __init__(self, services: Services) -> None:
        self._services = services
        self._parts: Mapping[str, Callable[[str, Path, Mapping[str, Any]], Drawing]] = {
            REPORT: self._report,
            COLUMNS: self._columns,
            MAP: self._map,
            ROWS: self._rows,
        }

    def answer(self, asked: object) -> list[Any]:
        """The values of :data:`TARGETS` for a request of the page; what need not change is ``no_update``."""
        request = asked if isinstance(asked, Mapping) else {}
        drawing: Drawing = dict.fromkeys(TARGETS, no_update)
        said: dict[str, Any] = {"id": request.get("id"), "state": "done", "drawn": {}}
        drawing[ANSWER] = said
        try:
            self._draw(request, drawing, said)
        except NotReadyError as error:  # it is on its way here
            drawing[VERDICT] = []
            said |= {"state": "copying", "share": error.progress, "words": f"{error.what}: {error.progress:.0%} done."}
        except TftDashError as error:
            drawing[VERDICT] = components.banner("This dataset cannot be inspected", str(error))
            said["state"] = "error"
        except Exception:
            logger.exception("a request of the inspector failed: %r", request)
            drawing[VERDICT] = components.banner("Something went wrong", RETRIED_ERROR)
            said["state"] = "error"
        return [drawing[target] for target in TARGETS]

    def _draw(self, request: Mapping[str, Any], drawing: Drawing, said: dict[str, Any]) -> None:
        """Draw the parts that the page lacks, in their order, up to the first that is not ready."""
        name = str(request.get("name"))
        path = self._services.path(name)
        self._act(request.get("action"), path)
        wanted, drawn = _mapping(request.get("wanted")), _mapping(request.get("drawn"))
        for part, draw in self._parts.items():
            if part not in wanted or wanted[part] == drawn.get(part):
                continue
            try:
                made = draw(name, path, request)
            except NotReadyError as error:
                said |= running(self._services.inspector.progress(path), error.progress)
                return
            except CancelledError:
                if part == REPORT:
                    drawing[VERDICT] = html.P("There is no verdict: the scan was stopped.", className="quiet")
                said |= cancelled(self._services.inspector.progress(path))
                return
            except TableError:
                # The verdict says why; the other parts may be there all the same.
                made = _nothing(part)
            said["map"] = made.pop(ANSWER, said.get("map"))
            drawing.update(made)
            said["drawn"][part] = wanted[part]

    def _act(self, action: object, path: Path) -> None:
        if action == "cancel":
            self._services.inspector.cancel(path)
        elif action == "retry":
            self._services.inspector.retry(path)

    def _report(self, name: str, path: Path, _request: Mapping[str, Any]) -> Drawing:
        # The rest takes longer than the verdict, and is asked for next.
        self._services.inspector.start(path)
        # On a portal nobody needs to know in which of its folders a file lies.
        report = replace(self._services.inspector.report(path), path=path.name)
        base = self._services.settings.base_path
        # The report on what is no metrics table has no facts; its file has some all the same.
        known = {**self._services.inspector.file_facts(path), **report.facts}
        rows = report.facts.get("rows")
        scanned = "whole" if rows is None else f"whole, {rows:,} {'row' if rows == 1 else 'rows'}"
        return {
            VERDICT: verdict.verdict(report, base, name),
            (ids.DATASET_FACTS, "children"): facts.facts(known, scanned),
        }

    def _columns(self, _name: str, path: Path, request: Mapping[str, Any]) -> Drawing:
        asked = _mapping(request.get("columns"))
        words, limit = str(asked.get("words") or ""), asked.get("limit")
        limit = limit if isinstance(limit, int) and limit > 0 else column_table.SHOWN
        found = column_table.found(self._services.inspector.columns(path), words)
        more = column_table.more_words(limit, len(found))
        return {
            (ids.DATASET_COLUMNS, "children"): column_table.table(found, limit),
            MORE_HIDDEN: more is None,
            MORE_WORDS: more or "",
        }

    def _map(self, _name: str, path: Path, request: Mapping[str, Any]) -> Drawing:
        found = self._services.inspector.gaps(path)
        shown = shown_gaps(found)
        return {
            (ids.DATASET_MAP, "figure"): gaps.figure(shown, theme_of(request.get("theme"))),
            (ids.DATASET_MAP, "style"): {"height": f"{gaps.height(len(found.servers))}px"},
            (ids.DATASET_MAP_BOX, "hidden"): False,
            (ids.DATASET_MAP_NOTE, "children"): [_map_words(found), gaps.legend()],
            ANSWER: {
                "servers": list(found.servers),
                "names": gaps.row_names(found.servers),
                "start_ms": int(found.start.astype("datetime64[ms]").astype(np.int64)),
                "bucket_ms": found.bucket_seconds * 1000,
                "ticks": found.first_tick.tolist(),
            },
        }

    def _rows(self, name: str, path: Path, request: Mapping[str, Any]) -> Drawing:
        columns = grid_columns(self._services.inspector.rows(path))
        about = described(self._services, name)
        found = None if about is None else read_drill(path, about, tuple(column.name for column in columns))
        servers = () if about is None else about.servers
        return {
            (ids.DATASET_GRID_PLACE, "children"): grid.layout(columns, plain_of(request.get("view"))),
            (ids.DATASET_SERVER, "options"): [components.entry(name) for name in servers],
            (ids.DATASET_DRILL, "children"): [] if found is None else drill.drill(found, *self._address(name)),
        }

    def _address(self, name: str) -> tuple[str, str]:
        return self._services.settings.base_path, name


def _nothing(part: str) -> Drawing:
    """What stands in the place of a part that a table does not have."""
    words = html.P("There is nothing to show here; the verdict says why.", className="quiet")
    if part == MAP:
        return {(ids.DATASET_MAP_NOTE, "children"): words, (ids.DATASET_MAP_BOX, "hidden"): True}
    return {(ids.DATASET_COLUMNS if part == COLUMNS else ids.DATASET_GRID_PLACE, "children"): words}


def running(progress: ScanProgress, share: float) -> dict[str, Any]:
    """What the page says while a scan runs."""
    words = progress.words if progress.state == "running" else f"{share:.0%} done."
    return {"state": "running", "share": max(share, progress.share), "words": f"Scanning: {words}"}


def cancelled(progress: ScanProgress) -> dict[str, Any]:
    """What the page says after somebody has stopped a scan."""
    return {"state": "cancelled", "share": progress.share, "words": progress.words}


def shown_gaps(found: GapMap) -> gaps.Gaps:
    """The scan's map as the figure takes it."""
    starts = np.round(np.arange(len(found.expected)) * found.bucket_seconds * 1000).astype("timedelta64[ms]")
    return gaps.Gaps(
        servers=found.servers,
        times=found.start.astype("datetime64[ms]") + starts,
        bucket_seconds=found.bucket_seconds,
        expected=found.expected,
        present=found.present,
        duplicate=found.duplicate,
        offline=found.offline,
        first_ticks=found.first_tick,
    )


def _map_words(found: GapMap) -> str:
    shown, total = len(found.servers), found.total_servers
    servers = f"{total:,} {'server' if total == 1 else 'servers'}"
    if shown < total:
        servers = f"The worst {shown:,} of {servers}"
    return f"{servers}, {components.span_words(found.bucket_seconds)} a cell. A click shows the server at that time."


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
