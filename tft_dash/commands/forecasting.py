"""Commands that train and measure the forecast. What they need is imported when they run."""

from __future__ import annotations

import importlib
import os
import re
import shlex
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final

import click

from tft_dash.commands.terminal import BAR_WIDTH, progress_bar, say, settings_from
from tft_dash.errors import DataError, MissingExtraError, UsageError, shorten
from tft_dash.services import Services

if TYPE_CHECKING:
    from tft_dash.models.forecasting.artefact import Artefact
    from tft_dash.training.fleets import Fleet

TRAINING_FLEETS: Final = 10
FLEET_SERVERS: Final = 24
FLEET_DAYS: Final = 28.0
MOST_SEED: Final = 2**62
_LINE_SHARE: Final = 0.1
"""How often the loss is told where no bar can be drawn."""

_SEED = click.IntRange(min=0, max=MOST_SEED)
_POSITIVE = click.FloatRange(min=0, min_open=True)


@click.command()
@click.argument("source", nargs=-1)
@click.option(
    "--output", required=True, type=click.Path(path_type=Path), help="The model's folder; its name = version."
)
@click.option("--seed", default=1, type=_SEED, metavar="N", help="Of the fit and the first fleet.  [default: 1]")
@click.option("--fleets", type=click.IntRange(1, 1000), metavar="N", help="Simulated fleets.  [default: 10]")
@click.option("--servers", type=click.IntRange(min=1), metavar="N", help="Servers in each.  [default: 24]")
@click.option("--days", type=_POSITIVE, metavar="N", help="Days of each.  [default: 28]")
@click.option("--steps", type=click.IntRange(min=1), metavar="N", help="Steps of the optimiser.  [default: 4000]")
@click.option("--minutes", type=_POSITIVE, metavar="M", help="As many steps as fit into so many minutes instead.")
@click.option("--device", default="cpu", type=click.Choice(["cpu", "cuda"]), help="Where to fit.  [default: cpu]")
def train(source: tuple[str, ...], output: Path, **options: Any) -> None:  # noqa: ANN401
    """Train a forecast model on recordings SOURCE …, or on freshly simulated fleets.

    Work that was stopped goes on where it was when the same command is given again.

    \b
    Example:
      tft-dash train --output models/mine-1
      tft-dash train last-month.parquet --output models/ours-1 --minutes 10
    """
    training, fleets = _needed("train"), _needed("fleets")
    version = _version(output.resolve().name, "--output")
    if options["steps"] is not None and options["minutes"] is not None:
        raise UsageError("--steps and --minutes both say how long to fit. Leave one out.")
    training.demand_device(options["device"])
    if output.exists() and (not output.is_dir() or any(output.iterdir())):
        raise UsageError(f"--output {shorten(str(output), 200)} is there already. Name another, or remove it.")
    if source:
        _only_simulated(options, ("fleets", "servers", "days"))
        found, trained_on = _recordings(source), _of_recordings(source)
    else:
        first, count = options["seed"], options["fleets"] or TRAINING_FLEETS
        plan = fleets.Simulated(
            tuple(range(first, first + count)), options["servers"] or FLEET_SERVERS, options["days"] or FLEET_DAYS
        )
        found, trained_on = fleets.simulated_fleets(plan), _of_simulation(plan)
    order = training.Order(
        output.resolve(), training.plan_for(options["device"], options["seed"], options["steps"]),
        options["device"], trained_on, options["minutes"],
    )  # fmt: skip
    with progress_bar("Measuring") as progress:
        artefact = training.train(found, order, training.Listener(say, progress, _LossBar()))
    say(f"The model {version} is in {output}. Measure it: tft-dash evaluate --model {shlex.quote(str(output))}")
    click.echo(str(artefact.folder))


@click.command()
@click.argument("source", nargs=-1)
@click.option("--model", default="tft", help="A version, a model's folder, or tft for the active one.  [default: tft]")
@click.option("--seed", type=_SEED, metavar="N", help="The first of three fresh seeds.  [default: 1001]")
@click.option("--servers", type=click.IntRange(min=1), metavar="N", help="Servers of each fleet.  [default: 24]")
@click.option("--days", type=_POSITIVE, metavar="N", help="Days of each fleet.  [default: 28]")
@click.option("--json", "as_json", is_flag=True, help="Print the whole evidence as JSON.")
@click.option("--output", type=click.Path(path_type=Path), help="Also write the evidence to this file.")
def evaluate(source: tuple[str, ...], model: str, as_json: bool, output: Path | None, **options: Any) -> None:  # noqa: ANN401
    """Measure a model beside every reference, on three fresh simulated fleets or on recordings SOURCE ….

    The same command gives the same figures, and the digest under them.

    \b
    Example:
      tft-dash evaluate --model tft
      tft-dash evaluate last-month.parquet --model tft --json
    """
    evaluating, fleets = _needed("evaluate"), _needed("fleets")
    artefact = _artefact(model)
    words = _command("evaluate", source, model, options)
    if source:
        _only_simulated(options, ("seed", "servers", "days"))
        recordings = _recordings(source)
        with progress_bar("Measuring") as progress:
            evidence = evaluating.evaluate_recorded(artefact, recordings, words, progress)
    else:
        first = evaluating.FRESH_SEED if options["seed"] is None else options["seed"]
        plan = fleets.Simulated(
            tuple(range(first, first + evaluating.FRESH_SEEDS)), options["servers"] or FLEET_SERVERS,
            options["days"] or FLEET_DAYS,
        )  # fmt: skip
        with progress_bar("Measuring") as progress:
            evidence = evaluating.evaluate_simulated(artefact, plan, words, progress)
    content = evidence.model_dump_json(indent=2)
    if output is not None:
        _write(output, content)
    click.echo(content if as_json else _needed("measuring.table").table(evidence))


class _LossBar:
    """The fit's progress: steps, loss and time left; a line now and then where there is no terminal."""

    def __init__(self) -> None:
        self._begun = time.monotonic()
        self._first: int | None = None
        self._told = 0.0

    def __call__(self, step: int, steps: int, loss: float, best: float) -> None:
        if self._first is None:
            self._first, self._begun = step, time.monotonic()
        done = step - self._first
        left = (time.monotonic() - self._begun) / done * (steps - step) if done else None
        share = step / steps
        words = f"step {step:,} of {steps:,}, loss {loss:.4f}"
        words += f", validation {best:.4f}" if best < float("inf") else ""
        words += f", {left:.0f} s left" if left is not None else ""
        if sys.stderr.isatty():
            filled = round(BAR_WIDTH * share)
            sys.stderr.write(f"\r\x1b[KFitting [{'#' * filled}{'.' * (BAR_WIDTH - filled)}] {words}")
            sys.stderr.write("\n" if step >= steps else "")
            sys.stderr.flush()
        elif share - self._told >= _LINE_SHARE or step >= steps:
            self._told = share
            say(f"Fitting: {words}")


def _needed(name: str) -> ModuleType:
    """A module of ``tft_dash.training``.

    :raises MissingExtraError: the extra ``train`` is not installed.
    """
    # Threads that spin while they wait for each other make a step ten times as long on a machine that others use too.
    # The library reads this when it is loaded, so before torch.
    for variable, value in (("OMP_WAIT_POLICY", "PASSIVE"), ("GOMP_SPINCOUNT", "0")):
        os.environ.setdefault(variable, value)
    try:
        return importlib.import_module(f"tft_dash.training.{name}")
    except ModuleNotFoundError as error:
        if error.name is not None and error.name.partition(".")[0] == "tft_dash":
            raise
        raise MissingExtraError("Training and measuring forecasts", "train") from error


def _version(name: str, option: str) -> str:
    from tft_dash.models.forecasting.card import VERSION_PATTERN  # noqa: PLC0415 - only here

    if not re.match(VERSION_PATTERN, name):
        raise UsageError(
            f"{option}: '{shorten(name)}' cannot be the name of a version. Take letters, digits, '.', '_', '+' and '-'."
        )
    return name


def _artefact(model: str) -> Artefact:
    """The model of that name: the active one, a version on the shelf, or one in a folder."""
    from tft_dash.models.forecasting.artefact import load_artefact  # noqa: PLC0415 - onnxruntime, only where needed
    from tft_dash.models.forecasting.shelf import Shelf  # noqa: PLC0415

    if "/" in model or Path(model).is_dir():
        return load_artefact(Path(model))
    shelf = Shelf(settings_from().data / "models")
    if model == "tft":
        return shelf.current()
    known = {shelved.version: shelved for shelved in shelf.all()}
    if model not in known:
        raise UsageError(
            f"There is no forecast model '{shorten(model)}'. Known: tft (the active one), {', '.join(known)}; or "
            "name a model's folder. Rules such as 'thresholds' stand beside the model in every table."
        )
    return known[model].artefact or load_artefact(known[model].folder)


def _recordings(sources: Sequence[str]) -> list[Fleet]:
    """The histories in some recordings."""
    fleets = _needed("fleets")
    services = Services(settings_from(sources=tuple(sources)), wait_seconds=None)
    found = []
    try:
        for name in services.configured_names():
            with progress_bar(f"Reading {name}") as progress:
                source = services.source(name)
                source.prepare(progress)
            about = source.describe()
            if not about.ticks:
                raise DataError(f"'{name}' has no history to learn from. Name a recording.")
            found.append(fleets.recorded_fleet(name, source.read(-1, about.ticks).window))
    finally:
        services.close()
    return found


def _of_recordings(sources: Sequence[str]) -> Any:  # noqa: ANN401 - a TrainedOn
    from tft_dash.models.forecasting.card import TrainedOn  # noqa: PLC0415

    names = tuple(shorten(Path(source).name or source) for source in sources)
    return TrainedOn(simulated=False, description=f"recordings: {', '.join(names)}", sources=names)


def _of_simulation(plan: Any) -> Any:  # noqa: ANN401 - a Simulated, a TrainedOn
    from tft_dash.models.forecasting.card import TrainedOn  # noqa: PLC0415

    return TrainedOn(simulated=True, description=plan.words, sources=tuple(f"seed {seed}" for seed in plan.seeds))


def _only_simulated(options: dict[str, Any], names: Sequence[str]) -> None:
    for name in names:
        if options[name] is not None:
            raise UsageError(f"--{name} belongs to simulated fleets, and a SOURCE was given. Leave one of them out.")


def _command(name: str, sources: Sequence[str], model: str, options: dict[str, Any]) -> str:
    words = ["tft-dash", name, *sources, "--model", model]
    for option, value in options.items():
        words += [f"--{option}", str(value)] if value is not None else []
    return shlex.join(words)


def _write(path: Path, content: str) -> None:
    try:
        path.write_text(content + "\n")
    except OSError as error:
        raise UsageError(f"--output {shorten(str(path), 200)} cannot be written: {error.strerror}.") from error
