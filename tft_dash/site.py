"""Which pages there are: their addresses, names and titles, and where each layout gets its facts.

Dash calls a layout with the parts of the address as texts; whatever they hold, the page tells what is wrong with it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import dash

from tft_dash.callbacks.alerts.delivery import open_delivery
from tft_dash.callbacks.alerts.problems import open_problem, open_problems
from tft_dash.callbacks.alerts.rules import open_rules
from tft_dash.callbacks.alerts.silences import open_silences
from tft_dash.callbacks.alerts.tuner import open_tuner
from tft_dash.callbacks.builder import open_builder
from tft_dash.callbacks.models import open_models
from tft_dash.callbacks.scenarios import open_library
from tft_dash.pages import compare, datasets, importing, monitor, nowhere
from tft_dash.pages.inspector import page as inspector
from tft_dash.services import Services

TITLE: Final = "tft_dash"
NOWHERE: Final = "not_found_404"
"""The name by which Dash finds what to show at an address that no page has."""


@dataclass(frozen=True, slots=True)
class SitePage:
    """One page.

    :param address: below the base path; ``<name>`` stands for any text.
    :param name: in the navigation; empty = the page is reached from another one.
    :param title: of the browser's tab, before the product's name.
    :param layout: takes the address's parts and query as texts.
    """

    address: str
    name: str
    title: str
    layout: Callable[..., Any]


def register_pages(services: Services) -> list[tuple[str, str]]:
    """Add every page to Dash's table; returns name and address of those in the navigation."""
    pages = _pages(services)
    for place, page in enumerate(pages):
        title = f"{page.title} · {TITLE}" if page.title else TITLE
        where = {"path_template" if "<" in page.address else "path": page.address}
        dash.register_page(f"page-{place}", name=page.name, title=title, layout=page.layout, order=place, **where)
    addresses = {page["name"]: page["relative_path"] for page in dash.page_registry.values()}
    named = [(page.name, addresses[page.name]) for page in pages if page.name]
    dash.register_page(NOWHERE, path="/nowhere", name="", title=f"No such page · {TITLE}", layout=_nowhere(named))
    return named


def _pages(services: Services) -> list[SitePage]:
    return [
        SitePage("/", "Live monitor", "", _live_monitor(services)),
        SitePage("/alerts", "Alerts", "Alerts", partial(open_problems, services)),
        SitePage("/alerts/silences", "", "Silences", partial(open_silences, services)),
        SitePage("/alerts/rules", "", "Alert rules", partial(open_rules, services)),
        SitePage("/alerts/tuner", "", "Tuner of alert rules", partial(open_tuner, services)),
        SitePage("/alerts/delivery", "", "Delivery of alerts", partial(open_delivery, services)),
        SitePage("/alerts/<problem_id>", "", "Problem", partial(open_problem, services)),
        SitePage("/scenarios", "Scenarios", "Scenarios", partial(open_library, services)),
        SitePage("/scenarios/<key>", "", "Scenario", partial(open_builder, services)),
        SitePage("/datasets", "Datasets", "Datasets", _datasets(services)),
        SitePage("/datasets/import/<upload_id>", "", "Import", _import),
        SitePage("/datasets/<name>", "", "Dataset", _dataset),
        SitePage("/compare", "Compare", "Compare", _compare(services)),
        SitePage("/models", "Models", "Models", partial(open_models, services)),
    ]


def _nowhere(pages: Sequence[tuple[str, str]]) -> Callable[..., Any]:
    def layout(**_query: str) -> Any:  # noqa: ANN401 - a Dash component
        return nowhere.layout(pages)

    return layout


def _live_monitor(services: Services) -> Callable[..., Any]:
    def layout(**_query: str) -> Any:  # noqa: ANN401 - a Dash component
        names, models = services.source_names(), services.model_choices()
        return monitor.layout(names, models, {"source": names[0], "model": models[0]})

    return layout


def _datasets(services: Services) -> Callable[..., Any]:
    def layout(**_query: str) -> Any:  # noqa: ANN401 - a Dash component
        return datasets.layout(services.settings.upload_mb)

    return layout


def _dataset(name: str, view: str | None = None, **_query: str) -> Any:  # noqa: ANN401 - a Dash component
    return inspector.layout(name, view)


def _import(upload_id: str, **_query: str) -> Any:  # noqa: ANN401 - a Dash component
    return importing.layout(upload_id)


def _compare(services: Services) -> Callable[..., Any]:
    def layout(**_query: str) -> Any:  # noqa: ANN401 - a Dash component
        names = services.recording_names() or services.source_names()  # of live sources alone the page says why not
        models = services.model_names()
        return compare.layout(names, models)

    return layout
