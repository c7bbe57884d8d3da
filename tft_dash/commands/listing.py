"""Commands that list what there is."""

from __future__ import annotations

import click

from tft_dash.commands.terminal import settings_from
from tft_dash.scenarios.library import load_scenario, preset_names
from tft_dash.services import Services
from tft_dash.sources.base import SOURCES


@click.command()
@click.argument("source", nargs=-1)
def sources(source: tuple[str, ...]) -> None:
    """List the kinds of source and the sources that would be served.

    \b
    Example:
      tft-dash sources
    """
    click.echo("kinds: " + ", ".join(SOURCES.names()))
    services = Services(settings_from(sources=source or None), wait_seconds=None)
    try:
        for entry in services.entries():
            found = entry.description
            if found is None:
                click.echo(f"{entry.name}\tcannot be shown: {entry.problem}")
            else:
                facts = f"{len(found.servers)} servers\t{found.ticks} ticks of {found.step_seconds:g} s"
                click.echo(f"{entry.name}\t{facts}\t{entry.where}")
    finally:
        services.close()


@click.command()
@click.option("--schema", is_flag=True, help="Print the JSON Schema of a scenario document instead.")
def scenarios(schema: bool) -> None:
    """List the preset scenarios.

    \b
    Example:
      tft-dash scenarios
    """
    if schema:
        import json  # noqa: PLC0415 - only here

        from tft_dash.scenarios.document import json_schema  # noqa: PLC0415

        click.echo(json.dumps(json_schema(), indent=2, ensure_ascii=False))
        return
    for name in preset_names():
        click.echo(f"{name}\t{load_scenario(name).metadata.title}")


@click.command()
def settings() -> None:
    """Print every setting with its value and where it came from, secrets masked.

    \b
    Example:
      tft-dash settings
    """
    for variable, value, origin in settings_from().rows():
        click.echo(f"{variable}\t{value}\t{origin}")
