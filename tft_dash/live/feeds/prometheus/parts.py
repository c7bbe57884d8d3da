"""The parts of a mapping document from PromQL to the contract: immutable pydantic models, described for people."""

from __future__ import annotations

import re
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from tft_dash.importing.parts import Metadata, Part
from tft_dash.importing.units import PercentUnit, RateUnit, RatioUnit, TimeUnit
from tft_dash.scenarios.format.fields import Duration, Label, mistake, show
from tft_dash.schema import METRIC_NAMES

LONGEST_QUERY: Final = 10_000
SELECT: Final = "$select"
_LABEL: Final = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
_STRING: Final = r'"(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)*\''
_MATCHER: Final = rf"[a-zA-Z_][a-zA-Z0-9_]*\s*(?:=~|!~|!=|=)\s*(?:{_STRING})"
_MATCHERS: Final = re.compile(rf"\s*(?:{_MATCHER}\s*(?:,\s*{_MATCHER}\s*)*,?\s*)?")
_ITEM: Final = rf"(?:{_MATCHER}|\$select)"
_SELECTOR: Final = re.compile(
    rf"\s*(?:[a-zA-Z_:][a-zA-Z0-9_:]*\s*(?:\{{\s*(?:{_ITEM}\s*(?:,\s*{_ITEM}\s*)*,?\s*)?\}})?"
    rf"|\{{\s*{_ITEM}\s*(?:,\s*{_ITEM}\s*)*,?\s*\}})\s*"
)
_NAMES: Final = ("$select", "$window", "$step")
_PLACEHOLDER: Final = re.compile(r"\$[A-Za-z_]+|\$\{[^}]*\}")


def demand_matchers(text: str) -> str:
    """``text``, if it can stand between the braces of a selector: ``job="node",env!="test"``.

    :raises PydanticCustomError: it cannot.
    """
    if not _MATCHERS.fullmatch(text):
        raise mistake(f'must be matchers such as job="node",env!="test", not {show(text)}.')
    return text.strip().rstrip(",")


def _demand_selector(text: str) -> str:
    if not _SELECTOR.fullmatch(text):
        raise mistake(
            f"must be one plain selector such as up{{{SELECT}}}, without function or operator, not {show(text)}: "
            "the time of anything else is the time of the question."
        )
    return text


def _demand_query(text: str) -> str:
    for found in _PLACEHOLDER.findall(_without_strings(text)):
        if found not in _NAMES:
            raise mistake(f"has {show(found)}, which is not known; there are {', '.join(_NAMES)}.")
    if not text.strip():
        raise mistake("must not be empty.")
    return text.strip()


def _without_strings(text: str) -> str:
    """A ``$`` at the end of a regular expression, or before a group's number, is no placeholder."""
    return re.sub(_STRING, '""', text)


def _demand_pattern(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        raise mistake(f"is no regular expression: {show(text)} ({error}).") from error
    return text


def _demand_label(text: str) -> str:
    if not _LABEL.fullmatch(text):
        raise mistake(f"is no name of a label: {show(text)}.")
    return text


Query = Annotated[str, StringConstraints(max_length=LONGEST_QUERY), AfterValidator(_demand_query)]
Selector = Annotated[str, StringConstraints(max_length=LONGEST_QUERY), AfterValidator(_demand_selector)]
Matchers = Annotated[str, StringConstraints(max_length=LONGEST_QUERY), AfterValidator(demand_matchers)]
Pattern = Annotated[str, StringConstraints(min_length=1, max_length=500), AfterValidator(_demand_pattern)]
LabelName = Annotated[str, StringConstraints(max_length=200), AfterValidator(_demand_label)]
Labels = Annotated[tuple[LabelName, ...], Field(min_length=1, max_length=20)]


class Server(Part):
    """What a server is called."""

    labels: Labels = Field(("instance",), description="The labels that can have its name; the first that is there.")
    port: Literal["drop", "keep"] = Field("drop", description="Whether a port at the end is part of the name.")
    pattern: Pattern | None = Field(
        None,
        description="A regular expression for the whole text; its first group, or else all of it, is the name. What "
        "does not match is no server of this source.",
    )


class ProfileRule(Part):
    """One rule from a text to a profile."""

    pattern: Pattern = Field(description="A regular expression that is looked for in the label's text.")
    profile: Label = Field(description="The profile of a server whose label has it.")


class Profile(Part):
    """What a server's profile is; of a server without one it is generic."""

    labels: tuple[LabelName, ...] = Field((), max_length=20, description="The labels to look at; the first there is.")
    rules: tuple[ProfileRule, ...] = Field(
        (), max_length=200, description="The first rule that fits gives the profile; without rules the text itself is."
    )
    value: Label | None = Field(None, description="The profile of a server that neither label nor rule gives one.")

    @model_validator(mode="after")
    def _rules_with_labels(self) -> Profile:
        if self.rules and not self.labels:
            raise mistake("needs labels that its rules can look at.")
        return self


_QUERY: Final = (
    "PromQL with one series for each server. $select stands for the matchers, $window for the span of rates, $step for "
    "the time between ticks."
)
_SEEN: Final = "A plain selector whose samples tell how old the value is, if it is another than the whole mapping's."


class Percent(Part):
    """A metric in per cent."""

    query: Query = Field(description=_QUERY)
    unit: PercentUnit = Field("percent", description="The unit that the query gives.")
    seen: Selector | None = Field(None, description=_SEEN)


class Ratio(Part):
    """A metric from 0 to 1."""

    query: Query = Field(description=_QUERY)
    unit: RatioUnit = Field("fraction", description="The unit that the query gives.")
    seen: Selector | None = Field(None, description=_SEEN)


class Time(Part):
    """A metric in milliseconds."""

    query: Query = Field(description=_QUERY)
    unit: TimeUnit = Field("ms", description="The unit that the query gives; Prometheus's own is s.")
    seen: Selector | None = Field(None, description=_SEEN)


class Rate(Part):
    """A metric in MB/s; a counter needs rate() around it."""

    query: Query = Field(description=_QUERY)
    unit: RateUnit = Field("MB/s", description="The unit that the query gives; the rate of a counter of bytes is B/s.")
    seen: Selector | None = Field(None, description=_SEEN)


Column = Percent | Ratio | Time | Rate


class Columns(Part):
    """The contract's metrics, each with where it comes from; what is not named is missing."""

    cpu_pct: Percent | None = Field(None, description="CPU.")
    mem_pct: Percent | None = Field(None, description="Memory.")
    latency_ms: Time | None = Field(None, description="Latency.")
    error_rate: Ratio | None = Field(None, description="Error rate.")
    disk_io_mb_s: Rate | None = Field(None, description="Disk I/O.")
    net_in_mb_s: Rate | None = Field(None, description="Network in.")
    net_out_mb_s: Rate | None = Field(None, description="Network out.")
    gc_pause_ms: Time | None = Field(None, description="GC pause.")

    @model_validator(mode="after")
    def _some(self) -> Columns:
        if not self.given():
            raise mistake(f"must have at least one of {', '.join(METRIC_NAMES)}.")
        return self

    def given(self) -> dict[str, Column]:
        """Those that are given, in the contract's order."""
        return {name: column for name in METRIC_NAMES if (column := getattr(self, name)) is not None}


class Spec(Part):
    """The mapping itself."""

    select: Matchers = Field("", description="The matchers that $select stands for; the option select replaces them.")
    step: Annotated[Duration, Field(ge=1, le=86_400)] = Field(
        15.0, description="Time between ticks: as targets are scraped, or longer."
    )
    window: Annotated[Duration, Field(ge=1, le=86_400)] | None = Field(
        None, description="The span that $window stands for; four steps where it is not given."
    )
    up: Selector | None = Field(
        f"up{{{SELECT}}}", description="A plain selector: 1 = the target answers, 0 = it is down. null = there is none."
    )
    seen: Selector | None = Field(
        None, description="A plain selector whose samples tell when a server was last heard of; up where not given."
    )
    server: Server = Field(default_factory=Server, description="What servers are called.")
    profile: Profile = Field(default_factory=Profile, description="What profiles servers have.")
    columns: Columns = Field(description="Where the contract's metrics come from.")

    @model_validator(mode="after")
    def _heard_of(self) -> Spec:
        if self.up is None and self.seen is None and any(one.seen is None for one in self.columns.given().values()):
            raise mistake(
                "needs up or seen: without a selector that tells how old values are, those that Prometheus repeats for "
                "five minutes after a server fell silent would be taken for new ones."
            )
        return self


class PrometheusMapping(Part):
    """A whole document."""

    api_version: Literal["tft-dash/v1"] = Field(alias="apiVersion", description="The version of this format.")
    kind: Literal["PrometheusMapping"] = Field(description="Always PrometheusMapping.")
    metadata: Metadata = Field(description="Name and purpose.")
    spec: Spec = Field(description="What the mapping says.")

    def plain(self) -> dict[str, Any]:
        """The document as plain values, without what is left at its default."""
        shown = self.model_dump(mode="json", by_alias=True, exclude_defaults=True)
        return {"apiVersion": self.api_version, "kind": self.kind, **shown}
