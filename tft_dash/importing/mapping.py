"""A mapping as a document: what the columns of a foreign file mean, in which units, and how its times are written."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from collections.abc import Mapping as Group
from functools import cache
from typing import Annotated, Any, Final, Literal

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from tft_dash.errors import DocumentError, shorten
from tft_dash.importing.stamps import ZONE_PATTERN, demand_pattern, demand_zone
from tft_dash.importing.units import PercentUnit, RateUnit, RatioUnit, TimeUnit
from tft_dash.scenarios.format.fields import Label, Slug, Text, mistake, show
from tft_dash.scenarios.format.loader import WHOLE, load_text
from tft_dash.scenarios.format.wording import document_order, path_text, problems_of
from tft_dash.schema import COLUMNS, METRIC_NAMES

SERVER_MARK: Final = "{server}"
LONGEST_DOCUMENT: Final = 262_144

LONGEST_COLUMN_NAME: Final = 500

ColumnName = Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_COLUMN_NAME)]
"""A column's name as the file's header has it."""


class MappingError(DocumentError):
    """A mapping document is invalid; carries every problem with its path."""

    def __init__(self, source: str, problems: Any) -> None:  # noqa: ANN401 - as its base
        super().__init__(source, problems)
        self.args = (str(self.args[0]).replace("in the scenario document.", "in the mapping document.", 1),)


class Part(BaseModel):
    """A piece of a document: nothing unknown in it, nothing changes after reading."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True, populate_by_name=True)


class Metadata(Part):
    """What the mapping is called."""

    name: Slug = Field(description="Short name: a–z, 0–9, - and _.")
    description: Text = Field("", description="What it is for, and why it reads the columns as it does.")


class Csv(Part):
    """How a CSV file is written; not used for Parquet."""

    separator: Literal[",", ";", "\t", "|"] = Field(",", description="What stands between two values.")
    decimal: Literal[".", ","] = Field(".", description="What stands before the decimals of a number.")
    encoding: Literal["utf-8", "latin-1", "windows-1252"] = Field("utf-8", description="How letters are stored.")
    skip_lines: Annotated[int, Field(strict=True)] = Field(
        0, ge=0, le=1000, description="Lines before the header that are no part of the table."
    )


class Narrow(Part):
    """Where a narrow table has the names and the values of its metrics."""

    metric: ColumnName = Field(description="The column that names the metric of a row.")
    value: ColumnName = Field(description="The column with the metric's value.")


TimeFormat = Literal[
    "iso", "epoch-s", "epoch-ms", "epoch-us", "epoch-ns", "excel", "day-first", "month-first", "custom"
]


class Timestamp(Part):
    """The column of times."""

    from_: ColumnName = Field(alias="from", description="The column that has the times.")
    format: TimeFormat = Field(
        "iso",
        description="How they are written: ISO 8601, a count since 1970, Excel's day number, 31.12.2026 (day-first), "
        "12/31/2026 (month-first), or custom.",
    )
    pattern: Annotated[str, StringConstraints(max_length=100), AfterValidator(demand_pattern)] | None = Field(
        None, description="For custom: Python's strptime pattern, e.g. %d %b %Y %H:%M:%S."
    )
    zone: Annotated[str, StringConstraints(max_length=60), AfterValidator(demand_zone)] = Field(
        "UTC",
        description=f"Zone of times that name none: UTC, +02:00, or a name such as Europe/Berlin ({ZONE_PATTERN}).",
    )

    @model_validator(mode="after")
    def _pattern_with_custom(self) -> Timestamp:
        if self.format == "custom" and not self.pattern:
            raise mistake("format custom needs a pattern, e.g. %d %b %Y %H:%M:%S.")
        if self.format != "custom" and self.pattern:
            raise mistake(f"pattern goes with format custom only, not with {self.format}.")
        return self


class Words(Part):
    """A column of text: taken from the file, or the same on every row."""

    from_: ColumnName | None = Field(None, alias="from", description="The column that it is taken from.")
    value: Label | None = Field(None, description="The same text on every row.")

    @model_validator(mode="after")
    def _one_of_both(self) -> Words:
        if (self.from_ is None) == (self.value is None):
            raise mistake("needs either from (a column of the file) or value (the same text on every row).")
        return self


class Taken(Part):
    """A column that is taken from the file as it is."""

    from_: ColumnName = Field(alias="from", description="The column that it is taken from.")


_FROM: Final = (
    "The column that it is taken from. In a wide table a pattern with {server} where the server's name stands, "
    "e.g. {server}.cpu; in a narrow table the word that names the metric."
)


class Percent(Part):
    """A metric in per cent."""

    from_: ColumnName = Field(alias="from", description=_FROM)
    unit: PercentUnit = Field("percent", description="The unit it is in.")


class Ratio(Part):
    """A metric from 0 to 1."""

    from_: ColumnName = Field(alias="from", description=_FROM)
    unit: RatioUnit = Field("fraction", description="The unit it is in.")


class Time(Part):
    """A metric in milliseconds."""

    from_: ColumnName = Field(alias="from", description=_FROM)
    unit: TimeUnit = Field("ms", description="The unit it is in; us are microseconds.")


class Rate(Part):
    """A metric in MB/s; a counter of bytes is none."""

    from_: ColumnName = Field(alias="from", description=_FROM)
    unit: RateUnit = Field("MB/s", description="The unit it is in; M and k are powers of 1,000, Mi and Ki of 1,024.")


class Columns(Part):
    """The contract's columns, each with where it comes from; what is not named is missing."""

    server_name: Words | None = Field(None, description="The server; not given in a wide table.")
    profile: Words | None = Field(None, description="web, api, database, cache, …; generic where it is not given.")
    state: Taken | None = Field(None, description="online, warning, critical_issue or offline.")
    cpu_pct: Percent | None = Field(None, description="CPU.")
    mem_pct: Percent | None = Field(None, description="Memory.")
    latency_ms: Time | None = Field(None, description="Latency.")
    error_rate: Ratio | None = Field(None, description="Error rate.")
    disk_io_mb_s: Rate | None = Field(None, description="Disk I/O.")
    net_in_mb_s: Rate | None = Field(None, description="Network in.")
    net_out_mb_s: Rate | None = Field(None, description="Network out.")
    gc_pause_ms: Time | None = Field(None, description="GC pause.")
    incident_phase: Taken | None = Field(None, description="Label of drills.")
    problem_child: Taken | None = Field(None, description="Label of drills.")

    def metrics(self) -> dict[str, Percent | Ratio | Time | Rate]:
        """The metrics that are given, in the contract's order."""
        return {name: given for name in METRIC_NAMES if (given := getattr(self, name)) is not None}


class Spec(Part):
    """The mapping itself."""

    csv: Csv = Field(default_factory=Csv, description="How a CSV file is written.")
    layout: Literal["long", "wide", "narrow"] = Field(
        "long",
        description="long: a row per server and time; wide: a column per server; narrow: a row per server, time and "
        "metric.",
    )
    narrow: Narrow | None = Field(None, description="For narrow: where the metrics' names and values are.")
    timestamp: Timestamp | None = Field(None, description="The times.")
    columns: Columns = Field(default_factory=Columns, description="Where the contract's columns come from.")
    keep: tuple[ColumnName, ...] = Field(
        (), max_length=200, description="Other columns of a long table that are kept as they are, for the inspector."
    )


class Mapping(Part):
    """A whole document."""

    api_version: Literal["tft-dash/v1"] = Field(alias="apiVersion", description="The version of this format.")
    kind: Literal["Mapping"] = Field(description="Always Mapping.")
    metadata: Metadata = Field(description="Name and purpose.")
    spec: Spec = Field(description="The mapping itself.")

    @property
    def name(self) -> str:
        """Short name."""
        return self.metadata.name


def read_mapping(content: bytes | str, source: str) -> Mapping:
    """The mapping that a YAML or JSON text describes.

    :param source: what to call it in messages: a path, or "the request".
    :raises MappingError: with every mistake and its path.
    """
    if isinstance(content, bytes):
        if len(content) > LONGEST_DOCUMENT:
            raise MappingError(source, [(WHOLE, f"is {len(content):,} bytes long; at most {LONGEST_DOCUMENT:,}.")])
        try:
            content = content.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise MappingError(source, [(WHOLE, "is not UTF-8 text. Save it as UTF-8.")]) from error
    try:
        loaded = load_text(content, source)
    except DocumentError as error:
        raise MappingError(source, error.problems) from error
    return parse_mapping(loaded, source)


def parse_mapping(value: object, source: str) -> Mapping:
    """The mapping in a document's plain values.

    :raises MappingError: with every mistake and its path.
    """
    if not isinstance(value, Group):
        words = "is no mapping: it must be a group of fields with apiVersion, kind, metadata and spec, not "
        raise MappingError(source, [(WHOLE, f"{words}{'nothing' if value is None else show(value)}.")])
    mapping, problems = None, []
    try:
        mapping = Mapping.model_validate(value)
    except ValidationError as error:
        problems = problems_of(error, _field_names())
    problems += _cross_problems(mapping)
    if problems or mapping is None:
        ordered = sorted(problems, key=document_order(value))
        raise MappingError(source, [(path_text(location), words) for location, words in ordered])
    return mapping


def _cross_problems(mapping: Mapping | None) -> list[tuple[tuple[int | str, ...], str]]:
    """Mistakes between the parts of a document whose parts are right by themselves."""
    if mapping is None:
        return []
    spec, found = mapping.spec, list[tuple[tuple[int | str, ...], str]]()
    if spec.layout == "narrow" and spec.narrow is None:
        found.append((("spec", "narrow"), "is missing; a narrow table needs metric and value."))
    if spec.layout != "narrow" and spec.narrow is not None:
        found.append((("spec", "narrow"), f"goes with layout narrow only, not with {spec.layout}."))
    found += _keep_problems(spec.keep)
    if spec.layout != "wide":
        return found
    if spec.columns.server_name is not None:
        words = "is not given in a wide table; the columns' names have the servers."
        found.append((("spec", "columns", "server_name"), words))
    for name, given in spec.columns.metrics().items():
        if given.from_.count(SERVER_MARK) != 1:
            words = f"must have {SERVER_MARK} once, where the server's name stands, not '{shorten(given.from_, 40)}'."
            found.append((("spec", "columns", name, "from"), words))
    return found


def _keep_problems(names: Sequence[str]) -> Iterator[tuple[tuple[int | str, ...], str]]:
    for place, name in enumerate(names):
        if name in COLUMNS:
            yield ("spec", "keep", place), f"'{name}' is a column of the contract; give it under columns."
        elif name in names[:place]:
            yield ("spec", "keep", place), f"'{shorten(name)}' stands twice."


def as_plain(mapping: Mapping) -> dict[str, Any]:
    """The document as plain values, without what is left at its default."""
    spec = mapping.spec.model_dump(mode="json", by_alias=True, exclude_none=True, exclude_defaults=True)
    columns = dict(spec.get("columns", {}))
    for name, part in mapping.spec.columns.metrics().items():
        columns[name] = {"from": part.from_, "unit": part.unit}
    plain = {"layout": mapping.spec.layout, **spec}
    if columns:
        plain["columns"] = {name: columns[name] for name in Columns.model_fields if name in columns}
    metadata = mapping.metadata.model_dump(mode="json", exclude_defaults=True)
    return {"apiVersion": mapping.api_version, "kind": mapping.kind, "metadata": metadata, "spec": plain}


def to_yaml(mapping: Mapping) -> str:
    """The document as YAML that :func:`read_mapping` reads back as an equal mapping."""
    return yaml.safe_dump(as_plain(mapping), sort_keys=False, allow_unicode=True, width=120)


def mapping_digest(mapping: Mapping) -> str:
    """SHA-256 of the document in a canonical form; equal for documents that say the same."""
    text = json.dumps(as_plain(mapping), sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


def json_schema() -> dict[str, Any]:
    """JSON Schema of a mapping document, with a description for every field."""
    return Mapping.model_json_schema(by_alias=True)


@cache
def _field_names() -> tuple[str, ...]:
    schema = json_schema()
    parts = [schema, *schema.get("$defs", {}).values()]
    return tuple(sorted({name for part in parts for name in part.get("properties", {})}))
