"""Commands about a single live source."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click
import numpy as np
import orjson

from tft_dash.commands.terminal import progress_bar, say, settings_from
from tft_dash.errors import UnknownNameError, UsageError
from tft_dash.live.adapters import Stored
from tft_dash.live.exporting import write_history
from tft_dash.live.feeds.prometheus.document import json_schema, shipped_mapping, shipped_names, shipped_text
from tft_dash.live.probing.probe import probe
from tft_dash.live.probing.telling import as_plain, as_text
from tft_dash.live.probing.verdict import problems
from tft_dash.live.specs import live_spec
from tft_dash.sources.catalogue import discover, discover_all
from tft_dash.sources.remote.address import LIVE
from tft_dash.store.engine import Store, store_url
from tft_dash.store.live import LiveStore


@click.group()
def source() -> None:
    """Try a live source before it is collected, and take its history out afterwards.

    \b
    Example:
      tft-dash source test 'prometheus+http://127.0.0.1:9090/?mapping=node'
    """


@source.command("test")
@click.argument("source_", metavar="SOURCE")
@click.option("--json", "as_json", is_flag=True, help="Print what was found as JSON.")
def test_source(source_: str, as_json: bool) -> None:
    """Say what a live source has: servers, columns, gaps, the step, one tick, and what is missing.

    SOURCE is a URL, name=URL, or the name of one that is set.

    Status 0: it can be collected so; 1: what it has is not acceptable; 2: the URL or an option is impossible; 3: it
    does not answer. Nothing is recorded.

    \b
    Example:
      tft-dash source test 'prometheus+http://127.0.0.1:9090/?mapping=node&step=15s'
      tft-dash source test 'postgresql+psycopg://reader@db/metrics?table=samples&password_file=/run/secrets/db'
    """
    known = {named.name: named for named in discover_all(settings_from().sources, demand=False)}
    named = known[source_] if source_ in known else discover(source_, demand=False)
    if named.kind != LIVE:
        raise UsageError(f"'{named.shown}' is a recording, not a live source. Try it with: tft-dash check")
    spec = live_spec(named)
    feed = spec.open()
    store = Store(store_url(settings_from()))
    if isinstance(feed, Stored):
        feed.keep_in(store, spec.name, marks=False)
    try:
        found = probe(spec, feed, lambda: np.datetime64("now", "ms"))
        if as_json:
            click.echo(orjson.dumps(as_plain(found), option=orjson.OPT_INDENT_2))
        else:
            click.echo(as_text(found))
    finally:
        feed.close()
        store.close()
    if problems(found):
        click.get_current_context().exit(1)


@source.command("export")
@click.argument("name")
@click.option("--output", required=True, type=click.Path(path_type=Path), help="The Parquet file to write.")
@click.option("--from", "since", metavar="TIME", help="Not before this, as 2026-03-01T09:30; without a zone, UTC.")
@click.option("--to", "until", metavar="TIME", help="Not after this.")
def export_source(name: str, output: Path, since: str | None, until: str | None) -> None:
    """Write what was collected of the live source NAME as a recording: to calibrate, train, inspect or replay with.

    Where a part of it is kept for every five minutes only, the rest is written likewise; a later --from gives every
    tick.

    \b
    Example:
      tft-dash source export fleet --output last-quarter.parquet --from 2026-01-01
    """
    if output.suffix.lower() != ".parquet" or (output.exists() and not output.is_file()):
        raise UsageError(f"--output {output} is no Parquet file. Name one to write, e.g. {name}.parquet.")
    first, last = _instant(since, "--from"), _instant(until, "--to")
    store = Store(store_url(settings_from()))
    try:
        ticks = LiveStore(store)
        if ticks.state(name) is None:
            raise UnknownNameError("live source", name, [state.name for state in ticks.states()])
        with progress_bar("Writing the history") as progress:
            done = write_history(ticks, name, output, since=first, until=last, progress=progress)
    finally:
        store.close()
    if done.is_thinned:
        say("A part of that span is kept for every five minutes only, so it is written like that from end to end.")
    span = " to ".join(f"{time.astype('datetime64[s]')}Z" for time in (done.first, done.last))
    say(f"{done.rows:,} rows, {done.ticks:,} ticks, {span}, written to {output}")


def _instant(text: str | None, option: str) -> np.datetime64 | None:
    if text is None:
        return None
    try:
        told = datetime.fromisoformat(text)
        whole = told.replace(tzinfo=UTC) if told.tzinfo is None else told.astimezone(UTC)
    except (ValueError, OverflowError):
        raise UsageError(
            f"{option} {text} is no time. Write it as 2026-03-01T09:30; without a zone it is UTC."
        ) from None
    return np.datetime64(whole.replace(tzinfo=None), "ms")


@source.command()
@click.argument("name", required=False)
@click.option("--schema", is_flag=True, help="Print the JSON Schema of a mapping instead.")
def mappings(name: str | None, schema: bool) -> None:
    """List the mappings for Prometheus that are shipped, or print the one called NAME, to make one of your own from it.

    \b
    Example:
      tft-dash source mappings node > own.yaml
    """
    if schema:
        click.echo(orjson.dumps(json_schema(), option=orjson.OPT_INDENT_2))
    elif name is not None:
        click.echo(shipped_text(name), nl=False)
    else:
        for one in shipped_names():
            click.echo(f"{one}\t{shipped_mapping(one).metadata.description}")
