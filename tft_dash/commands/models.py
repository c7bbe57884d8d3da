"""Commands about the risk models: which there are, and which version of the forecast answers."""

from __future__ import annotations

import click

from tft_dash.commands.terminal import say, settings_from
from tft_dash.errors import UnknownNameError, UsageError
from tft_dash.frame import ModelVersion
from tft_dash.models.calibrated.shelf import ShelvedCalibration
from tft_dash.schema import ModelCard
from tft_dash.services import Services


@click.group(invoke_without_command=True)
@click.pass_context
def models(context: click.Context) -> None:
    """List the risk models, the versions of the forecast, and the calibrations that were fitted here.

    \b
    Example:
      tft-dash models
      tft-dash models activate 0.2.0
      tft-dash models rollback
    """
    if context.invoked_subcommand is not None:
        return
    services = Services(settings_from(), wait_seconds=None)
    try:
        services.exchange_models()
        for card in services.cards():
            click.echo(_card_line(card))
        for version in services.artefacts():
            click.echo(_version_line(version))
        for shelved in services.models.calibrations.all():
            click.echo(_calibration_line(shelved))
        problem = services.models.shelf.problem()
    finally:
        services.close()
    if problem is not None:
        say(f"tft-dash: the model 'tft' does not answer. {problem}")


@models.command()
@click.argument("name")
def activate(name: str) -> None:
    """Let NAME answer from now on: a version of the forecast, or a calibration for its sources.

    Servers that run take it over within a second. What is refused is not activated; what answers goes on.

    \b
    Example:
      tft-dash models activate 0.2.0
      tft-dash models activate ours-1
    """
    services = Services(settings_from(), wait_seconds=None)
    try:
        services.exchange_models()
        versions = {version.version for version in services.artefacts()}
        calibrations = services.models.calibrations
        if name in calibrations.names() and name not in versions:
            chosen = calibrations.activate(name)
            words = f"{chosen.words} restates {chosen.model} for {', '.join(chosen.sources)} now."
        else:
            if name not in versions:
                raise UnknownNameError("model version or calibration", name, {*versions, *calibrations.names()})
            artefact = services.models.shelf.activate(name)
            words = f"tft {artefact.card.version} answers now ({artefact.folder})."
        services.exchange_models()
        if not services.is_chosen(name):
            raise UsageError(
                f"'{name}' was activated, and on another host something else at the same moment, which counts. "
                "See tft-dash models, and activate it again if need be."
            )
    finally:
        services.close()
    say(words)


@models.command()
@click.argument("name")
def remove(name: str) -> None:
    """Remove NAME, one of the team's own versions of the forecast or a calibration, that answers for nothing.

    \b
    Example:
      tft-dash models remove ours-1
    """
    services = Services(settings_from(), wait_seconds=None)
    try:
        services.exchange_models()
        words = services.remove_model(name)
    finally:
        services.close()
    say(f"{words} is removed.")


@models.command()
@click.option("--source", help="Take back the calibration of this source instead.")
def rollback(source: str | None) -> None:
    """Let the version of the forecast answer that did before, or the calibration of a source.

    \b
    Example:
      tft-dash models rollback
      tft-dash models rollback --source fleet
    """
    services = Services(settings_from(), wait_seconds=None)
    try:
        services.exchange_models()
        if source is None:
            artefact = services.models.shelf.rollback()
            words = [f"tft {artefact.card.version} answers again ({artefact.folder})."]
        else:
            back = services.models.calibrations.rollback(source)
            words = [
                f"{model} for {source}: {'its own probabilities' if name is None else name} again."
                for model, name in sorted(back.items())
            ]
        services.exchange_models()
    finally:
        services.close()
    for line in words:
        say(line)


def _card_line(card: ModelCard) -> str:
    kind = "calibrated" if card.calibrated else "uncalibrated"
    labels = ", reads the script's labels" if card.uses_labels else ""
    simulated = ", learnt on simulated fleets" if card.simulated else ""
    return f"{card.name}\t{card.version}\t{kind}{labels}{simulated}\t{card.summary}"


def _version_line(version: ModelVersion) -> str:
    place = "shipped" if version.shipped else "own"
    if version.problem is not None:
        return f"tft version\t{version.version}\t{place}\trefused\t{version.problem}"
    state = "active" if version.active else "ready"
    return f"tft version\t{version.version}\t{place}\t{state}\t{version.trained_on}"


def _calibration_line(shelved: ShelvedCalibration) -> str:
    if shelved.calibration is None:
        return f"calibration\t{shelved.name}\trefused\t{shelved.problem}"
    state = f"active for {', '.join(shelved.active)}" if shelved.active else "ready"
    return f"calibration\t{shelved.name}\t{state}\t{shelved.calibration.model_identity}\t{shelved.calibration.words}"
