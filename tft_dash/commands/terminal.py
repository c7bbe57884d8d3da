"""What commands share: messages on stderr, a progress bar for long work, options that several have."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any, Final

import click

from tft_dash.progress import Progress
from tft_dash.settings import Settings, load_settings

QUIET_SECONDS: Final = 2.0
BAR_WIDTH: Final = 30


def say(message: str) -> None:
    """A message for the person at the terminal; stdout is for data."""
    click.echo(message, err=True)


@contextlib.contextmanager
def progress_bar(label: str) -> Iterator[Progress]:
    """A bar on a terminal's stderr, once the work has taken :data:`QUIET_SECONDS`."""
    begun = time.monotonic()
    drawn = False
    last = ""

    def report(share: float) -> None:
        nonlocal drawn, last
        elapsed = time.monotonic() - begun
        if elapsed < QUIET_SECONDS or not sys.stderr.isatty():
            return
        drawn = True
        filled = round(BAR_WIDTH * min(share, 1.0))
        left = f", {elapsed * (1 - share) / share:.0f} s left" if share > 0.02 else ""
        line = f"{label} [{'#' * filled}{'.' * (BAR_WIDTH - filled)}] {share:4.0%}{left}"
        if line != last:
            sys.stderr.write("\r\x1b[K" + line)
            sys.stderr.flush()
            last = line

    try:
        yield report
    finally:
        if drawn:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()


def settings_from(**flags: object) -> Settings:
    """The settings in force for a command's flags; misspelt variables are named on stderr."""
    settings = load_settings(flags)
    for name in settings.unknown:
        say(f"tft-dash: the environment variable {name} is no setting and has no effect. See: tft-dash settings")
    return settings


def server_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options of every command that serves."""
    options = (
        click.option("--host", help="Address to listen on.  [default: 127.0.0.1]"),
        click.option("--port", type=click.IntRange(0, 65535), help="Port; 0 = any free one.  [default: 8050]"),
        click.option("--workers", type=click.IntRange(1, 64), help="Worker processes.  [default: 2]"),
        click.option("--refresh", type=float, metavar="S", help="Seconds between ticks on the page.  [default: 5]"),
        click.option("--model", help="The risk model that a page starts with."),
        click.option("--insecure-public", is_flag=True, default=None, help="Listen in public without a login."),
    )
    for option in reversed(options):
        command = option(command)
    return command
