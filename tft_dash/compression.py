"""Gzip for what the app sends: answers compressed as they come, bundles once per process."""

from __future__ import annotations

import gzip
import threading
from collections import OrderedDict
from typing import Final

from flask import Flask, Response, request

SMALLEST: Final = 500
BUNDLES_KEPT: Final = 96
ANSWER_LEVEL: Final = 5
BUNDLE_LEVEL: Final = 9
TEXT_TYPES: Final = (
    "application/json",
    "application/javascript",
    "text/javascript",
    "text/css",
    "text/html",
    "text/plain",
    "image/svg+xml",
)


class Compression:
    """Compresses responses of a Flask app for clients that accept gzip.

    :param server: the app; the hook is registered here.
    """

    def __init__(self, server: Flask) -> None:
        self._bundles: OrderedDict[str, bytes] = OrderedDict()
        self._lock = threading.Lock()
        server.after_request(self._compress)

    def _compress(self, response: Response) -> Response:
        if not _worthwhile(response):
            return response
        response.vary.add("Accept-Encoding")
        if not request.accept_encodings["gzip"]:
            return response
        response.direct_passthrough = False
        body = response.get_data()
        if len(body) < SMALLEST:
            return response
        response.set_data(self._bundle(body) if _is_bundle() else gzip.compress(body, ANSWER_LEVEL, mtime=0))
        response.headers["Content-Encoding"] = "gzip"
        return response

    def _bundle(self, body: bytes) -> bytes:
        key = f"{request.full_path} {len(body)}"
        with self._lock:
            known = self._bundles.get(key)
        if known is not None:
            return known
        packed = gzip.compress(body, BUNDLE_LEVEL, mtime=0)
        with self._lock:
            self._bundles[key] = packed
            while len(self._bundles) > BUNDLES_KEPT:
                self._bundles.popitem(last=False)
        return packed


def _worthwhile(response: Response) -> bool:
    return (
        response.status_code == 200
        and response.mimetype in TEXT_TYPES
        and "Content-Encoding" not in response.headers
        and "Content-Range" not in response.headers
        and request.method != "HEAD"
    )


def _is_bundle() -> bool:
    return request.method == "GET" and ("/_dash-component-suites/" in request.path or "/assets/" in request.path)
