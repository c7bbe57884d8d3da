"""Commands about a single live source."""

from __future__ import annotations

import click
import numpy as np
import orjson

from tft_dash.commands.terminal import settings_from
from tft_dash.errors import UsageError
from tft_dash.live.adapters import Stored
from tft_dash.live.feeds.prometheus.document import json_schema, shipped_mapping, shipped_names, shipped_text
from tft_dash.live.probing.probe import probe
from tft_dash.live.probing.telling import as_plain, as_text
from tft_dash.live.probing.verdict import problems
from tft_dash.live.specs import live_spec
from tft_dash.sources.catalogue import discover, discover_all
from tft_dash.sources.remote.address import LIVE
from tft_dash.store.engine import Store, store_url


@click.group()
def source() -> None:
    """Try a live source before it is collected.

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
