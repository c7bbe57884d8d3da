"""Where a fleet's history comes from: told in a few words that travel to a worker, which then makes any part of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Protocol

from tft_dash import __version__
from tft_dash.errors import DataError
from tft_dash.models.forecasting.inputs import step_problem, ticks_per_step
from tft_dash.models.forecasting.layout import STEP_SECONDS, TARGETS
from tft_dash.scenarios.chance import Incident, drawn
from tft_dash.scenarios.document import Scenario, document_digest
from tft_dash.scenarios.fleet import server_names
from tft_dash.scenarios.generate import GENERATOR_VERSION, simulate
from tft_dash.schema import Window
from tft_dash.sources.base import SOURCES, START, Source
from tft_dash.training.fleets import Simulated, at_five_minutes, fleet_scenario


@dataclass(frozen=True, slots=True)
class FleetFacts:
    """What is known of a fleet's history without making it.

    :param name: ``seed 7``, or a recording's name.
    :param servers: how many.
    :param ticks: steps of five minutes.
    :param incidents: as drawn, for sorting what was found by its kind; empty for a recording.
    """

    name: str
    servers: int
    ticks: int
    incidents: tuple[Incident, ...] = ()

    @property
    def rows(self) -> int:
        """Rows of its history: one per server and step."""
        return self.servers * self.ticks


class Origin(Protocol):
    """Makes the history of one fleet, or of some of its servers.

    :ivar zone: by whose clock its days run; "" = UTC.
    """

    @property
    def zone(self) -> str: ...

    def facts(self) -> FleetFacts:
        """What the fleet is.

        :raises DataError: no history can be made of it.
        """
        ...

    def key(self) -> str:
        """Equal keys give equal histories."""
        ...

    def raw_ticks(self) -> int:
        """Ticks of a server before they are brought to five minutes."""
        ...

    def window(self, first: int, last: int) -> Window:
        """The servers at the places from ``first`` to before ``last``, at five minutes."""
        ...


@dataclass(frozen=True, slots=True)
class SimulatedOrigin:
    """A fleet of the simulator."""

    seed: int
    servers: int
    days: float
    zone: ClassVar[str] = ""
    """The days of simulated fleets run by UTC."""

    def facts(self) -> FleetFacts:
        """What is drawn.

        :raises SettingError: the size is impossible.
        """
        spec = self._scenario().spec
        return FleetFacts(f"seed {self.seed}", self.servers, spec.clock.ticks, drawn(spec).incidents)

    def key(self) -> str:
        """Its document, and the version of what simulates it."""
        return f"{document_digest(self._scenario())}/{GENERATOR_VERSION}/{__version__}"

    def raw_ticks(self) -> int:
        """The simulator works at five minutes."""
        return self._scenario().spec.clock.ticks

    def window(self, first: int, last: int) -> Window:
        """Each server has exactly the values that it has in the whole fleet."""
        scenario = self._scenario()
        chosen = list(server_names(scenario.spec.fleet.profiles))[first:last]
        return simulate(scenario, servers=chosen).window

    def _scenario(self) -> Scenario:
        return fleet_scenario(self.seed, self.servers, self.days)


def simulated_origins(plan: Simulated) -> tuple[SimulatedOrigin, ...]:
    """One per seed."""
    return tuple(SimulatedOrigin(seed, plan.servers, plan.days) for seed in plan.seeds)


@dataclass(frozen=True, slots=True)
class RecordedOrigin:
    """A recording. Whoever makes a part opens it anew, so that no values travel.

    :param cache: where its cube is kept.
    :param digest: of its content, as it was when the work was given.
    :param zone: by whose clock the fleet's days run; "" = UTC.
    """

    name: str
    path: Path
    cache: Path
    digest: str
    zone: str = ""

    def facts(self) -> FleetFacts:
        """What was recorded.

        :raises DataError: the step is not fit, nothing that could cross a line was measured, or it is no history.
        """
        about = self._source().describe()
        problem = step_problem(about.step_seconds)
        if problem is not None:
            raise DataError(
                f"'{self.name}' cannot be learnt from: {problem}. Export it with a step of 5 minutes or less that "
                "divides 5 minutes."
            )
        if not set(TARGETS) & set(about.metrics):
            raise DataError(
                f"'{self.name}' has no value of {', '.join(TARGETS)}, of which a forecast needs one at least. "
                "Export one of them; tft-dash import gives columns their names."
            )
        return FleetFacts(self.name, len(about.servers), (about.ticks or 0) // ticks_per_step(about.step_seconds))

    def key(self) -> str:
        """Its content, and the version of what reads it."""
        return f"{self.name}/{self.digest}/{self.zone}/{STEP_SECONDS}/{__version__}"

    def raw_ticks(self) -> int:
        """As recorded."""
        return self._source().describe().ticks or 0

    def window(self, first: int, last: int) -> Window:
        """Averaged to five minutes where its step is finer.

        :raises DataError: the recording has changed since the work was given.
        """
        source = self._source()
        about = source.describe()
        if about.digest != self.digest:
            raise DataError(f"'{self.name}' has changed while it was read. Give the command again.")
        whole = source.read(START, about.ticks or 0).window
        metrics = {name: values[:, first:last] for name, values in whole.metrics.items()}
        part = Window(whole.start, whole.step_seconds, whole.servers[first:last], whole.profiles[first:last], metrics)
        return at_five_minutes(part)

    def _source(self) -> Source:
        source: Source = SOURCES.load("file")(self.path, name=self.name, cache_folder=self.cache)
        return source
