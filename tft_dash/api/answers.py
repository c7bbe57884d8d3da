"""How the JSON interface answers: values, errors, and who may write."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

import orjson
from flask import Blueprint, Response, request

from tft_dash.errors import (
    BusyError,
    ClosedError,
    ConflictError,
    DataError,
    DocumentError,
    LimitError,
    MediaTypeError,
    NoEntryError,
    NotReadyError,
    NotThereError,
    TftDashError,
    UsageError,
)


def make_blueprint(name: str) -> Blueprint:
    """A blueprint whose errors are told in JSON, and which takes no writes from other sites' pages."""
    blueprint = Blueprint(name, __name__)
    blueprint.register_error_handler(TftDashError, answer_error)
    blueprint.before_request(_refuse_other_sites)
    return blueprint


def json_answer(value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:  # noqa: ANN401
    """``value`` as JSON; numpy's numbers and arrays included, NaN as null."""
    body = orjson.dumps(value, option=orjson.OPT_SERIALIZE_NUMPY)
    return Response(
        body, status=status, mimetype="application/json", headers={"Cache-Control": "no-store", **(headers or {})}
    )


def answer_error(error: TftDashError) -> Response:
    """What went wrong, in words; every mistake with its path for a document."""
    plain: dict[str, Any] = {"error": str(error)}
    if isinstance(error, DocumentError):
        plain["errors"] = [{"path": path, "message": message} for path, message in error.problems]
    if isinstance(error, ConflictError):
        plain["version"] = error.version
    response = json_answer(plain, _status(error))
    if isinstance(error, NotReadyError):
        plain["progress"] = error.progress
        response = json_answer(plain, _status(error), {"Retry-After": "1"})
    if isinstance(error, BusyError):
        response.headers["Retry-After"] = str(math.ceil(error.retry_seconds))
    if isinstance(error, NoEntryError):
        response.headers["WWW-Authenticate"] = "Bearer"
    return response


_STATUSES: Final[tuple[tuple[type[TftDashError], int], ...]] = (
    (ConflictError, 409),
    (LimitError, 413),
    (NotThereError, 404),
    (MediaTypeError, 415),
    (NoEntryError, 401),
    (ClosedError, 403),
    (UsageError, 400),
    (BusyError, 429),
    (DataError, 422),
)
"""The more particular ones first."""


def _status(error: TftDashError) -> int:
    return next((status for kind, status in _STATUSES if isinstance(error, kind)), 503)


def _refuse_other_sites() -> Response | None:
    """A page of another site may make a browser send forms here; nothing of ours does."""
    if request.method in ("GET", "HEAD", "OPTIONS"):
        return None
    if request.headers.get("Sec-Fetch-Site", "same-origin") in ("same-origin", "none"):
        return None
    return json_answer({"error": "This address takes no writes from pages of another site."}, 403)
