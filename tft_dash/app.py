"""The Dash app: pages, callbacks, the JSON interface and compression around one :class:`Services`."""

from __future__ import annotations

import atexit
import hashlib
import signal
import threading
from types import FrameType
from typing import Final

import dash
from dash import Dash
from flask import Flask

from tft_dash.api import datasets as api_datasets
from tft_dash.api import runs as api_runs
from tft_dash.api import scenarios as api_scenarios
from tft_dash.api.metrics import register_metrics
from tft_dash.api.openapi import register_openapi
from tft_dash.api.routes import register_api
from tft_dash.api.uploads import register_uploads
from tft_dash.callbacks.builder import register_builder
from tft_dash.callbacks.compare import register_compare
from tft_dash.callbacks.datasets import register_datasets
from tft_dash.callbacks.drift import register_drift
from tft_dash.callbacks.importing import register_importing
from tft_dash.callbacks.inspector import register_inspector
from tft_dash.callbacks.models import register_models
from tft_dash.callbacks.monitor import register_monitor
from tft_dash.callbacks.scenarios import register_scenarios
from tft_dash.compression import Compression
from tft_dash.pages import shell
from tft_dash.resources import assets_folder
from tft_dash.services import Services
from tft_dash.site import TITLE, register_pages

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
    for register in (
        api_scenarios.register_scenarios,
        api_runs.register_runs,
        api_datasets.register_datasets,
        register_uploads,
        register_openapi,
        register_metrics,
        register_api,
    ):
        register(server, services)
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
    app.layout = shell.layout(register_pages(services))
    register_monitor(app, services)
    register_scenarios(app, services)
    register_builder(app, services)
    register_compare(app, services)
    register_datasets(app, services)
    register_importing(app, services)
    register_inspector(app, services)
    register_models(app, services)
    register_drift(app, services)
    _finish(server, base)
    return app


def serving_app(services: Services) -> Flask:
    """The WSGI callable of a process that serves: takes up what an earlier one left, and tidies up at its end."""
    server: Flask = create_app(services).server
    atexit.register(services.close)
    services.resume()
    _stop_at_once(services)
    return server


def _stop_at_once(services: Services) -> None:
    """Give runs back as soon as the process is asked to end; it goes on answering for seconds after that."""
    before = signal.getsignal(signal.SIGTERM)
    if not callable(before) or threading.current_thread() is not threading.main_thread():
        return

    def handle(number: int, frame: FrameType | None) -> None:
        services.stop()
        before(number, frame)

    signal.signal(signal.SIGTERM, handle)
    signal.siginterrupt(signal.SIGTERM, False)  # as gunicorn has it: no system call of a request is disturbed


def _finish(server: Flask, base: str) -> None:
    """Let Dash complete itself before several threads ask at once: it does so at the first request, without a lock."""
    server.test_client().get(f"{base}_dash-dependencies")


def _script_tags(base: str) -> str:
    """The scripts, the shell's first; their versions let no browser mix an old one with a new page."""
    paths = sorted(assets_folder().glob("*.js"), key=lambda path: (path.name != SHELL_SCRIPT, path.name))
    versions = [(path.name, hashlib.sha256(path.read_bytes()).hexdigest()[:12]) for path in paths]
    return "\n".join(f'<script src="{base}assets/{name}?v={version}"></script>' for name, version in versions)
