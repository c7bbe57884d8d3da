"""The builder's callbacks, and its page as it is opened."""

from __future__ import annotations

from typing import Any, Final

from dash import ClientsideFunction, Dash, Input, Output

from tft_dash import ids
from tft_dash.callbacks.building import FORM_TARGETS, PREVIEW_TARGETS, RUN_TARGETS, Building
from tft_dash.callbacks.saving import TASK_TARGETS, Saving, saved
from tft_dash.errors import TftDashError, UnknownNameError
from tft_dash.pages.builder import layout, missing
from tft_dash.scenarios.document import as_mapping
from tft_dash.scenarios.library import load_scenario
from tft_dash.services import Services

NEW: Final = "new"


def blank() -> dict[str, Any]:
    """What a new drill starts from: the default fleet, the usual story, and nothing that goes wrong."""
    return {
        "apiVersion": "tft-dash/v1",
        "kind": "Scenario",
        "metadata": {"name": "new-drill", "title": "New drill"},
        "spec": {
            "clock": {"duration": "5m", "tick": "5s"},
            "fleet": {
                "profiles": [
                    {"name": "web", "count": 4},
                    {"name": "api", "count": 3},
                    {"name": "database", "count": 2},
                    {"name": "cache", "count": 1},
                ]
            },
        },
    }


def register_builder(app: Dash, services: Services) -> None:
    """Add the callbacks of the builder to ``app``."""
    building, saving = Building(services), Saving(services)
    app.clientside_callback(
        ClientsideFunction("tft_dash", "builderStart"),
        Output(ids.BUILDER_BEGUN, "data"),  # without an output Dash would not call it when the page appears
        Input(ids.BUILDER_START, "data"),
        Input(ids.BUILDER_MODEL, "value"),
    )

    @app.callback(
        [Output(*target) for target in FORM_TARGETS], Input(ids.BUILDER_STRUCTURE, "data"), prevent_initial_call=True
    )
    def form(request: dict[str, Any]) -> list[Any]:
        return building.form(request)

    @app.callback(
        [Output(*target) for target in PREVIEW_TARGETS], Input(ids.BUILDER_REQUEST, "data"), prevent_initial_call=True
    )
    def preview(request: dict[str, Any]) -> list[Any]:
        return building.preview(request)

    @app.callback(
        [Output(*target) for target in TASK_TARGETS], Input(ids.BUILDER_TASK, "data"), prevent_initial_call=True
    )
    def task(request: dict[str, Any]) -> list[Any]:
        return saving.task(request)

    @app.callback(
        [Output(*target) for target in RUN_TARGETS], Input(ids.BUILDER_RUN_TASK, "data"), prevent_initial_call=True
    )
    def run(request: dict[str, Any]) -> list[Any]:
        return building.run(request)

    for store, lands in (
        (ids.BUILDER_FORMED, "builderFormed"),
        (ids.BUILDER_ANSWER, "builderPreviewed"),
        (ids.BUILDER_RESULT, "builderDone"),
        (ids.BUILDER_RUN_RESULT, "builderRan"),
    ):
        app.clientside_callback(ClientsideFunction("tft_dash", lands), Input(store, "data"), prevent_initial_call=True)


def _document_of(services: Services, name: str) -> Any:  # noqa: ANN401 - a document as plain values
    """The document of the scenario, or of the recording, that is called ``name``."""
    try:
        return saved(services.library.get(name))["document"]
    except UnknownNameError:
        if name not in services.source_names():
            raise
    table = services.path(name)
    return as_mapping(load_scenario(table.with_name(f"{table.stem}.scenario.yaml")))


def open_builder(services: Services, key: str | None, **query: str) -> Any:  # noqa: ANN401 - a Dash component
    """The page of the scenario called ``key``; ``new`` starts another one, from the one that ``from`` names."""
    base = services.settings.base_path
    start: dict[str, Any] = {"key": None, "version": None, "preset": False, "document": blank(), "slot": NEW}
    try:
        if key not in (None, NEW):
            start = {**saved(services.library.get(str(key))), "slot": key}
        elif query.get("from"):
            start["document"] = _document_of(services, query["from"])
            start["slot"] = f"{NEW}:{query['from']}"
    except TftDashError as error:
        return missing(str(error), f"{base}scenarios")
    models = [(card.name, card.title) for card in services.cards()]
    return layout({**start, "base": base, "run": query.get("run")}, models)
