"""What a document can expect of its drill."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from tft_dash.scenarios.format.fields import Label, Line, Number, Share, Slug, Some, mistake

Statistic = Literal["median", "min", "max"]


class _Check(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    phase: Label | None = Field(None, description="Only in this phase; without it, during the whole drill.")
    fleet_of_at_least: Some = Field(
        1, description="Judged only in fleets of at least so many servers, for a drill that is made in other sizes."
    )


class _Bounded(_Check):
    statistic: Statistic = Field("median", description="Of all the values: median, min or max.")
    above: Number | None = Field(None, ge=0, le=1, description="Must be more than this.")
    below: Number | None = Field(None, ge=0, le=1, description="Must be less than this.")

    @model_validator(mode="after")
    def _has_a_bound(self) -> Self:
        if self.above is None and self.below is None:
            raise mistake("needs above, below, or both.")
        return self


class TopCheck(_Check):
    """The riskiest servers are the right ones."""

    check: Literal["top"] = Field(description="What is checked.")
    servers: tuple[Line, ...] | None = Field(None, min_length=1, description="These servers.")
    fault: Slug | None = Field(None, description="Those that this fault strikes; without either, those with any fault.")
    count: Some = Field(5, description="Among so many of the riskiest.")
    ticks: Share = Field(0.9, description="In at least this share of the ticks.")

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if self.servers is not None and self.fault is not None:
            raise mistake("takes servers or a fault, not both.")
        return self


class ProbabilityCheck(_Bounded):
    """The fleet's probability of an incident is where it should be."""

    check: Literal["prob_30m", "prob_8h"] = Field(description="What is checked.")


class RiskCheck(_Bounded):
    """The servers' risk is where it should be."""

    check: Literal["risk"] = Field(description="What is checked.")
    whom: Literal["affected", "unaffected", "all"] = Field("all", description="Servers with a fault, without, or all.")


class HealthCheck(_Check):
    """The fleet is never in worse health."""

    check: Literal["health"] = Field(description="What is checked.")
    never_worse_than: Literal["GREEN", "YELLOW"] = Field(description="The worst health that is fine.")


class StateCheck(_Check):
    """The servers are in a state, or never are, by their metrics alone."""

    check: Literal["state"] = Field(description="What is checked.")
    state: Literal["online", "warning", "critical_issue", "offline"] = Field(description="The state looked for.")
    whom: Literal["affected", "unaffected", "all"] = Field(
        "affected", description="Servers with a fault, without, or all."
    )
    at_least: Share | None = Field(None, description="In at least this share of servers and ticks.")
    at_most: Share | None = Field(None, description="In at most this share of servers and ticks; 0 means never.")

    @model_validator(mode="after")
    def _has_a_bound(self) -> Self:
        if self.at_least is None and self.at_most is None:
            raise mistake("needs at_least, at_most, or both.")
        return self


Expectation = Annotated[
    TopCheck | ProbabilityCheck | RiskCheck | HealthCheck | StateCheck, Field(discriminator="check")
]
