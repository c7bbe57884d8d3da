"""The parts of a mapping document: immutable pydantic models, each field described for people and forms."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from tft_dash.importing.stamps import ZONE_PATTERN, demand_pattern, demand_zone
from tft_dash.importing.units import PercentUnit, RateUnit, RatioUnit, TimeUnit
from tft_dash.scenarios.format.fields import Label, Slug, Text, mistake
from tft_dash.schema import METRIC_NAMES

SERVER_MARK: Final = "{server}"

LONGEST_COLUMN_NAME: Final = 500

ColumnName = Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_COLUMN_NAME)]
"""A column's name as the file's header has it."""


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
    clock: ColumnName | None = Field(
        None, description="The column of the time of day, where the other has only the day."
    )
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
        if self.clock is not None and self.format.startswith(("epoch", "excel")):
            raise mistake(f"clock goes with days that are written out, not with {self.format}.")
        return self

    def columns(self) -> tuple[str, ...]:
        """The columns that it is read from."""
        return (self.from_,) if self.clock is None else (self.from_, self.clock)


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
