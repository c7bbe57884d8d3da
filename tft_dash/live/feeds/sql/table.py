"""What a table has, and how a span of it is asked for: names from the configuration alone, quoted; values bound."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnClause, Connection, Select, and_, bindparam, column, inspect, select, table
from sqlalchemy.exc import NoSuchTableError
from sqlalchemy.sql.elements import quoted_name

from tft_dash.errors import TableError, shorten
from tft_dash.importing.fit import demand_fit, servers_by_column
from tft_dash.importing.mapping import Mapping, parse_mapping
from tft_dash.importing.parts import Spec
from tft_dash.importing.stamps import known_zone
from tft_dash.live.feeds.sql.bounds import Bounds, Form, form_of
from tft_dash.live.feeds.sql.configuration import Configuration
from tft_dash.live.feeds.sql.reading import Fetched
from tft_dash.schema import METRIC_NAMES, PROFILE, SERVER_NAME, STATE, TIMESTAMP

ROWS_AT_ONCE: Final = 20_000
_LISTED: Final = 12
_WORDS: Final = (SERVER_NAME, PROFILE, STATE)


@dataclass(frozen=True, slots=True)
class Table:
    """A table or view that its mapping fits.

    :param columns: all of its columns.
    :param names: those that are read.
    """

    name: str
    schema: str | None
    columns: tuple[str, ...]
    spec: Spec
    names: tuple[str, ...]
    time: str

    @classmethod
    def found(cls, connection: Connection, configuration: Configuration) -> Table:
        """The configured table as it is now.

        :raises TableError: there is none of that name.
        :raises MappingError: the mapping does not fit it.
        """
        columns = _columns(connection, configuration)
        foreign = Fetched(columns, iter(()))
        mapping = configuration.mapping or _plain_mapping(columns)
        demand_fit(foreign, mapping, configuration.place)
        spec, stamp = mapping.spec, mapping.spec.timestamp
        if stamp is None:
            raise ValueError("a mapping without a timestamp fits no table")
        names = tuple(dict.fromkeys([stamp.from_, *_read(spec, foreign)]))
        return cls(configuration.table, configuration.schema, columns, spec, names, stamp.from_)

    def form(self, connection: Connection) -> Form | None:
        """How its column of times writes them, by one of its values; None = it has no row.

        :raises TableError: the column has no times.
        """
        time = _column(self.time)
        value = connection.execute(select(time).select_from(self._from()).where(time.is_not(None)).limit(1)).scalar()
        stamp = self.spec.timestamp
        if value is None or stamp is None:
            return None
        return form_of(value, stamp.format, known_zone(stamp.zone))

    def rows(self, connection: Connection, bounds: Bounds) -> Iterator[tuple[Sequence[str], Sequence[Sequence[Any]]]]:
        """The rows of a span, some at a time."""
        streamed = {"stream_results": True, "max_row_buffer": ROWS_AT_ONCE}
        spans = {"low": bounds.low, "high": bounds.high}
        result = connection.execute(self._selected(bounds), spans, execution_options=streamed)
        for rows in result.partitions(ROWS_AT_ONCE):
            yield self.names, rows

    def _selected(self, bounds: Bounds) -> Select[Any]:
        time = _column(self.time)
        wanted = [_column(name) for name in self.names]
        span = and_(time > bindparam("low", type_=bounds.kind), time <= bindparam("high", type_=bounds.kind))
        narrow, metrics = self.spec.narrow, self.spec.columns.metrics()
        if narrow is not None:
            words = [part.from_ for part in metrics.values()]
            span = and_(span, _column(narrow.metric).in_(words))
        return select(*wanted).select_from(self._from()).where(span)

    def _from(self) -> Any:  # noqa: ANN401 - SQLAlchemy's own
        schema = None if self.schema is None else quoted_name(self.schema, True)
        return table(quoted_name(self.name, True), schema=schema)


def _column(name: str) -> ColumnClause[Any]:
    return column(quoted_name(name, True))


def _columns(connection: Connection, configuration: Configuration) -> tuple[str, ...]:
    inspector = inspect(connection)
    try:
        found = inspector.get_columns(configuration.table, schema=configuration.schema)
    except NoSuchTableError:
        found = []
    if found:
        return tuple(str(one["name"]) for one in found)
    names = [*inspector.get_table_names(configuration.schema), *inspector.get_view_names(configuration.schema)]
    near = difflib.get_close_matches(configuration.table, names, n=1)
    guess = f" Did you mean '{shorten(near[0])}'?" if near else ""
    listed = ", ".join(shorten(name, 40) for name in names[:_LISTED]) or "none that this user can see"
    raise TableError(f"There is no {configuration.place}.{guess} There are: {listed}.")


def _plain_mapping(columns: tuple[str, ...]) -> Mapping:
    """The mapping of a table whose columns have the contract's names."""
    spec: dict[str, Any] = {"layout": "long", "columns": {}}
    if TIMESTAMP in columns:
        spec["timestamp"] = {"from": TIMESTAMP}
    for name in (*_WORDS, *METRIC_NAMES):
        if name in columns:
            spec["columns"][name] = {"from": name}
    document = {"apiVersion": "tft-dash/v1", "kind": "Mapping", "metadata": {"name": "contract"}, "spec": spec}
    return parse_mapping(document, "the table")


def _read(spec: Spec, foreign: Fetched) -> Iterator[str]:
    given = [getattr(spec.columns, name) for name in (*_WORDS, "incident_phase", "problem_child")]
    yield from (part.from_ for part in given if part is not None and part.from_ is not None)
    if spec.narrow is not None:
        yield from (spec.narrow.metric, spec.narrow.value)
    for part in spec.columns.metrics().values():
        if spec.layout == "long":
            yield part.from_
        elif spec.layout == "wide":
            yield from servers_by_column(part.from_, foreign, spec)
