"""A view of the rows: which of them, in which order; plain values that travel in a query string."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from tft_dash.errors import UsageError, shorten
from tft_dash.inspection.stored.kinds import FLAG, NUMBER, TEXT, TIME

BLANK: Final = "blank"
NOT_BLANK: Final = "not-blank"
BETWEEN: Final = "between"
_ANY: Final = ("equals", "not-equals", BLANK, NOT_BLANK)
_ORDERED: Final = (*_ANY, "less", "at-most", "more", "at-least", BETWEEN)
OPERATORS: Final[Mapping[str, tuple[str, ...]]] = {
    TEXT: (*_ANY, "contains", "starts", "ends"),
    NUMBER: _ORDERED,
    TIME: _ORDERED,
    FLAG: _ANY,
}
"""What a filter of each kind can ask."""

_PARTS_LIMIT: Final = 32
_TEXT_LIMIT: Final = 500
_FLAGS: Final[Mapping[str, bool]] = {"true": True, "false": False}

Value = str | float | int | bool | None


@dataclass(frozen=True, slots=True)
class Filter:
    """One condition on a column.

    :param column: its field (``c0``, ``row``), or its name.
    :param kind: of the values, which must be the column's: text, number, time or flag.
    :param value: text, a number, a time as ISO 8601 in UTC, or a truth value; None for ``blank`` and ``not-blank``.
    :param value_to: the end of ``between``, which is included.
    """

    column: str
    kind: str
    operator: str
    value: Value = None
    value_to: Value = None


@dataclass(frozen=True, slots=True)
class Sort:
    """An order by one column; missing values come last in both directions."""

    column: str
    descending: bool = False


@dataclass(frozen=True, slots=True)
class View:
    """Rows that pass every filter, ordered by the first sort, then the next; the file's order without one."""

    filters: tuple[Filter, ...] = ()
    sorts: tuple[Sort, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON, as :func:`parse_view` reads them."""
        return {
            "filters": [{name: getattr(one, name) for name in Filter.__slots__} for one in self.filters],
            "sorts": [{"column": one.column, "descending": one.descending} for one in self.sorts],
        }


def parse_view(plain: Mapping[str, Any]) -> View:
    """The view that plain values stand for.

    :raises UsageError: something is not as it must be; names the field.
    """
    if not isinstance(plain, Mapping):
        raise UsageError("A view must be an object with 'filters' and 'sorts'.")
    unknown = set(plain) - {"filters", "sorts"}
    if unknown:
        raise UsageError(f"A view has no field '{shorten(str(min(map(str, unknown))))}'; it has 'filters' and 'sorts'.")
    filters = tuple(_filter(f"filters[{place}]", one) for place, one in enumerate(_listed(plain, "filters")))
    sorts = tuple(_sort(f"sorts[{place}]", one) for place, one in enumerate(_listed(plain, "sorts")))
    return View(filters, sorts)


def _listed(plain: Mapping[str, Any], name: str) -> list[Any]:
    found = plain.get(name) or []
    if not isinstance(found, list | tuple) or len(found) > _PARTS_LIMIT:
        raise UsageError(f"{name} must be a list of at most {_PARTS_LIMIT}.")
    return list(found)


def _fields(where: str, plain: object, known: tuple[str, ...]) -> Mapping[str, Any]:
    if not isinstance(plain, Mapping):
        raise UsageError(f"{where} must be an object with {', '.join(known)}.")
    for name in plain:
        if name not in known:
            raise UsageError(f"{where} has no field '{shorten(str(name))}'; it has {', '.join(known)}.")
    if not isinstance(plain.get("column"), str):
        raise UsageError(f"{where}.column must be the name of a column.")
    return plain


def _filter(where: str, plain: object) -> Filter:
    found = _fields(where, plain, Filter.__slots__)
    kind, operator = found.get("kind"), found.get("operator")
    if not isinstance(kind, str) or kind not in OPERATORS:
        raise UsageError(f"{where}.kind is '{shorten(str(kind))}'; choose one of {', '.join(OPERATORS)}.")
    if operator not in OPERATORS[kind]:
        words = ", ".join(OPERATORS[kind])
        raise UsageError(f"{where}.operator is '{shorten(str(operator))}'; a filter of kind {kind} has {words}.")
    if operator in (BLANK, NOT_BLANK):
        return Filter(found["column"], kind, operator)
    value = _value(f"{where}.value", kind, found.get("value"))
    value_to = _value(f"{where}.value_to", kind, found.get("value_to")) if operator == BETWEEN else None
    return Filter(found["column"], kind, operator, value, value_to)


def _sort(where: str, plain: object) -> Sort:
    found = _fields(where, plain, Sort.__slots__)
    descending = found.get("descending", False)
    if not isinstance(descending, bool):
        raise UsageError(f"{where}.descending is '{shorten(str(descending))}'; it is true or false.")
    return Sort(found["column"], descending)


def _value(where: str, kind: str, value: object) -> Value:
    if kind == TEXT:
        if isinstance(value, str) and len(value) <= _TEXT_LIMIT:
            return value
        raise UsageError(f"{where} must be text of at most {_TEXT_LIMIT} characters.")
    if kind == FLAG:
        flag = _FLAGS.get(value.strip().lower()) if isinstance(value, str) else value
        if isinstance(flag, bool):
            return flag
        raise UsageError(f"{where} is '{shorten(str(value))}'; it is true or false.")
    if kind == TIME:
        return _time(where, value)
    return _number(where, value)


def _number(where: str, value: object) -> float | int:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    try:
        number = float(value) if isinstance(value, str | float) else math.nan
    except ValueError:
        number = math.nan
    if math.isnan(number):
        raise UsageError(f"{where} is '{shorten(str(value))}', not a number. Write digits with a decimal point.")
    return int(number) if isinstance(value, str) and value.strip().lstrip("+-").isdigit() else number


def _time(where: str, value: object) -> str:
    """ISO 8601 in UTC without a zone, as numpy reads it."""
    text = value.strip() if isinstance(value, str) else ""
    bare = text.removesuffix("Z").replace(" ", "T", 1)
    try:
        stamp = np.datetime64(bare) if bare and bare[:4].isdigit() and "+" not in bare else None
    except ValueError:
        stamp = None
    if stamp is None or np.isnat(stamp):
        raise UsageError(
            f"{where} is '{shorten(str(value))}', not a time in UTC. Write it as 2024-05-01T12:00:00Z or 2024-05-01."
        )
    return bare
