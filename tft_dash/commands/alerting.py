"""Commands about alerts: what stands, whether a document is fine, whether receivers can be told."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click

from tft_dash.alerting.desk import AlertDesk
from tft_dash.alerting.requesting import address_shown, secret_of
from tft_dash.alerting.trying import Trial
from tft_dash.alerts.delivery.message import iso
from tft_dash.alerts.delivery.receivers import Receivers, parse_receivers
from tft_dash.alerts.dependencies import parse_dependencies
from tft_dash.alerts.documents import AlertDocumentError
from tft_dash.alerts.rulebook import parse_rules
from tft_dash.commands.terminal import say, settings_from
from tft_dash.errors import DataError, SourceMissingError, TftDashError, UnreachableError, shorten
from tft_dash.scenarios.format.fields import show
from tft_dash.scenarios.format.loader import load_text
from tft_dash.schema import readable
from tft_dash.settings import Settings
from tft_dash.store.engine import Store, store_url

LARGEST = 4 << 20


@click.group()
def alerts() -> None:
    """Look at alerts; check rules and receivers; try whether receivers can be told.

    \b
    Example:
      tft-dash alerts list
    """


@contextlib.contextmanager
def _desk() -> Iterator[tuple[AlertDesk, Settings]]:
    settings = settings_from()
    store = Store(store_url(settings))
    try:
        yield AlertDesk(store, settings), settings
    finally:
        store.close()


@alerts.command("list")
@click.option("--source", help="Only of this source.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_alerts(source: str | None, as_json: bool) -> None:
    """List the alerts that are pending, firing or recovering.

    \b
    Example:
      tft-dash alerts list --source prod
    """
    with _desk() as (desk, _):
        found = [one for one in desk.alerts(source) if one.phase != "resolved"]
    if as_json:
        click.echo(json.dumps([one.as_plain() for one in found], indent=2))
        return
    for one in found:
        about = " ".join(part for part in (one.key.server, one.key.metric) if part) or "(fleet)"
        marks = [word for word, true in (("silenced", one.silenced_by), ("no data", one.no_data)) if true]
        marks += [f"acknowledged by {one.acknowledged.by}"] if one.acknowledged else []
        row = [one.phase, one.severity, one.key.source, one.key.rule, about, readable(one.value), iso(one.since_ms)]
        click.echo("\t".join([*row, one.problem or "-", ", ".join(marks)]).rstrip())
    if not found:
        say("No alert stands.")


@alerts.command()
@click.argument("file", type=click.Path(path_type=Path))
def check(file: Path) -> None:
    """Check a document of alert rules, receivers or dependencies.

    \b
    Example:
      tft-dash alerts check receivers.yaml
    """
    text = _read(file)
    kind = _kind(text, str(file))
    if kind == "AlertReceivers":
        found = parse_receivers(text, str(file))
        click.echo(f"{file}: {len(found.spec.receivers)} receivers, {len(found.receivers)} of them told. No mistake.")
        _check_secrets(found)
    elif kind == "Dependencies":
        click.echo(f"{file}: dependencies of {len(parse_dependencies(text, str(file)).spec.depends_on)} profiles.")
    else:
        rules = parse_rules(text, str(file))
        click.echo(f"{file}: {len(rules.spec.rules)} rules, {len(rules.rules)} of them judged. No mistake.")


@alerts.command()
@click.argument("receiver")
@click.option("--problem", help="Id of a problem; without it an example is shown.")
def payload(receiver: str, problem: str | None) -> None:
    """Show exactly what a receiver would be sent, secrets masked; nothing is sent.

    \b
    Example:
      tft-dash alerts payload on-call --problem 3f9a0c11d2e4
    """
    with _desk() as (desk, settings):
        click.echo(Trial(desk, settings).payload(receiver, problem).text)


@alerts.command()
@click.argument("receiver")
def test(receiver: str) -> None:
    """Send a receiver a message that says that nothing is wrong.

    \b
    Example:
      tft-dash alerts test on-call
    """
    with _desk() as (desk, settings):
        trial = Trial(desk, settings)
        answer = trial.test(receiver)
        shown = address_shown(trial.receiving.receiver(receiver))
    if not answer.ok:
        failed = f"'{receiver}' at {shown} was not told. {answer.words}"
        raise UnreachableError(failed) if answer.status is None or answer.again else DataError(failed)
    click.echo(f"'{receiver}' at {shown} took it: status {answer.status}, {answer.took_ms} ms.")


@alerts.command()
@click.option("--source", help="Only of this source.")
@click.option("--receiver", help="Only to this receiver.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=50, help="How many attempts.  [default: 50]")
def log(source: str | None, receiver: str | None, limit: int) -> None:
    """List the newest attempts to tell receivers, the last one first.

    \b
    Example:
      tft-dash alerts log --receiver on-call
    """
    with _desk() as (desk, _):
        found = desk.deliveries(source=source, receiver=receiver, limit=limit)
    for one in found:
        status = "-" if one.status is None else str(one.status)
        row = [iso(one.at_ms), one.outcome, one.receiver, one.event, one.problem or "-", f"attempt {one.attempt}"]
        click.echo("\t".join([*row, status, f"{one.took_ms} ms", one.words]).rstrip())
    if not found:
        say("Nobody was told anything yet.")


def _read(file: Path) -> bytes:
    try:
        with file.open("rb") as opened:
            return opened.read(LARGEST)
    except OSError as error:
        reason = (error.strerror or type(error).__name__).lower()
        raise SourceMissingError(f"{shorten(str(file), 200)} cannot be read: {reason}.") from error


def _kind(text: bytes, source: str) -> str:
    """What kind of document it is; what cannot be told is read as rules, whose reader says what is wrong."""
    try:
        value: Any = load_text(text.decode("utf-8-sig"), source)
    except (TftDashError, UnicodeDecodeError):
        return ""
    kind = value.get("kind") if isinstance(value, Mapping) else None
    if isinstance(kind, str) and kind not in ("AlertRules", "AlertReceivers", "Dependencies"):
        words = f"must be AlertRules, AlertReceivers or Dependencies, not {show(kind)}."
        raise AlertDocumentError(source, [("kind", words)], "alerts")
    return kind or ""


def _check_secrets(found: Receivers) -> None:
    """Say which secrets are not there; on the host that collects they may be."""
    for one in found.spec.receivers:
        for name in ("url", "token", "password", "routing_key"):
            try:
                secret_of(one, name)
            except TftDashError as error:
                say(f"{one.name}: {error}")
