"""Commands about the risk models: which there are, and which version of the forecast answers."""

from __future__ import annotations

import click

from tft_dash.commands.terminal import say, settings_from
from tft_dash.frame import ModelVersion
from tft_dash.schema import ModelCard
from tft_dash.services import Services


@click.group(invoke_without_command=True)
@click.pass_context
def models(context: click.Context) -> None:
    """List the risk models and the versions of the forecast.

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
        for card in services.cards():
            click.echo(_card_line(card))
        for version in services.artefacts():
            click.echo(_version_line(version))
        problem = services.models.shelf.problem()
    finally:
        services.close()
    if problem is not None:
        say(f"tft-dash: the model 'tft' does not answer. {problem}")


@models.command()
@click.argument("version")
def activate(version: str) -> None:
    """Let VERSION of the forecast answer from now on; servers that run take it over within a second.

    A version that is refused is not activated; the one that answers goes on.

    \b
    Example:
      tft-dash models activate 0.2.0
    """
    services = Services(settings_from(), wait_seconds=None)
    try:
        artefact = services.models.shelf.activate(version)
    finally:
        services.close()
    say(f"tft {artefact.card.version} answers now ({artefact.folder}).")


@models.command()
def rollback() -> None:
    """Let the version of the forecast answer that did before.

    \b
    Example:
      tft-dash models rollback
    """
    services = Services(settings_from(), wait_seconds=None)
    try:
        artefact = services.models.shelf.rollback()
    finally:
        services.close()
    say(f"tft {artefact.card.version} answers again ({artefact.folder}).")


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
