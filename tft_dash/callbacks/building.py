"""From the builder's requests to what its page shows: the form, the preview, and how far a run is."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Mapping
from typing import Any, Final

import orjson
from dash import no_update
from dash.development.base_component import Component

from tft_dash import components, ids
from tft_dash.callbacks.documents import author_of, guarded, read_plain
from tft_dash.callbacks.reporting import OWN_ERROR
from tft_dash.errors import DocumentError, TftDashError
from tft_dash.figures.preview import FIGURES
from tft_dash.pages import builder
from tft_dash.pages.builder import answers
from tft_dash.previews import Preview
from tft_dash.recordings import recording_name
from tft_dash.runs import Run
from tft_dash.scenarios.document import document_digest
from tft_dash.schema import readable
from tft_dash.services import Services
from tft_dash.theme import theme_of

logger = logging.getLogger(__name__)

Request = Mapping[str, Any]
WHAT: Final = "the document"
FORM_TARGETS: Final = (
    *((builder.part_id(name), "children") for name in builder.PARTS),
    (ids.BUILDER_FORMED, "data"),
)
PREVIEW_TARGETS: Final = (
    *((component, "figure") for component in FIGURES),
    (ids.BUILDER_OUTCOMES, "children"),
    (ids.BUILDER_NOTICE, "children"),
    (ids.BUILDER_MODEL_NOTE, "children"),
    (ids.BUILDER_ANSWER, "data"),
)
RUN_TARGETS: Final = (
    (ids.BUILDER_RUN, "className"),
    (ids.BUILDER_RUN_WORDS, "children"),
    (ids.BUILDER_RUN_BAR, "style"),
    (ids.BUILDER_RUN_LINK, "href"),
    (ids.BUILDER_RUN_RESULT, "data"),
)
RUN_WORDS: Final = {
    "done": "The recording is ready.",
    "cancelled": "The run was cancelled.",
    "failed": "The run failed.",
}


class Building:
    """Answers the builder's requests.

    :param services: the previews and the runs.
    """

    def __init__(self, services: Services) -> None:
        self._services = services

    def form(self, request: object) -> list[Any]:
        """The values of :data:`FORM_TARGETS`: of the parts that are asked for, those that differ from what is drawn.

        A browser is as quick as its page is short: what is drawn and not asked for is taken away.
        """
        asked = _group(request)
        wanted = asked.get("parts")
        names = [name for name in wanted if name in builder.PARTS] if isinstance(wanted, list) else builder.PARTS
        drawn, formed = _group(asked.get("formed")), dict[str, str]()
        shown: dict[tuple[str, str], Any] = dict.fromkeys(FORM_TARGETS, no_update)
        shown.update({(builder.part_id(name), "children"): [] for name in builder.PARTS if name in drawn})
        shown.update({(builder.part_id(name), "children"): no_update for name in names})
        for name, part in builder.form(_group(asked.get("document")), _group(asked.get("pages")), names).items():
            written = orjson.dumps(part.to_plotly_json(), default=_plotly_json)
            formed[name] = hashlib.sha256(written).hexdigest()[:16]
            if formed[name] != drawn.get(name):
                shown[builder.part_id(name), "children"] = orjson.Fragment(written)
        shown[ids.BUILDER_FORMED, "data"] = {"id": asked.get("id"), "formed": formed}
        return [shown[target] for target in FORM_TARGETS]

    def preview(self, request: object) -> list[Any]:
        """The values of :data:`PREVIEW_TARGETS`."""
        shown: dict[tuple[str, str], Any] = dict.fromkeys(PREVIEW_TARGETS, no_update)
        notice = (ids.BUILDER_NOTICE, "children")
        asked = _group(request)
        answer: dict[str, Any] = {"id": asked.get("id"), "problems": []}
        try:
            shown.update(self._previewed(asked, answer))
        except DocumentError as error:
            answer["problems"] = [list(problem) for problem in error.problems]
            shown[notice] = []
        except TftDashError as error:
            answer["failed"] = True
            shown[notice] = components.banner("There is no preview of this", str(error))
        except Exception:
            logger.exception("a preview failed")
            answer["failed"] = True
            shown[notice] = components.banner("There is no preview of this", OWN_ERROR)
        shown[ids.BUILDER_ANSWER, "data"] = answer
        return [shown[target] for target in PREVIEW_TARGETS]

    def _previewed(self, asked: Request, answer: dict[str, Any]) -> dict[tuple[str, str], Any]:
        scenario = read_plain(asked.get("document"), WHAT)
        spec = scenario.spec
        answer.update(ticks=spec.clock.ticks, servers=spec.fleet.size, digest=document_digest(scenario))
        name = recording_name(scenario)
        if self._services.recordings.find(name) is not None:
            answer["recording"] = name
        preview = self._services.preview(scenario, str(asked.get("model")))
        theme = theme_of(asked.get("theme"))
        judged = _outcomes(preview)
        answer["outcomes"], answer["measured"] = [ok for *_, ok in judged], [measured for _, measured, _ in judged]
        reduced = [components.banner("Reduced preview", preview.reduced, kind="info")] if preview.reduced else []
        return {
            **{(component, "figure"): draw(preview, theme) for component, draw in FIGURES.items()},
            (ids.BUILDER_OUTCOMES, "children"): answers.outcomes(judged),
            (ids.BUILDER_NOTICE, "children"): reduced,
            (ids.BUILDER_MODEL_NOTE, "children"): components.model_note(preview.card, instead=preview.instead),
        }

    def run(self, request: object) -> list[Any]:
        """The values of :data:`RUN_TARGETS`: how far a run is, and what the browser must know of it."""
        asked = _group(request)
        shown: dict[tuple[str, str], Any] = dict.fromkeys(RUN_TARGETS, no_update)

        def make() -> dict[str, Any]:
            try:
                run = self._run(asked)
            except DocumentError as error:
                return {"mistakes": len(error.problems)}
            shown.update(self._progress(run))
            return {"run": run.id, "state": run.state, "source": run.source, "progress": run.progress}

        answer = guarded(make, asked.get("id"))
        if "error" in answer:
            shown[ids.BUILDER_RUN, "className"] = answers.run_class("failed")
            shown[ids.BUILDER_RUN_WORDS, "children"] = answer["error"]
        shown[ids.BUILDER_RUN_RESULT, "data"] = answer
        return [shown[target] for target in RUN_TARGETS]

    def _run(self, asked: Request) -> Run:
        runs, number = self._services.runs, str(asked.get("run"))
        act = asked.get("act")
        if act == "cancel":
            return runs.cancel(number)
        if act == "start":
            return runs.submit(read_plain(asked.get("document"), WHAT), author=author_of(asked))
        return runs.get(number)

    def _progress(self, run: Run) -> dict[tuple[str, str], Any]:
        is_gone = run.state == "done" and not run.there
        return {
            (ids.BUILDER_RUN, "className"): answers.run_class("failed" if is_gone else run.state),
            (ids.BUILDER_RUN_WORDS, "children"): run_words(run),
            (ids.BUILDER_RUN_BAR, "style"): {"width": f"{run.progress:.1%}"},
            (ids.BUILDER_RUN_LINK, "href"): f"{self._services.settings.base_path}?source={run.source}",
        }


def run_words(run: Run) -> str:
    """A run's state as a sentence."""
    if run.state == "queued":
        place = f", number {run.position}" if run.position else ""
        return f"{run.title} waits in the queue{place}."
    if run.state == "running":
        return f"Making {run.title}: {run.progress:.0%}, {run.rows:,} rows in all."
    if run.state == "done" and not run.there:
        return run.message
    return f"{RUN_WORDS[run.state]} {run.message}".strip()


def _outcomes(preview: Preview) -> list[tuple[str, str, bool | None]]:
    return [
        (outcome.words, "" if outcome.measured is None else f"measured {readable(outcome.measured)}", outcome.ok)
        for outcome in preview.outcomes
    ]


def _group(value: object) -> Request:
    return value if isinstance(value, Mapping) else {}


def _plotly_json(value: object) -> Any:  # noqa: ANN401 - what Dash sends for a component
    if isinstance(value, Component):
        return value.to_plotly_json()
    raise TypeError(f"{type(value).__name__} is not JSON")
