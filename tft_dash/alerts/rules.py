"""The parts of a document of alert rules: immutable pydantic models, each field described for people and forms.

Words are those of Prometheus where it has one: ``alert``, ``for``, ``keep_firing_for``, ``labels``, ``annotations``.
"""

from __future__ import annotations

import hashlib
import json
import re
from functools import cached_property
from typing import Annotated, Any, Final, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    PlainSerializer,
    PlainValidator,
    StringConstraints,
    WithJsonSchema,
)

from tft_dash.alerts.judgement.templates import template_problem
from tft_dash.alerts.silences import Matcher, parse_matcher
from tft_dash.errors import UsageError
from tft_dash.scenarios.format.fields import (
    Duration,
    Line,
    MetricName,
    Share,
    Slug,
    Text,
    format_duration,
    mistake,
    show,
)
from tft_dash.schema import THRESHOLDS

Severity = Literal["info", "warning", "critical"]
SEVERITIES: Final = ("info", "warning", "critical")
"""From the least to the most urgent."""
FLEET_CHECKS: Final = ("prob_30m", "prob_8h")
SERVER_CHECKS: Final = ("risk", "server_prob_30m", "server_prob_8h")
OWN_LABELS: Final = ("alertname", "severity", "source", "server_name", "profile", "metric")
"""Labels that every alert gets by itself; a rule cannot set them."""
MOST_RULES: Final = 200

LONGEST_HOLD: Final = 7 * 86400.0
LABEL_NAME: Final = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]{0,62}\Z")


def _plain_name(text: str) -> str:
    if not text[:1].isalpha() or not all(letter.isascii() and (letter.isalnum() or letter in "_-") for letter in text):
        raise mistake(f"must be letters, digits, _ and -, starting with a letter, not {show(text)}.")
    return text


def _label(text: str) -> str:
    if not LABEL_NAME.match(text):
        raise mistake("must be a label's name: letters, digits and _, not starting with a digit.")
    return text


def _hold(seconds: float) -> float:
    if seconds > LONGEST_HOLD:
        raise mistake(f"must be at most {format_duration(LONGEST_HOLD)}, not {format_duration(seconds)}.")
    return seconds


def _bar(value: object) -> float | str:
    if value in ("warning", "critical"):
        return str(value)
    if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= 1e12:
        return float(value) + 0.0
    raise mistake(f"must be a number, warning or critical, not {show(value)}.")


def _matcher(value: object) -> Matcher:
    try:
        if isinstance(value, str):
            return parse_matcher(value)
    except UsageError as error:
        raise mistake(str(error)) from error
    raise mistake(f"must be a matcher in one text, like profile=database, not {show(value)}.")


def _template(text: str) -> str:
    problem = template_problem(text)
    if problem is not None:
        raise mistake(problem)
    return text


def _link(text: str) -> str:
    if not text.startswith(("http://", "https://")) or any(letter.isspace() for letter in text):
        raise mistake(f"must be an address that starts with http:// or https://, not {show(text)}.")
    return text


Name = Annotated[str, StringConstraints(min_length=1, max_length=80), AfterValidator(_plain_name)]
LabelName = Annotated[str, AfterValidator(_label)]
Hold = Annotated[Duration, AfterValidator(_hold)]
Bar = Annotated[
    Any,
    PlainValidator(_bar),
    WithJsonSchema({"anyOf": [{"type": "number"}, {"type": "string", "enum": ["warning", "critical"]}]}),
]
"""A number in the metric's unit, or the contract's warning or critical line for it."""
Where = Annotated[Any, PlainValidator(_matcher), PlainSerializer(str), WithJsonSchema({"type": "string"})]
Annotation = Annotated[str, StringConstraints(max_length=1000), AfterValidator(_template)]
Address = Annotated[str, StringConstraints(max_length=500), AfterValidator(_link)]


class Part(BaseModel):
    """A piece of a document: nothing unknown in it, nothing changes after reading."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True, populate_by_name=True)


class _Chance(Part):
    above: Share = Field(description="It fires above this.")
    clear_at: Share | None = Field(None, description="It clears at this and below; without it, at the bar itself.")

    @property
    def metrics(self) -> tuple[str, ...]:
        """Names that tell its alerts apart beside the server."""
        return ("",)

    def bars(self, metric: str) -> tuple[float, float, int]:
        """The value to fire beyond, the one to clear at, and 1 for above, −1 for below."""
        del metric
        return self.above, self.above if self.clear_at is None else self.clear_at, 1


class FleetCheck(_Chance):
    """What the model says of the whole fleet."""

    check: Literal["prob_30m", "prob_8h"] = Field(description="What is looked at.")


class ServerCheck(_Chance):
    """What the model says of a server; an alert for each."""

    check: Literal["risk", "server_prob_30m", "server_prob_8h"] = Field(description="What is looked at.")


class MetricCheck(Part):
    """What a server reports; an alert for each server and metric."""

    check: Literal["metric"] = Field(description="What is looked at.")
    metrics: tuple[MetricName, ...] = Field(min_length=1, max_length=8, description="The metrics, each by itself.")
    above: Bar | None = Field(None, description="It fires above this: a number, or the contract's line for the metric.")
    below: Bar | None = Field(None, description="It fires below this; above or below, not both.")
    clear_at: Bar | None = Field(None, description="It clears here; without it, at the bar itself.")

    def bars(self, metric: str) -> tuple[float, float, int]:
        """The value to fire beyond, the one to clear at, and 1 for above, −1 for below."""
        fire = self.above if self.above is not None else self.below
        clear = fire if self.clear_at is None else self.clear_at
        return bar_of(fire, metric), bar_of(clear, metric), 1 if self.above is not None else -1


def bar_of(bar: object, metric: str) -> float:
    """The number that a bar stands for; NaN where the contract has no such line for the metric."""
    if bar not in ("warning", "critical"):
        return float(str(bar))
    threshold = THRESHOLDS.get(metric)
    return float(getattr(threshold, str(bar))) if threshold is not None else float("nan")


class SilentCheck(Part):
    """A server that others report beside reports no metric, or nothing at all comes from the source."""

    check: Literal["server_silent", "source_silent"] = Field(description="What is looked at.")

    @property
    def metrics(self) -> tuple[str, ...]:
        """Names that tell its alerts apart beside the server."""
        return ("",)

    def bars(self, metric: str) -> tuple[float, float, int]:
        """Silent is 1, heard is 0."""
        del metric
        return 0.5, 0.5, 1


Check = Annotated[FleetCheck | ServerCheck | MetricCheck | SilentCheck, Field(discriminator="check")]


class Rule(Part):
    """When an alert fires, when it ends, and what people read."""

    alert: Name = Field(description="Its name, in the label alertname.")
    when: Check = Field(description="The condition.")
    where: tuple[Where, ...] = Field(
        (), max_length=20, description="Only for what these matchers fit: profile=database, server_name=~web-.*"
    )
    for_: Hold = Field(0.0, alias="for", description="How long it must hold before it fires.")
    keep_firing_for: Hold = Field(0.0, description="How long it must be clear before the alert is over.")
    severity: Severity = Field("warning", description="How urgent it is, in the label severity.")
    labels: dict[LabelName, Line] = Field({}, max_length=20, description="Further labels; never put a value in one.")
    annotations: dict[LabelName, Annotation] = Field(
        {}, max_length=20, description="Texts; {{ $value }} and {{ $labels.server_name }} are filled in."
    )
    runbook_url: Address | None = Field(None, description="What to do about it, in the annotation runbook_url.")
    enabled: bool = Field(True, strict=True, description="Whether it is judged at all.")

    @property
    def for_ms(self) -> int:
        """``for`` in milliseconds."""
        return round(self.for_ * 1000)

    @property
    def keep_ms(self) -> int:
        """``keep_firing_for`` in milliseconds."""
        return round(self.keep_firing_for * 1000)

    @cached_property
    def condition(self) -> str:
        """Equal where the condition is: what is looked at, then a digest of the rest. Durations are no part of it."""
        when = self.when.model_dump(mode="json")
        text = json.dumps([when, [str(one) for one in self.where]], sort_keys=True)
        return f"{self.when.check} {hashlib.sha256(text.encode()).hexdigest()[:16]}"


class Metadata(Part):
    """What the document is called and for whom."""

    name: Slug = Field(description="Short name: a–z, 0–9, - and _.")
    title: Line = Field("", description="Heading for people.")
    description: Text = Field("", description="What the rules are for.")


class Spec(Part):
    """The rules."""

    rules: tuple[Rule, ...] = Field(min_length=1, max_length=MOST_RULES, description="The rules, in order.")


class RuleSet(Part):
    """A whole document."""

    api_version: Literal["tft-dash/v1"] = Field(alias="apiVersion", description="The version of this format.")
    kind: Literal["AlertRules"] = Field(description="Always AlertRules.")
    metadata: Metadata = Field(description="Name and purpose.")
    spec: Spec = Field(description="The rules themselves.")

    @property
    def name(self) -> str:
        """Short name."""
        return self.metadata.name

    @property
    def rules(self) -> tuple[Rule, ...]:
        """The rules that are judged."""
        return tuple(rule for rule in self.spec.rules if rule.enabled)
