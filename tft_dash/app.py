"""The Dash app: pages, callbacks, the JSON interface and compression around one :class:`Services`."""

from __future__ import annotations

import hashlib
from typing import Any, Final

import dash
from dash import Dash
from flask import Flask

from tft_dash.api.routes import register_api
from tft_dash.callbacks.monitor import register_monitor
from tft_dash.compression import Compression
from tft_dash.pages import monitor, shell
from tft_dash.resources import assets_folder
from tft_dash.services import Services

TITLE: Final = "tft_dash"
SHELL_SCRIPT: Final = "tft_dash.js"

INDEX: Final = """<!DOCTYPE html>
<html lang="en">
<head>
{%metas%}
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{%title%}</title>
{%favicon%}
SCRIPT_TAGS
<link rel="preload" href="ASSETS_URL/fonts/inter-latin-wght-normal.woff2" as="font" type="font/woff2" crossorigin>
{%css%}
</head>
<body>
{%app_entry%}
<footer hidden>{%config%}{%scripts%}{%renderer%}</footer>
</body>
</html>
"""


def create_app(services: Services) -> Dash:
    """A complete app over ``services``; its WSGI callable is ``.server``.

    One app per process: Dash keeps its table of pages in the module, so it is cleared first.
    """
    dash.page_registry.clear()
    base = services.settings.base_path
    server = Flask("tft_dash")
    register_api(server, services)
    Compression(server)
    app = Dash(
        "tft_dash",
        server=server,
        title=TITLE,
        update_title=None,
        use_pages=True,
        pages_folder="",
        assets_folder=str(assets_folder()),
        assets_ignore=r".*\.(js|txt|md)$",
        requests_pathname_prefix=base,
        routes_pathname_prefix=base,
        suppress_callback_exceptions=True,
        serve_locally=True,
        compress=False,
        use_async=False,
    )
    app.index_string = INDEX.replace("SCRIPT_TAGS", _script_tags(base)).replace("ASSETS_URL", f"{base}assets")
    _register_pages(services)
    app.layout = shell.layout(_navigation())
    register_monitor(app, services)
    _finish(server, base)
    return app


def _finish(server: Flask, base: str) -> None:
    """Let Dash complete itself before several threads ask at once: it does so at the first request, without a lock."""
    server.test_client().get(f"{base}_dash-dependencies")


def _register_pages(services: Services) -> None:
    def live_monitor(**_query: str) -> Any:  # noqa: ANN401 - a Dash component
        names, models = services.source_names(), services.model_names()
        return monitor.layout(names, models, {"source": names[0], "model": models[0]})

    dash.register_page("tft_dash.pages.monitor", path="/", name="Live monitor", title=TITLE, layout=live_monitor)


def _navigation() -> list[tuple[str, str]]:
    return [(page["name"], page["relative_path"]) for page in dash.page_registry.values()]


def _script_tags(base: str) -> str:
    """The scripts, the shell's first; their versions let no browser mix an old one with a new page."""
    paths = sorted(assets_folder().glob("*.js"), key=lambda path: (path.name != SHELL_SCRIPT, path.name))
    versions = [(path.name, hashlib.sha256(path.read_bytes()).hexdigest()[:12]) for path in paths]
    return "\n".join(f'<script src="{base}assets/{name}?v={version}"></script>' for name, version in versions)
