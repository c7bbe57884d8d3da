"""What gunicorn serves: ``gunicorn tft_dash.wsgi:server``, configured by environment or ``tft_dash.toml``."""

from __future__ import annotations

import sys
from typing import Final

from flask import Flask

from tft_dash.app import serving_app
from tft_dash.errors import TftDashError
from tft_dash.services import Services
from tft_dash.settings import load_settings

NO_BOOT: Final = 3
"""The status by which a worker tells gunicorn that it need not be tried again."""


def _load() -> Flask:
    try:
        return serving_app(Services(load_settings()))
    except TftDashError as error:
        sys.stderr.write(f"tft-dash: {error}\n")
        sys.exit(NO_BOOT)


server = _load()
