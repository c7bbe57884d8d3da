"""Documents between the browser and the server: as short plain values, and read by the one way there is."""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Callable, Mapping
from typing import Any, Final

from tft_dash.callbacks.reporting import OWN_ERROR
from tft_dash.errors import TftDashError
from tft_dash.scenarios.document import Scenario, parse_document
from tft_dash.scenarios.format.fields import is_number
from tft_dash.scenarios.format.loader import dump_text

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


def plain(document: Mapping[str, Any]) -> dict[str, Any]:
    """What was read from a text, as JSON can carry it; what was a mistake there is one here."""
    carried = {str(name): _carried(value) for name, value in document.items()}
    spec = document.get("spec")
    if isinstance(spec, Mapping) and "seed" in spec:
        carried["spec"]["seed"] = _carried_seed(spec["seed"])
    return carried


def _carried(value: object) -> Any:  # noqa: ANN401 - any value of a document
    if isinstance(value, Mapping):
        return {str(name): _carried(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_carried(entry) for entry in value]
    if not is_number(value):
        return value
    number = value if abs(value) < SAFE_WHOLE else _as_float(value)
    if not math.isfinite(number):
        return _unfit(number)
    return int(number) if float(number).is_integer() and abs(number) < SAFE_WHOLE else number


def _carried_seed(seed: object) -> Any:  # noqa: ANN401 - any value of a document
    """A large whole number as its digits; what only looks like that stays a mistake."""
    if isinstance(seed, int) and not isinstance(seed, bool) and seed >= SAFE_WHOLE:
        return str(seed)
    large = isinstance(seed, float) and abs(seed) >= SAFE_WHOLE
    return _unfit(seed) if large or (isinstance(seed, str) and _is_large(seed)) else _carried(seed)


def _as_float(value: float) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf


def _unfit(value: object) -> dict[str, None]:
    """Something that no field takes, in place of what JSON has not: as text or null it might be taken."""
    return {str(value): None}


def _is_large(text: str) -> bool:
    """Whether a text is the digits of a seed that a browser cannot hold as a number."""
    return text.isascii() and text.isdigit() and len(text) <= 40 and int(text) >= SAFE_WHOLE


def read_plain(document: object, source: str) -> Scenario:
    """The scenario that the browser's document describes, read as a file of the same content would be.

    :raises DocumentError: with every mistake and its path.
    """
    return parse_document(json.dumps(_whole(document), ensure_ascii=False, default=str), source)


def text_of(document: object) -> str:
    """The browser's document as YAML, whatever mistakes it has."""
    return dump_text(_whole(document))


def _whole(document: object) -> object:
    """The document with a large seed as the number that it is."""
    if not isinstance(document, Mapping) or not isinstance(document.get("spec"), Mapping):
        return document
    spec = document["spec"]
    seed = spec.get("seed")
    if isinstance(seed, str) and _is_large(seed):
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
