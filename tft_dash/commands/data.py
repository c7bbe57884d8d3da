"""Commands that make, check and score tables."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import orjson

from tft_dash.answering import demand_fit
from tft_dash.commands.checking import check_source
from tft_dash.commands.terminal import progress_bar, say, settings_from
from tft_dash.drills import drill_name, judge
from tft_dash.errors import UsageError
from tft_dash.models.base import MODELS
from tft_dash.scenarios.expectations import require
from tft_dash.scenarios.files import generate_drill
from tft_dash.scenarios.library import load_scenario
from tft_dash.scoring import write_scores
from tft_dash.services import DEFAULT_MODEL, Services
from tft_dash.sources.catalogue import discover
from tft_dash.sources.remote.address import shown

FORMATS = ("csv", "parquet")


@click.command()
@click.argument("scenario", default="degrading")
@click.option("--output-dir", required=True, type=click.Path(path_type=Path), help="Where the files are written.")
@click.option("--duration", type=click.FloatRange(min=0, min_open=True), metavar="MIN", help="Minutes of the drill.")
@click.option("--hours", type=click.FloatRange(min=0, min_open=True), metavar="N", help="Hours of the drill.")
@click.option("--days", type=click.FloatRange(min=0, min_open=True), metavar="N", help="Days of the drill.")
@click.option("--fleet-size", type=click.IntRange(min=1), metavar="N", help="Servers in the fleet.")
@click.option("--seed", type=click.IntRange(min=0), metavar="N", help="Seed; the same seed gives the same bytes.")
@click.option("--tick", type=click.FloatRange(min=0, min_open=True), metavar="S", help="Seconds between ticks.")
@click.option("--format", "formats", default="csv,parquet", help="csv, parquet or both.  [default: csv,parquet]")
@click.option("--name", help="Name of the files.  [default: the document's]")
def generate(scenario: str, output_dir: Path, formats: str, name: str | None, **shape: Any) -> None:  # noqa: ANN401
    """Write a drill: SCENARIO is a preset or a document (YAML or JSON).

    \b
    Example:
      tft-dash generate cascade --output-dir drills --fleet-size 40 --seed 7
      tft-dash generate fleet-history --output-dir histories --days 28 --fleet-size 24 --seed 7
    """
    document = load_scenario(scenario).with_overrides(
        duration_seconds=_seconds(shape["duration"], shape["hours"], shape["days"]),
        fleet_size=shape["fleet_size"],
        seed=shape["seed"],
        tick_seconds=shape["tick"],
    )
    with progress_bar("Making the drill") as progress:
        files = generate_drill(document, output_dir, name or drill_name(document), _formats(formats), progress)
    for path in (files.csv, files.parquet, files.metadata, files.document):
        if path is not None:
            click.echo(str(path))
    outcomes = judge(document, MODELS.load(DEFAULT_MODEL)())
    if outcomes is None:
        say(f"Not judged against its document's expectations: {files.rows:,} rows are too many to judge at once.")
    else:
        require(document, outcomes)


@click.command()
@click.argument("source")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
def check(source: str, as_json: bool) -> None:
    """Hold a table against the data contract; status 1 when it is not acceptable.

    \b
    Example:
      tft-dash check export.csv
      tft-dash check s3://metrics/2026/fleet.parquet
    """
    with progress_bar("Checking") as progress:
        report = check_source(discover(source), settings_from(), progress)
    if as_json:
        click.echo(orjson.dumps(report.as_dict(), option=orjson.OPT_INDENT_2 | orjson.OPT_SERIALIZE_NUMPY))
    else:
        click.echo(report.as_text())
    if not report.acceptable:
        click.get_current_context().exit(1)


@click.command()
@click.argument("source")
@click.option("--model", default="thresholds", help="The risk model, or best.  [default: thresholds]")
@click.option("--output", required=True, type=click.Path(path_type=Path), help="The Parquet file to write.")
def score(source: str, model: str, output: Path) -> None:
    """Write a model's risks, a row per server and tick.

    The columns: timestamp, server_name, risk, prob_30m, prob_8h, server_prob_30m, server_prob_8h. The first two
    probabilities are the fleet's, the same on every row of a tick; the last two are the server's own, empty where the
    model has none.

    \b
    Example:
      tft-dash score export.parquet --model thresholds --output risks.parquet
    """
    given = discover(source).path
    path = None if given is None else given.resolve()
    if path is not None and path in (output.resolve(), *output.resolve().parents):
        raise UsageError(f"--output {output} is the recording itself, or lies in its folder. Write somewhere else.")
    services = Services(settings_from(sources=(source,)), wait_seconds=None)
    try:
        name = services.configured_names()[0]
        with progress_bar("Scoring") as progress:
            asked = demand_fit(services.answering(name, model), model)
            rows = write_scores(services.source(name), asked, services.settings.cache, output, progress)
        for notice in services.describe(name).notices:
            say(f"{shown(source)}: {notice}")
    finally:
        services.close()
    say(f"{rows} rows written to {output}")


def _seconds(minutes: float | None, hours: float | None, days: float | None) -> float | None:
    given = [(value * unit, option) for value, unit, option in (
        (minutes, 60, "--duration"), (hours, 3600, "--hours"), (days, 86_400, "--days"),
    ) if value is not None]  # fmt: skip
    if len(given) > 1:
        raise UsageError(f"{' and '.join(option for _, option in given)} both give the length. Leave one out.")
    return given[0][0] if given else None


def _formats(text: str) -> tuple[str, ...]:
    chosen = tuple(part.strip() for part in text.split(",") if part.strip())
    if not chosen or any(part not in FORMATS for part in chosen):
        raise UsageError(f"--format {text}: choose csv, parquet, or csv,parquet.")
    return chosen
