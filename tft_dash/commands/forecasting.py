"""Commands that train and measure the forecast. What they need is imported when they run."""

from __future__ import annotations

import importlib
import os
import re
import shlex
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final

import click

from tft_dash.commands.loss import LossBar
from tft_dash.commands.outputs import demand_free, demand_writable, work_folder, write_whole
from tft_dash.commands.terminal import progress_bar, say, settings_from
from tft_dash.errors import DataError, MissingExtraError, UsageError, shorten
from tft_dash.services import Services
from tft_dash.sources.catalogue import discover
from tft_dash.zones import FleetZones

if TYPE_CHECKING:
    from tft_dash.models.forecasting.artefact import Artefact
    from tft_dash.training.building import Origin, RecordedOrigin

MANY_ROWS: Final = 4_000_000
"""A fleet of 500 servers over four weeks: from here on, several processes are worth their start."""
TRAINING_FLEETS: Final = 20
FLEET_SERVERS: Final = 24
FLEET_DAYS: Final = 28.0
MOST_SEED: Final = 2**62

_SEED = click.IntRange(min=0, max=MOST_SEED)
_POSITIVE = click.FloatRange(min=0, min_open=True)


def _crew_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Who builds the histories."""
    workers = click.option(
        "--workers", type=click.IntRange(1, 256), metavar="N",
        help="Processes that build the histories.  [default: one; as many as there are cores when they are large]",
    )  # fmt: skip
    scheduler = click.option("--scheduler", metavar="ADDRESS", help="Have a Dask cluster build them: tcp://host:8786.")
    return workers(scheduler(command))


@click.command()
@click.argument("source", nargs=-1)
@click.option(
    "--output", required=True, type=click.Path(path_type=Path), help="The model's folder; its name = version."
)
@click.option("--seed", default=1, type=_SEED, metavar="N", help="Of the fit and the first fleet.  [default: 1]")
@click.option("--fleets", type=click.IntRange(1, 1000), metavar="N", help="Simulated fleets.  [default: 20]")
@click.option("--servers", type=click.IntRange(min=1), metavar="N", help="Servers in each.  [default: 24]")
@click.option("--days", type=_POSITIVE, metavar="N", help="Days of each.  [default: 28]")
@click.option("--steps", type=click.IntRange(min=1), metavar="N", help="Steps of the optimiser.  [default: 7000]")
@click.option("--minutes", type=_POSITIVE, metavar="M", help="Fit for so long at most; without --steps, for so long.")
@click.option("--device", default="cpu", type=click.Choice(["cpu", "cuda"]), help="Where to fit.  [default: cpu]")
@_crew_options
@click.option("--batch", type=click.IntRange(min=8), hidden=True)
@click.option("--check-every", type=click.IntRange(min=1), hidden=True)
def train(source: tuple[str, ...], output: Path, **options: Any) -> None:  # noqa: ANN401
    """Train a forecast model on recordings SOURCE …, or on freshly simulated fleets.

    Work that was stopped goes on where it was when the same command is given again.

    \b
    Example:
      tft-dash train --output models/mine-1
      tft-dash train last-month.parquet --output models/ours-1 --minutes 10
    """
    training = _needed("train")
    version = _version(output.resolve().name, "--output")
    training.demand_device(options["device"])
    demand_free(output)
    origins, trained_on = _to_learn_from(source, options)
    minutes = options["minutes"]
    steps = options["steps"] or (training.UNBOUNDED_STEPS if minutes is not None else None)
    plan = training.plan_for(
        options["device"], options["seed"], steps=steps, batch=options["batch"], check_every=options["check_every"]
    )
    order = training.Order(output.resolve(), plan, options["device"], trained_on, minutes, _crew(options, origins))
    try:
        with progress_bar("Working") as progress:
            artefact = training.train(origins, order, training.Listener(say, progress, LossBar()))
    except (KeyboardInterrupt, SystemExit):
        say(f"Stopped. The same command goes on from what is in {training.work_folder(output.resolve())}.")
        raise
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
@_crew_options
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
    words = _command("evaluate", source, model, {name: options[name] for name in ("seed", "servers", "days")})
    if output is not None:
        demand_writable(output)
    with work_folder(options["scheduler"], output) as folder, progress_bar("Measuring") as progress:
        if source:
            _only_simulated(options, ("seed", "servers", "days"))
            origins = _recordings(source)
            _tell_if_learnt(artefact, source)
            means = evaluating.Means(folder, _crew(options, origins), progress)
            evidence = evaluating.evaluate_recorded(artefact, origins, words, means)
        else:
            first = evaluating.FRESH_SEED if options["seed"] is None else options["seed"]
            seeds = tuple(range(first, first + evaluating.FRESH_SEEDS))
            plan = fleets.Simulated(seeds, options["servers"] or FLEET_SERVERS, options["days"] or FLEET_DAYS)
            means = evaluating.Means(folder, _crew(options, _simulated(plan)), progress)
            evidence = evaluating.evaluate_simulated(artefact, plan, words, means)
    content = evidence.model_dump_json(indent=2)
    if output is not None:
        write_whole(output, content)
    click.echo(content if as_json else _needed("measuring.table").table(evidence))


def _needed(name: str) -> ModuleType:
    """A module of ``tft_dash.training``.

    :raises MissingExtraError: the extra ``train`` is not installed.
    """
    # Threads that spin for long while they wait for each other make a step ten times as long on a machine that others
    # use too; those that never spin make it twice as long everywhere. The library reads this when it is loaded, so
    # before torch.
    for variable, value in (("OMP_WAIT_POLICY", "PASSIVE"), ("GOMP_SPINCOUNT", "10000")):
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


def _to_learn_from(sources: Sequence[str], options: dict[str, Any]) -> tuple[Sequence[Origin], Any]:
    """Where the histories come from, and what the card says of it."""
    if sources:
        _only_simulated(options, ("fleets", "servers", "days"))
        return _recordings(sources), _of_recordings(sources)
    first, count = options["seed"], options["fleets"] or TRAINING_FLEETS
    plan = _needed("fleets").Simulated(
        tuple(range(first, first + count)), options["servers"] or FLEET_SERVERS, options["days"] or FLEET_DAYS
    )
    return _simulated(plan), _of_simulation(plan)


def _simulated(plan: Any) -> Sequence[Origin]:  # noqa: ANN401 - a Simulated
    origins: Sequence[Origin] = _needed("building").simulated_origins(plan)
    return origins


def _recordings(sources: Sequence[str]) -> Sequence[RecordedOrigin]:
    """The recordings, each read through once."""
    building = _needed("building")
    settings = settings_from(sources=tuple(sources))
    services = Services(settings, wait_seconds=None)
    found = []
    try:
        for name in services.configured_names():
            with progress_bar(f"Reading {name}") as progress:
                source = services.source(name)
                source.prepare(progress)
            about = source.describe()
            if not about.ticks:
                raise DataError(
                    f"'{name}' has no history to learn from. Name a recording: a file, or a folder of files."
                )
            place = services.path(name).resolve()
            zone = FleetZones(settings.fleet_zones).of(name, simulated=about.simulated)
            found.append(building.RecordedOrigin(name, place, settings.cache.resolve(), about.digest, zone))
    finally:
        services.close()
    return found


def _crew(options: dict[str, Any], origins: Sequence[Origin]) -> Any:  # noqa: ANN401 - a Crew
    """Who builds: those that were named; else as many processes as there are cores, where there is much to build."""
    if options["scheduler"] is not None and options["workers"] is not None:
        raise UsageError("--scheduler and --workers both say who builds the histories. Leave one out.")
    workers = options["workers"]
    if workers is None:
        large = sum(origin.facts().rows for origin in origins) >= MANY_ROWS
        workers = _needed("measuring.predicting").cores() if large else 1
    return _needed("building").Crew(workers, options["scheduler"])


def _of_recordings(sources: Sequence[str]) -> Any:  # noqa: ANN401 - a TrainedOn
    from tft_dash.models.forecasting.card import TrainedOn  # noqa: PLC0415

    names = tuple(_short_name(source) for source in sources)
    return TrainedOn(simulated=False, description=f"recordings: {', '.join(names)}", sources=names)


def _of_simulation(plan: Any) -> Any:  # noqa: ANN401 - a Simulated, a TrainedOn
    from tft_dash.models.forecasting.card import TrainedOn  # noqa: PLC0415

    return TrainedOn(simulated=True, description=plan.words, sources=tuple(f"seed {seed}" for seed in plan.seeds))


def _tell_if_learnt(artefact: Artefact, sources: Sequence[str]) -> None:
    """A recording that the model has learnt from flatters it."""
    about = artefact.card.trained_on
    names = [name for name in map(_short_name, sources) if name in about.sources]
    if names and not about.simulated:
        say(f"{', '.join(names)}: the model has learnt from a recording of this name; what it says there flatters it.")


def _short_name(source: str) -> str:
    """The file's, folder's or object's own name, which is what a card keeps of a SOURCE."""
    plain = _without_secrets(source)
    return shorten(Path(plain).name or plain)


def _without_secrets(source: str) -> str:
    """A SOURCE as it may be kept in a document: an address without its user, password and signature."""
    found = discover(source, demand=False)
    return source.replace(found.location, found.shown)


def _only_simulated(options: dict[str, Any], names: Sequence[str]) -> None:
    for name in names:
        if options[name] is not None:
            raise UsageError(f"--{name} belongs to simulated fleets, and a SOURCE was given. Leave one of them out.")


def _command(name: str, sources: Sequence[str], model: str, options: dict[str, Any]) -> str:
    words = ["tft-dash", name, *map(_without_secrets, sources), "--model", model]
    for option, value in options.items():
        words += [f"--{option}", str(value)] if value is not None else []
    return shlex.join(words)
