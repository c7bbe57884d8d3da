"""Whether a mapping fits a file: every column it names is there, and what a metrics table needs is given."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence

from tft_dash.errors import shorten
from tft_dash.importing.foreign import Foreign
from tft_dash.importing.mapping import Mapping, MappingError
from tft_dash.importing.parts import SERVER_MARK, Spec
from tft_dash.schema import METRIC_NAMES, PROFILE, SERVER_NAME

Problem = tuple[str, str]
_LISTED = 12


def demand_fit(foreign: Foreign, mapping: Mapping, source: str) -> None:
    """Refuse a mapping that does not fit the file.

    :raises MappingError: with every mistake and its path.
    """
    problems = fit_problems(foreign, mapping)
    if problems:
        raise MappingError(f"The mapping for {shorten(source)}", problems)


def fit_problems(foreign: Foreign, mapping: Mapping) -> tuple[Problem, ...]:
    """Every mistake with its path: a column that is not there or cannot be read, a time, server or metric not given."""
    return (*_lacking(mapping.spec), *_wrong_columns(foreign, mapping.spec))


def _lacking(spec: Spec) -> Iterator[Problem]:
    if spec.timestamp is None:
        yield "spec.timestamp", "is missing; say which column has the times."
    if spec.layout != "wide" and spec.columns.server_name is None:
        yield (
            "spec.columns.server_name",
            "is missing; say which column has the servers' names, or give a value if all rows are of one server.",
        )
    if not spec.columns.metrics():
        yield (
            "spec.columns",
            f"have no metric. Say which column is one of {', '.join(METRIC_NAMES)}; a table without any is no use.",
        )


def _wrong_columns(foreign: Foreign, spec: Spec) -> Iterator[Problem]:
    stamp = spec.timestamp.columns() if spec.timestamp else ()
    named = list(zip(("spec.timestamp.from", "spec.timestamp.clock"), stamp, strict=False))
    for name in (SERVER_NAME, PROFILE, "state", "incident_phase", "problem_child"):
        given = getattr(spec.columns, name)
        if given is not None and given.from_ is not None:
            named.append((f"spec.columns.{name}.from", given.from_))
    if spec.narrow is not None:
        named += [("spec.narrow.metric", spec.narrow.metric), ("spec.narrow.value", spec.narrow.value)]
    named += [(f"spec.keep[{place}]", name) for place, name in enumerate(spec.keep)]
    for metric, part in spec.columns.metrics().items():
        path = f"spec.columns.{metric}.from"
        if spec.layout == "long":
            named.append((path, part.from_))
        elif spec.layout == "wide" and not servers_by_column(part.from_, foreign, spec):
            yield path, f"no column is called like {shorten(part.from_, 60)}. {_listing(foreign.columns)}"
    for path, column in named:
        yield from _column_problem(path, column, foreign)


def _column_problem(path: str, column: str, foreign: Foreign) -> Iterator[Problem]:
    if column in foreign.unusable:
        yield path, f"'{shorten(column)}' is of type {shorten(foreign.unusable[column])}, which cannot be read."
    elif column not in foreign.columns:
        near = difflib.get_close_matches(column[:100], foreign.columns[:1000], n=1)
        guess = f" Did you mean '{shorten(near[0])}'?" if near else ""
        yield path, f"there is no column '{shorten(column)}'.{guess} {_listing(foreign.columns)}"


def _listing(columns: Sequence[str]) -> str:
    shown = ", ".join(shorten(name, 40) for name in columns[:_LISTED])
    return f"There are: {shown}{', …' if len(columns) > _LISTED else ''}."


def servers_by_column(pattern: str, foreign: Foreign, spec: Spec) -> dict[str, str]:
    """Column → server of the columns of a wide table that a pattern such as ``{server}.cpu`` speaks of."""
    before, _, after = pattern.partition(SERVER_MARK)
    taken = set(spec.timestamp.columns()) if spec.timestamp else set()
    for name in (PROFILE, "state", "incident_phase", "problem_child"):
        given = getattr(spec.columns, name)
        if given is not None and given.from_:
            taken.add(given.from_)
    found = {}
    for column in foreign.columns:
        fits = len(column) > len(before) + len(after) and column.startswith(before) and column.endswith(after)
        if fits and column not in taken and column not in foreign.unusable:
            found[column] = column[len(before) : len(column) - len(after)]
    return found
