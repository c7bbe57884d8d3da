"""How a table of a database is read, from a SQLAlchemy URL and its options."""

from __future__ import annotations

import difflib
import os
from collections.abc import Mapping as Group
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

from tft_dash.errors import UsageError, shorten
from tft_dash.importing.mapping import LONGEST_DOCUMENT, Mapping, MappingError, read_mapping
from tft_dash.live.feeds.options import Options, Secret

OPTIONS: Final = ("table", "schema", "mapping", "step", "timeout", "password_file", "password_env")
DEFAULT_STEP: Final = 60.0
_ORDERED: Final = ("iso", "epoch-s", "epoch-ms", "epoch-us", "epoch-ns")
"""The forms of times that a database can compare."""


@dataclass(frozen=True, slots=True)
class Configuration:
    """What is read of which database.

    :param url: may hold a password: never shown.
    :param mapping: None = the columns have the contract's names.
    """

    url: URL = field(repr=False)
    table: str
    schema: str | None
    mapping: Mapping | None
    step_seconds: float
    timeout_seconds: float
    password: Secret | None = None

    @property
    def place(self) -> str:
        """The table for people, without user and password."""
        host = f"{self.url.host}/" if self.url.host else ""
        name = f"{self.schema}.{self.table}" if self.schema else self.table
        return shorten(f"table {name} of {self.url.get_backend_name()} {host}{self.url.database or ''}", 300)

    @property
    def dialect(self) -> str:
        """``postgresql``, ``sqlite``, …"""
        return self.url.get_backend_name()


def configured(url: str, given: Group[str, str]) -> Configuration:
    """The configuration that a URL without its query, and its options, stand for.

    Options that are none of ours go to the driver, as ``sslmode=verify-full`` does.

    :raises UsageError: an option is impossible, or the driver is not installed.
    :raises MappingError: the mapping's document is invalid.
    """
    place = _database(url)
    own, drivers = _parted(given, place)
    options = Options(own)
    table, schema = options.text("table"), options.text("schema") or None
    if not table:
        raise UsageError("Which table is read? Add ?table=name (of a view, too) or ?table=schema.name to the URL.")
    if schema is None and "." in table:
        schema, _, table = table.partition(".")
    return Configuration(
        url=place.update_query_dict(drivers),
        table=table,
        schema=schema,
        mapping=_mapping(options),
        step_seconds=options.seconds("step", DEFAULT_STEP, 1.0, 86_400.0),
        timeout_seconds=options.seconds("timeout", 30.0, 0.1, 3600.0),
        password=options.secret("password"),
    )


def _parted(given: Group[str, str], url: URL) -> tuple[dict[str, str], dict[str, str]]:
    own = {name: value for name, value in given.items() if name in OPTIONS}
    others = {name: value for name, value in given.items() if name not in OPTIONS}
    for name in others:
        near = difflib.get_close_matches(name, OPTIONS, n=1, cutoff=0.75)
        if near or url.get_backend_name() == "sqlite":
            guess = f" Did you mean '{near[0]}'?" if near else ""
            raise UsageError(f"There is no option '{shorten(name)}' here.{guess} Known: {', '.join(sorted(OPTIONS))}.")
    return own, others


def _database(text: str) -> URL:
    try:
        url = make_url(text)
        dialect = url.get_dialect()
        dialect.import_dbapi()
    except NoSuchModuleError:
        raise UsageError(
            f"'{shorten(text.partition(':')[0], 40)}' is no kind of database that is known here. Use "
            "postgresql+psycopg://, sqlite:///, or install SQLAlchemy's dialect for it."
        ) from None
    except (ArgumentError, ValueError):  # the text may hold a password
        raise UsageError(
            "That is no database URL. Write it like postgresql+psycopg://user@host/database?table=metrics."
        ) from None
    except ImportError as error:
        raise UsageError(
            f"A {shorten(url.drivername, 40)} database needs the Python package '{error.name}', which is not "
            f"installed. Install it with pip{_OTHER_DRIVER.get(url.drivername, '')}."
        ) from error
    if dialect.is_async:
        raise UsageError(f"'{url.drivername}' is an asynchronous driver. Use another, such as postgresql+psycopg.")
    return _file(url) if url.get_backend_name() == "sqlite" else url


_OTHER_DRIVER: Final[Group[str, str]] = {"postgresql": ", or write postgresql+psycopg:// for the driver psycopg"}


def _file(url: URL) -> URL:
    """The SQLite file, opened for reading alone; that it is there is asked when it is read."""
    name = url.database or ""
    if not name or name == ":memory:" or name.startswith("file:"):
        raise UsageError("A SQLite source is a file. Write sqlite:////srv/metrics.sqlite?table=name.")
    return url.set(database=os.fspath(Path(name).expanduser().absolute()))


def _mapping(options: Options) -> Mapping | None:
    path = options.file("mapping")
    if path is None:
        return None
    with Path(path).open("rb") as file:
        mapping = read_mapping(file.read(LONGEST_DOCUMENT + 1), shorten(path, 200))
    stamp = mapping.spec.timestamp
    problems = []
    if stamp is not None and stamp.format not in _ORDERED:
        words = (
            f"of the form {stamp.format} cannot be selected by time in a database. Make a view whose column is a "
            f"timestamp, or has one of {', '.join(_ORDERED)}."
        )
        problems.append(("spec.timestamp.format", words))
    if stamp is not None and stamp.clock is not None:
        words = "goes with files only. Make a view whose column has the day with the time."
        problems.append(("spec.timestamp.clock", words))
    if problems:
        raise MappingError(shorten(path, 200), problems)
    return mapping
