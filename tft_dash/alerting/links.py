"""The address of the pages, for links in what is told."""

from __future__ import annotations

import socket
from typing import Final

from tft_dash.settings import Settings

_EVERYWHERE: Final = ("0.0.0.0", "::", "")  # noqa: S104 - compared, not bound


def base_address(settings: Settings) -> str:
    """Where people reach the pages, with a slash at its end: as set, else where they are served."""
    if settings.public_url:
        return settings.public_url
    host = socket.gethostname() if settings.host in _EVERYWHERE else settings.host
    shown = f"[{host}]" if ":" in host else host
    return f"http://{shown}:{settings.port}{settings.base_path}"
