"""What pydantic found, in plain words and with the path as the author wrote it."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from tft_dash.errors import shorten
from tft_dash.scenarios.format.fields import show

Location = tuple[int | str, ...]
Problem = tuple[Location, str]

_NONE: Final[Mapping[str, str]] = {}
MOST_GUESSES: Final = 50
"""For so many unknown names the nearest known one is looked for; it takes long, and nobody reads more."""


def problems_of(error: ValidationError, fields: Sequence[str], own: Mapping[str, str] = _NONE) -> list[Problem]:
    """Every mistake in ``error`` with its location.

    :param fields: all names that fields can have, to suggest the nearest for an unknown one.
    :param own: kind of mistake → words for it that are a document's own.
    """
    found = error.errors(include_url=False)
    unknown = [place for place, details in enumerate(found) if details["type"] == "extra_forbidden"]
    guessed = set(unknown[:MOST_GUESSES])
    return [
        (_location(details), _words(details, fields if place in guessed else (), own))
        for place, details in enumerate(found)
        if not _is_echo(details)
    ]


def _is_echo(details: ErrorDetails) -> bool:
    """Whether a list is called too short only because entries in it were refused, which is reported by itself."""
    return details["type"] == "too_short" and len(details["input"]) >= details["ctx"]["min_length"]


def path_text(location: Location) -> str:
    """``spec.faults[1].whom.profile`` for a location; ``document`` for the whole."""
    text = ""
    for step in location:
        text += f"[{step}]" if isinstance(step, int) else f".{shorten(step, 60)}"
    return text.removeprefix(".") or "document"


def document_order(raw: Mapping[str, Any]) -> Callable[[Problem], tuple[int, ...]]:
    """A sort key that puts mistakes where their fields stand in the document."""

    known: dict[int, dict[Any, int]] = {}

    def key(problem: Problem) -> tuple[int, ...]:
        places: list[int] = []
        here: object = raw
        for step in problem[0]:
            names: dict[Any, int] = {}
            if isinstance(here, Mapping):
                if id(here) not in known:
                    known[id(here)] = {name: place for place, name in enumerate(here)}
                names = known[id(here)]
            places.append(step if isinstance(step, int) else names.get(step, len(names)))
            here = _inside(here, step)
        return tuple(places)

    return key


def _inside(value: object, step: int | str) -> object:
    if isinstance(value, Mapping):
        return value.get(step)
    if isinstance(value, list | tuple) and isinstance(step, int) and step < len(value):
        return value[step]
    return None


def _location(details: ErrorDetails) -> Location:
    location = details["loc"]
    if location[-1:] == ("[key]",) and details["type"] != "extra_forbidden":  # a group's name is wrong, not its value
        location = location[:-1]
    is_tagged = location[:2] == ("spec", "expect") and len(location) > 3
    return location[:3] + location[4:] if is_tagged else location


_PLAIN: Final[Mapping[str, str]] = {
    "missing": "is missing.",
    "invalid_key": "has a name that is not text.",
    "finite_number": "must be a finite number, not {value}.",
    "int_type": "must be a whole number, not {value}.",
    "int_from_float": "must be a whole number, not {value}.",
    "float_type": "must be a number, not {value}.",
    "bool_type": "must be true or false, not {value}.",
    "bool_parsing": "must be true or false, not {value}.",
    "string_type": "must be text, not {value}.",
    "string_unicode": "holds half a character (a lone surrogate); write the whole one.",
    "string_too_long": "is too long; at most {max_length} characters.",
    "string_too_short": "must not be empty.",
    "string_pattern_mismatch": "must be 1 to 64 of a–z, 0–9, - and _, starting with a letter or digit, not {value}.",
    "literal_error": "must be {expected}, not {value}.",
    "greater_than": "must be more than {gt}, not {value}.",
    "greater_than_equal": "must be at least {ge}, not {value}.",
    "less_than": "must be less than {lt}, not {value}.",
    "less_than_equal": "must be at most {le}, not {value}.",
    "model_type": "must be a group of fields, not {value}.",
    "model_attributes_type": "must be a group of fields, not {value}.",
    "dict_type": "must be a group of fields, not {value}.",
    "tuple_type": "must be a list, not {value}.",
    "too_short": "must have at least {min_length} entry.",
    "too_long": "has too many entries; at most {max_length}.",
    "union_tag_not_found": "must say what it checks (check: top, prob_30m, prob_8h, risk, health or state).",
    "union_tag_invalid": "checks something unknown; check must be one of {expected_tags}.",
    "plain_words": "{words}",
}


def _words(details: ErrorDetails, fields: Sequence[str], own: Mapping[str, str]) -> str:
    kind = details["type"]
    if kind == "extra_forbidden":
        name = str(details["loc"][-1])
        near = difflib.get_close_matches(name[:100], [field for field in fields if field != name], n=1)
        return "is not a field here." + (f" Did you mean '{near[0]}'?" if near else " Remove it.")
    words = own.get(kind) or _PLAIN.get(kind)
    if words is not None:
        bounds = {name: _plainly(bound) for name, bound in details.get("ctx", {}).items()}
        return words.format(value=show(details["input"]), **bounds)
    return f"{details['msg']}."


def _plainly(bound: object) -> object:
    """A limit as people write it: 1000000 and 0.5, not 1e+06 and 0.5000001."""
    return int(bound) if isinstance(bound, float) and bound.is_integer() else bound
