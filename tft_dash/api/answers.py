"""How the JSON interface answers: values, errors, and who may write."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson
from flask import Blueprint, Response, request

from tft_dash.errors import (
    ConflictError,
    DataError,
    DocumentError,
    LimitError,
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
    return response


def _status(error: TftDashError) -> int:
    if isinstance(error, ConflictError):
        return 409
    if isinstance(error, LimitError):
        return 413
    if isinstance(error, NotThereError):
        return 404
    if isinstance(error, UsageError):
        return 400
    return 422 if isinstance(error, DataError) else 503


def _refuse_other_sites() -> Response | None:
    """A page of another site may make a browser send forms here; nothing of ours does."""
    if request.method in ("GET", "HEAD", "OPTIONS"):
        return None
    if request.headers.get("Sec-Fetch-Site", "same-origin") in ("same-origin", "none"):
        return None
    return json_answer({"error": "This address takes no writes from pages of another site."}, 403)
