"""Commands that serve the app."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any, Final

import click

from tft_dash.answering import BEST, FORECAST
from tft_dash.commands.terminal import progress_bar, say, server_options, settings_from
from tft_dash.drills import judge, make_drill
from tft_dash.errors import UsageError
from tft_dash.hosting import check_address
from tft_dash.hosting import serve as serve_app
from tft_dash.models.base import MODELS
from tft_dash.scenarios.document import Scenario
from tft_dash.scenarios.library import DEFAULT_DRILL, load_scenario
from tft_dash.services import DEFAULT_MODEL, Services, shipped_drills
from tft_dash.settings import Settings
from tft_dash.store.engine import bring_forward

DRILLS_FOLDER: Final = "drills"


@click.command()
@click.option("--duration", type=click.FloatRange(min=0, min_open=True), metavar="MIN", help="Minutes of the drill.")
@click.option("--fleet-size", type=click.IntRange(min=1), metavar="N", help="Servers in the fleet.")
@click.option("--seed", type=click.IntRange(min=0), metavar="N", help="Seed; the same seed gives the same drill.")
@click.option("--scenario", default="degrading", metavar="NAME|FILE", help="Preset or document.  [default: degrading]")
@click.option("--regenerate", is_flag=True, help="Make the drill anew although it is there.")
@click.option("--output-dir", type=click.Path(path_type=Path), help="Where the drill is written.")
@server_options
def demo(scenario: str, regenerate: bool, output_dir: Path | None, **flags: Any) -> None:  # noqa: ANN401
    """Make the drill if it is missing, and play it.

    \b
    Example:
      tft-dash demo --fleet-size 40 --seed 7 --port 8051
    """
    shape = {name: flags.pop(name) for name in ("duration", "fleet_size", "seed")}
    settings = settings_from(**flags)
    check_address(settings)
    document = load_scenario(scenario).with_overrides(
        duration_seconds=None if shape["duration"] is None else shape["duration"] * 60,
        fleet_size=shape["fleet_size"],
        seed=shape["seed"],
    )
    folder = output_dir or settings.data / DRILLS_FOLDER
    with progress_bar("Making the drill") as progress:
        drill, made = make_drill(document, folder, regenerate=regenerate, progress=progress)
    say(f"{'Made' if made else 'Found'} the drill {drill}")
    others = [path for path in shipped_drills() if path.stem not in (drill.stem, DEFAULT_DRILL)]
    settings = dataclasses.replace(settings, sources=(str(drill), *map(str, others)))
    _prepare(settings)
    if made:
        _warn_of_unmet_expectations(document)
    _serve(settings)


@click.command()
@click.argument("source", nargs=-1)
@click.option("--get", "address", metavar="PATH", help="Print the answer to one request, e.g. /healthz, and exit.")
@server_options
def serve(source: tuple[str, ...], address: str | None, **flags: Any) -> None:  # noqa: ANN401
    """Serve recordings; a SOURCE is a file, a folder, an address such as s3://…, or name=any of them.

    \b
    Example:
      tft-dash serve recordings/fleet.parquet old=archive/2025 --port 8051
      tft-dash serve prod=s3://metrics/2026/fleet.parquet
    """
    settings = settings_from(sources=source or None, **flags)
    if address is not None:
        _print_answer(settings, address)
        return
    check_address(settings)
    _prepare(settings)
    _serve(settings)


def _warn_of_unmet_expectations(document: Scenario) -> None:
    """Say what the drill does not do; it is played all the same, for whoever asked for another size or seed."""
    for outcome in judge(document, MODELS.load(DEFAULT_MODEL)()) or ():
        if outcome.ok is False:
            say(f"This drill does not do what its document expects: {outcome.words}; found {outcome.measured:g}.")


def _prepare(settings: Settings) -> None:
    """Open every source before anyone waits for it; the first that cannot be opened ends the command.

    The store comes last, so that a call that is refused makes none.
    """
    services = Services(settings, wait_seconds=None)
    try:
        if settings.model not in ("", BEST, FORECAST):
            # The forecast is left to the workers: a process that was forked after ONNX Runtime was loaded ends badly.
            services.model(settings.model)
        for name in services.configured_names():
            with progress_bar(f"Reading {name}") as progress:
                services.source(name).prepare(progress)
            for notice in services.describe(name).notices:
                say(f"{name}: {notice}")
    finally:
        services.close()
    bring_forward(settings)


def _serve(settings: Settings) -> None:
    def load() -> Any:  # noqa: ANN401 - a WSGI callable
        from tft_dash.app import serving_app  # noqa: PLC0415 - only the workers need Dash

        return serving_app(Services(settings))

    serve_app(settings, load, lambda url: say(f"tft_dash is at {url}  (stop it with Ctrl+C)"))


def _print_answer(settings: Settings, address: str) -> None:
    from tft_dash.app import create_app  # noqa: PLC0415 - only here

    if not address.startswith("/"):
        raise UsageError(f"--get {address}: an address begins with a slash, e.g. /healthz or /api/v1/sources.")
    services = Services(settings, wait_seconds=None)
    try:
        answer = create_app(services).server.test_client().get(address)
        click.echo(answer.get_data(), nl=False)
        if answer.status_code >= 400:
            click.get_current_context().exit(1)
    finally:
        services.close()
