"""How gunicorn serves the app: the values that a bare ``gunicorn tft_dash.wsgi:server`` and the commands share."""

from __future__ import annotations

import errno
import ipaddress
import socket
from collections.abc import Callable
from typing import Any, Final

from tft_dash.errors import StorageError, UnreachableError, UsageError
from tft_dash.settings import Settings

KEEP_ALIVE_SECONDS: Final = 75
"""Longer than a proxy's own, so that a proxy never meets a connection that has just been closed."""
TIMEOUT_SECONDS: Final = 120
GRACE_SECONDS: Final = 10
REQUEST_LINE_BYTES: Final = 8190
"""The most that gunicorn takes: a link to a view with many filters is long."""


def gunicorn_options(settings: Settings) -> dict[str, Any]:
    """The options of gunicorn for these settings.

    Threads, not processes, hold the idle connections that browsers open in advance: a synchronous worker, or a
    threaded one with eight threads, stalls for seconds behind eight of them.
    """
    return {
        "bind": f"{settings.host}:{settings.port}",
        "workers": settings.workers,
        "worker_class": "gthread",
        "threads": settings.threads,
        "keepalive": KEEP_ALIVE_SECONDS,
        "timeout": TIMEOUT_SECONDS,
        "graceful_timeout": GRACE_SECONDS,
        "preload_app": False,
        "limit_request_line": REQUEST_LINE_BYTES,
    }


def check_address(settings: Settings) -> None:
    """Refuse an address that strangers reach, unless the settings insist, and a port that is taken.

    :raises UsageError: the address is not the loopback and nothing guards the app.
    :raises UnreachableError: the address is not this machine's, or its port is taken.
    """
    check_public(settings.host, settings)
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host.strip("[]"), settings.port))
        except OSError as error:
            raise _address_error(settings, error) from error


def check_public(host: str, settings: Settings) -> None:
    """Refuse to listen where strangers reach the app, unless the settings insist.

    :raises UsageError: ``host`` is not the loopback and nothing guards the app.
    """
    if not _is_loopback(host) and not settings.insecure_public:
        raise UsageError(
            f"Listening on {host} lets everyone who reaches this machine use the app, and there is no login. Put a "
            "proxy with a login in front and listen on 127.0.0.1, or accept it: --insecure-public, or "
            "TFT_DASH_INSECURE_PUBLIC=1 under gunicorn."
        )


def serve(settings: Settings, load: Callable[[], Any], announce: Callable[[str], None]) -> None:
    """Serve the WSGI app that ``load`` makes in each worker, until interrupted.

    :param announce: called with the app's URL once it listens.
    """
    from gunicorn.app.base import BaseApplication  # noqa: PLC0415 - gunicorn needs fcntl; importing this module does not

    class Application(BaseApplication):
        def load_config(self) -> None:
            for name, value in gunicorn_options(settings).items():
                self.cfg.set(name, value)
            self.cfg.set("loglevel", "warning")
            self.cfg.set("when_ready", lambda arbiter: announce(_url(settings, arbiter)))

        def load(self) -> Any:  # noqa: ANN401 - a WSGI callable
            return load()

    Application().run()


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _address_error(settings: Settings, error: OSError) -> UnreachableError:
    where = f"{settings.host}:{settings.port}"
    if error.errno == errno.EADDRINUSE:
        return StorageError(
            f"Port {settings.port} is taken: something else listens on {where}. "
            f"Stop it or choose another, e.g. --port {min(settings.port + 1, 65535)}."
        )
    if error.errno == errno.EACCES:
        return UnreachableError(f"{where}: this user may not listen on that port. Choose one above 1023.")
    return UnreachableError(f"{where}: cannot listen there ({error.strerror or error}). Check --host.")


def _url(settings: Settings, arbiter: Any) -> str:  # noqa: ANN401 - gunicorn is untyped
    host, port = arbiter.LISTENERS[0].sock.getsockname()[:2]
    shown = f"[{host}]" if ":" in host else host
    return f"http://{shown}:{port}{settings.base_path}"
