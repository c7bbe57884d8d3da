"""What may happen to a fleet by chance: rates and shares from which the seed draws weeks of history."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from tft_dash.scenarios.format.fields import Duration, Number, Share, mistake

Rate = Annotated[Number, Field(ge=0, le=40)]
"""Per server and week; at most one of a sort begins within four hours."""

Most = Annotated[Number, Field(ge=0, le=0.9)]
"""A share that leaves some."""


class Chance(BaseModel):
    """Happenings that the seed draws for every server, beside the faults that the document names.

    Rates are per server and week; at most one of a sort begins within four hours. An incident is what the metrics
    make of it: nothing is labelled here.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)

    incidents: Rate = Field(2.4, description="Incidents that a server has per week, recurrences and cascades aside.")
    aborted: Most = Field(0.3, description="Share of the build-ups that go back before anything is critical.")
    sudden: Share = Field(0.05, description="Share of the incidents that nothing announces.")
    ramp_shortest: Duration = Field(1800.0, ge=300, le=86_400, description="The shortest build-up.")
    ramp_longest: Duration = Field(10_800.0, ge=300, le=86_400, description="The longest build-up.")
    recurring: Share = Field(0.3, description="Share of the incidents that another one follows within hours.")
    cascading: Share = Field(0.1, description="Share of the incidents that pull other servers along.")
    busy_hours: Share = Field(0.6, description="How far incidents keep to the day's busy hours, and off weekends.")
    bursts: Rate = Field(4.0, description="Short bursts of load, which are harmless.")
    restarts: Rate = Field(0.4, description="Restarts, with a few minutes offline.")
    deploys: Rate = Field(0.7, description="Deploys after which the server's usual values are others.")
    gaps: Rate = Field(1.0, description="Spans of minutes to hours in which no samples arrive.")
    maintenance: Rate = Field(0.3, description="Maintenance windows in which load is taken off the server.")

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.ramp_longest < self.ramp_shortest:
            raise mistake("has a 'ramp_longest' that is shorter than 'ramp_shortest'.")
        return self
