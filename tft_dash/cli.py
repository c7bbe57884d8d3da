"""The command ``tft-dash``: data on stdout, messages on stderr, one readable paragraph for every error."""

from __future__ import annotations

import logging
import signal
import sys
from typing import Any

import click

from tft_dash import __version__
from tft_dash.commands.calibrating import calibrate
from tft_dash.commands.data import check, generate, score
from tft_dash.commands.forecasting import evaluate, train
from tft_dash.commands.importing import import_file
from tft_dash.commands.listing import scenarios, settings, sources
from tft_dash.commands.models import models
from tft_dash.commands.serving import demo, serve
from tft_dash.errors import TftDashError

logger = logging.getLogger(__name__)

INTERRUPTED = 130
TERMINATED = 143


class _Group(click.Group):
    """Ends with an error's own exit status and its message instead of a traceback."""

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401 - click's own signature
        # A command that is asked to end tidies up behind it; while it serves, gunicorn has handlers of its own.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(TERMINATED))
        try:
            return super().invoke(ctx)
        except TftDashError as error:
            click.echo(f"tft-dash: {error}", err=True)
            ctx.exit(error.exit_status)
        except KeyboardInterrupt:
            ctx.exit(INTERRUPTED)
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except BrokenPipeError:
            sys.stderr.close()  # the reader of stdout has gone; the interpreter would complain about it at exit
            ctx.exit(0)
        except Exception as error:
            logger.debug("the traceback", exc_info=True)
            words = f"tft-dash met an error of its own ({type(error).__name__}: {error}). Please report it."
            click.echo(words, err=True)
            ctx.exit(1)


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="tft-dash")
def main() -> None:
    """Show a server fleet and the probability that it gets into trouble.

    \b
    Example:
      tft-dash demo
    """


_COMMANDS = (
    demo, serve, generate, check, import_file, score, sources, models, scenarios, settings, train, evaluate, calibrate,
)  # fmt: skip
for _command in _COMMANDS:
    main.add_command(_command)
