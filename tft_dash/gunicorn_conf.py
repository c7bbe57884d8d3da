"""The configuration that gunicorn reads: ``gunicorn --config python:tft_dash.gunicorn_conf tft_dash.wsgi:server``.

Flags on gunicorn's own command line win over these values.
"""

from __future__ import annotations

import sys
from typing import Any, NoReturn

from tft_dash.errors import TftDashError
from tft_dash.hosting import check_public, gunicorn_options
from tft_dash.settings import Settings, load_settings
from tft_dash.store.engine import bring_forward


def _refuse(error: TftDashError) -> NoReturn:
    sys.stderr.write(f"tft-dash: {error}\n")
    sys.exit(error.exit_status)


def _load() -> Settings:
    try:
        return load_settings()
    except TftDashError as error:
        _refuse(error)


_settings = _load()
globals().update(gunicorn_options(_settings))


def on_starting(server: Any) -> None:  # noqa: ANN401 - gunicorn is untyped
    """Refuse to listen in public without a login, and a store of a newer version; gunicorn has no sockets open yet."""
    try:
        for address in server.cfg.address:
            if isinstance(address, tuple):
                check_public(address[0], _settings)
        bring_forward(_settings)
    except TftDashError as error:
        _refuse(error)
