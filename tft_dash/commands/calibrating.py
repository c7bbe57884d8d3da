"""``tft-dash calibrate``: fits a model's probabilities to a fleet's own history with outcomes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import click

from tft_dash.assessing import assess_source
from tft_dash.calibrating.cases import Told
from tft_dash.calibrating.incidents import KnownIncident, read_incidents
from tft_dash.calibrating.truth import QUIET_SECONDS, Truth, of_crossings, of_incidents
from tft_dash.calibrating.work import EARLIER, Outcomes, fleet_calibration
from tft_dash.commands.terminal import progress_bar, say, settings_from
from tft_dash.errors import DataError, UsageError, shorten
from tft_dash.frame import SourceDescription
from tft_dash.models.base import RiskModel, unfit
from tft_dash.models.calibrated.document import FleetCalibration, Quality
from tft_dash.models.forecasting.card import VERSION_PATTERN
from tft_dash.models.forecasting.evidence import Interval
from tft_dash.progress import Progress
from tft_dash.schema import Window
from tft_dash.services import Services
from tft_dash.sources.base import START

NOTICED: Final = 0.01
"""A loss of Brier skill below this is not worth a sentence."""
CROSSINGS: Final = "threshold crossings"
_GLOSS: Final = (
    "Brier skill: against always saying how often it happened on these later rows; over before: against the rate of "
    "the earlier part, which is all that could be known. In brackets: 95 % of 400 resamples of blocks of time."
)


@click.command()
@click.argument("source", nargs=-1, required=True)
@click.option("--model", default="tft", help="The risk model: tft (the active version) or thresholds.  [default: tft]")
@click.option(
    "--outcomes", multiple=True, type=click.Path(path_type=Path),
    help="Incidents that are known: server, start, end, label. Without it threshold crossings count.",
)  # fmt: skip
@click.option(
    "--for", "served", multiple=True, metavar="NAME", help="The served source it is for.  [default: SOURCE's]"
)
@click.option("--name", help="Of the calibration.  [default: the model's, with the first source and the day]")
@click.option("--activate", is_flag=True, help="Let it answer at once.")
def calibrate(source: tuple[str, ...], model: str, outcomes: tuple[Path, ...], **options: Any) -> None:  # noqa: ANN401
    """Fit a model's probabilities to the history of one fleet, and say on later data what that is worth.

    The result is a calibration for the sources named, and for no other. It answers once it is activated.

    \b
    Example:
      tft-dash calibrate last-quarter.parquet --for fleet
      tft-dash calibrate fleet.parquet --outcomes incidents.csv --name ours-1
      tft-dash calibrate drills.parquet --model thresholds
    """
    known = [one for path in outcomes for one in read_incidents(path)]
    services = Services(settings_from(sources=source), wait_seconds=None)
    try:
        services.exchange_models()
        names = services.configured_names()
        chosen = _name(services, options["name"] or f"{model}-{_slug(names[0])}-{datetime.now(UTC):%Y%m%d}"[:64])
        asked = services.models.model(model)
        if asked.card.uses_labels:
            raise UsageError(
                f"'{model}' reads the script of a drill; there is nothing to fit. Choose tft or thresholds."
            )
        found = _outcomes(services, asked, known, outcomes)
        made = fleet_calibration(found, asked.card, chosen, tuple(dict.fromkeys(options["served"])) or names)
        shelf = services.models.calibrations
        path = shelf.add(made)
        if options["activate"]:
            shelf.activate(made.name)
        services.exchange_models()
    finally:
        services.close()
    for line in report(made):
        click.echo(line)
    say(f"Written to {path}.")
    done = f"It answers for {', '.join(made.sources)} now. To take it back: tft-dash models rollback --source NAME"
    waits = f"Nothing answers with it yet. To use it: tft-dash models activate {made.name}"
    say(done if options["activate"] else waits)


def report(made: FleetCalibration) -> Iterator[str]:
    """The calibration and its record, line by line."""
    yield f"{made.words}; {made.rows:,} server ticks, {made.span}"
    yield (
        f"measured on the later part ({made.later_incidents} incidents) with a fit to the earlier one (the first "
        f"{EARLIER:.0%} of the incidents); what is written is fitted to the whole, whose own rows stand beside it"
    )
    yield (
        f"{'':<18}{'rows':>9}{'came true':>10}  {'Brier skill':<28}{'over before':<28}{'Brier':>8}{'log loss':>9}"
        f"{'ECE':>8}{'AUC':>7}{'said':>8}{'happened':>9}"
    )
    for key, change in made.record.items():
        for when, one in (("before", change.before), ("after", change.after), ("whole", made.whole[key])):
            yield f"{key + ' ' + when:<18}{_cells(one)}"
    yield _GLOSS
    for key in made.record:
        yield from _verdict(made, key)


def _cells(one: Quality) -> str:
    plain = "".join(
        f"{_plain(value[0], places):>{width}}"
        for value, places, width in ((one.brier, 4, 8), (one.log_loss, 4, 9), (one.calibration_error, 4, 8))
    )
    shares = "".join(f"{'–' if value is None else f'{value:.2%}':>{width}}" for value, width in (
        (one.said, 8), (one.happened, 9),
    ))  # fmt: skip
    skills = f"{_between(one.brier_skill):<28}{_between(one.skill_over_before):<28}"
    return f"{one.rows:>9,}{one.positives:>10,}  {skills}{plain}{_plain(one.auc, 2):>7}{shares}"


def _verdict(made: FleetCalibration, key: str) -> Iterator[str]:
    """What the figures mean, where it is not plain."""
    kind, horizon = key.split()
    line = {str(name): one for name, one in (made.server if kind == "server" else made.fleet).items()}[horizon]
    after = made.record[key].after
    if not after.rows:
        yield f"{key}: the later part is too short, or the earlier one too even, to say what the fit is worth."
    elif not after.positives or after.positives == after.rows:
        ever = "always" if after.positives else "never"
        yield f"{key}: in the later part it {ever} happened; skill says nothing there."
    elif (after.brier_skill[0] or 0.0) < -NOTICED and (after.brier_skill[2] or 0.0) < 0.0:
        yield (
            f"{key}: on the later part the fit is worse than always saying how often it happened there: "
            f"{after.said:.2%} was said, and {after.happened:.2%} happened. The fleet has changed; fit anew later on."
        )
    if line.slope == 0.0:
        yield f"{key}: what the model says does not help here, so the usual rate is stated, whatever it says."


def _outcomes(services: Services, model: RiskModel, known: Sequence[KnownIncident], files: Sequence[Path]) -> Outcomes:
    """What the model said of every source, and what happened there."""
    about, told = [], []
    for name in services.configured_names():
        with progress_bar(f"Judging {name}") as progress:
            one = services.source(name)
            one.prepare(_part(progress, 0.0, 0.3))
            found = services.describe(name)
            _demand_fit(model, found)
            said = assess_source(one, model, services.settings.cache, _part(progress, 0.3, 1.0))
            window = one.read(START, found.ticks or 0).window
            about.append(found)
            told.append(Told.of(said.assessments, _truth(window, known, files), found.step_seconds))
    if files:
        _tell_unmatched(known, {server for found in about for server in found.servers}, files)
    words = CROSSINGS if not files else f"outcomes in {', '.join(path.name for path in files)}"
    return Outcomes(tuple(about), tuple(told), words)


def _part(progress: Progress, first: float, last: float) -> Progress:
    """The progress of a part of the work."""
    return lambda share: progress(first + (last - first) * share)


def _truth(window: Window, known: Sequence[KnownIncident], files: Sequence[Path]) -> Truth:
    return of_incidents(window, known) if files else of_crossings(window)


def _demand_fit(model: RiskModel, about: SourceDescription) -> None:
    problem = unfit(model, about)
    if problem is not None:
        raise DataError(
            f"'{model.card.name}' cannot answer for '{about.name}': {problem}. "
            "Calibrate the model that does: --model thresholds."
        )
    if not about.ticks:
        raise DataError(f"'{about.name}' has no history. Name a recording.")
    if about.step_seconds > QUIET_SECONDS:
        raise DataError(
            f"The ticks of '{about.name}' are {about.step_seconds / 60:g} minutes apart; what begins within 30 minutes "
            "cannot be told from them. Give a recording with a finer step."
        )


def _tell_unmatched(known: Sequence[KnownIncident], servers: set[str], files: Sequence[Path]) -> None:
    named = {one.server for one in known if one.server is not None}
    missing = sorted(named - servers)
    if not missing:
        return
    shown = ", ".join(f"'{shorten(name, 40)}'" for name in missing[:3])
    if len(missing) == len(named):
        raise DataError(
            f"None of the servers in {', '.join(str(path) for path in files)} is in the recordings: {shown}"
            f"{' …' if len(missing) > 3 else ''}. Their names must be equal."
        )
    say(f"{len(missing)} of {len(named)} servers with outcomes are not in the recordings: {shown}.")


def _name(services: Services, name: str) -> str:
    if not re.match(VERSION_PATTERN, name):
        raise UsageError(
            f"--name: '{shorten(name)}' cannot be the name of a calibration. Take letters, digits, '.', '_', '+' "
            "and '-'."
        )
    versions = {version.version for version in services.artefacts()}
    if name in services.models.calibrations.names() or name in versions or name == "active":
        raise UsageError(f"There is a calibration or a model version '{name}' already. Give another --name.")
    return name


def _slug(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9._+-]+", "-", name).strip("-") or "source"


def _between(value: Interval) -> str:
    if value[0] is None:
        return "–"
    around = "" if value[1] is None else f" ({_plain(value[1], 3)} to {_plain(value[2], 3)})"
    return f"{_plain(value[0], 3)}{around}"


def _plain(value: float | None, places: int) -> str:
    if value is None:
        return "–"
    return f"{value + 0.0:.{places}f}".replace(f"-{0:.{places}f}", f"{0:.{places}f}")
