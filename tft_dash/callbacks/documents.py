"""Documents between the browser and the server: as short plain values, and read by the one way there is."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any, Final

import orjson
import yaml

from tft_dash.callbacks.reporting import OWN_ERROR
from tft_dash.errors import TftDashError
from tft_dash.scenarios.document import Scenario, read_document
from tft_dash.scenarios.format.fields import format_instant, is_number, parse_instant

logger = logging.getLogger(__name__)

SAFE_WHOLE: Final = 2**53
"""Whole numbers from here on do not survive in a browser; they travel as text."""


def brief(scenario: Scenario) -> dict[str, Any]:
    """A document without what is usual anyway, as an author would write it; it says the same."""
    dumped = scenario.model_dump(mode="json", by_alias=True, exclude_none=True, exclude_defaults=True)
    return {str(name): _short(value) for name, value in dumped.items()}


def _short(value: Any) -> Any:  # noqa: ANN401 - any value of a document
    if isinstance(value, Mapping):
        if len(value) == 1 and is_number(value.get("start", value.get("add"))):
            return _short(next(iter(value.values())))
        return {name: _short(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_short(entry) for entry in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, int) and not isinstance(value, bool) and value >= SAFE_WHOLE:
        return str(value)
    return value


def plain(value: object) -> Any:  # noqa: ANN401 - any value of a document
    """What YAML made of a text, as JSON can carry it."""
    if isinstance(value, Mapping):
        return {str(name): plain(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [plain(entry) for entry in value]
    if isinstance(value, date):
        return format_instant(parse_instant(value)) if isinstance(value, datetime) else value.isoformat()
    if value is None or isinstance(value, str | bool):
        return value
    return _short(value) if is_number(value) else str(value)


def read_plain(document: object, source: str) -> Scenario:
    """The scenario that the browser's document describes, read as a file of the same content would be.

    :raises DocumentError: with every mistake and its path.
    """
    return read_document(orjson.dumps(_whole(document), default=str), source)


def text_of(document: object) -> str:
    """The browser's document as YAML, whatever mistakes it has."""
    return yaml.safe_dump(_whole(document), sort_keys=False, allow_unicode=True, width=120)


def _whole(document: object) -> object:
    """The document with a large seed as the number that it is."""
    if not isinstance(document, Mapping) or not isinstance(document.get("spec"), Mapping):
        return document
    spec = document["spec"]
    seed = spec.get("seed")
    if isinstance(seed, str) and seed.isascii() and seed.isdigit() and SAFE_WHOLE <= int(seed[:20]) < 2**64:
        return {**document, "spec": {**spec, "seed": int(seed)}}
    return document


def author_of(request: Mapping[str, Any]) -> str:
    """Who asks, as they call themselves: one printable line."""
    name = request.get("author")
    return "".join(letter for letter in name if letter.isprintable()).strip()[:120] if isinstance(name, str) else ""


def guarded(make: Callable[[], dict[str, Any]], number: object) -> dict[str, Any]:
    """What ``make`` answers under the request's number; what goes wrong in it as ``error``, in words."""
    try:
        return {"id": number, **make()}
    except TftDashError as error:
        return {"id": number, "error": str(error)}
    except Exception:
        logger.exception("a request of the scenarios' pages failed")
        return {"id": number, "error": OWN_ERROR}
