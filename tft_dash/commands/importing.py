"""The command that makes a table of the contract from a foreign file."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import click

from tft_dash.commands.terminal import progress_bar, say
from tft_dash.errors import SourceMissingError, UsageError, shorten
from tft_dash.importing.convert import convert
from tft_dash.importing.fit import demand_fit
from tft_dash.importing.foreign import open_foreign
from tft_dash.importing.losses import Losses
from tft_dash.importing.mapping import LONGEST_DOCUMENT, Mapping, read_mapping, to_yaml
from tft_dash.importing.naming import demand_name, name_of
from tft_dash.importing.proposal import propose
from tft_dash.scenarios.writing.atomic import file_set
from tft_dash.sources.recording.collection import demand_path

_READ: Final = LONGEST_DOCUMENT + 1


@click.command(name="import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--output-dir", type=click.Path(path_type=Path), help="Where the table is written.")
@click.option("--mapping", "document", type=click.Path(path_type=Path), help="The mapping document (YAML or JSON).")
@click.option("--name", help="Name of the table.  [default: the file's]")
@click.option("--propose", "only_propose", is_flag=True, help="Print a mapping for the file, and write nothing.")
def import_file(
    file: Path, output_dir: Path | None, document: Path | None, name: str | None, only_propose: bool
) -> None:
    """Make a table of the data contract from FILE, a CSV or Parquet file with other names and units.

    Without --mapping the proposed one is used; the status is 1 when it is not complete.

    \b
    Example:
      tft-dash import export.csv --propose > mapping.yaml
      tft-dash import export.csv --mapping mapping.yaml --output-dir tables
    """
    demand_path(file)
    if not file.is_file():
        raise UsageError(f"{shorten(str(file))} is a folder. Give one of its files.")
    if only_propose:
        click.echo(to_yaml(propose(file)), nl=False)
        return
    if output_dir is None:
        raise UsageError("Say where the table shall be written (--output-dir), or give --propose.")
    mapping = propose(file) if document is None else read_mapping(_content(document), str(document))
    if document is None:
        for sentence in mapping.metadata.description.splitlines():
            say(sentence)
    _import(file, mapping, output_dir, demand_name(name) if name is not None else name_of(file.name))


def _import(file: Path, mapping: Mapping, folder: Path, name: str) -> None:
    demand_fit(open_foreign(file, mapping.spec.csv), mapping, str(file))
    output, losses = folder / f"{name}.parquet", Losses()
    if output.exists() and output.samefile(file):
        raise UsageError(f"--output-dir {folder} would put the table in the place of {file}. Write somewhere else.")
    with progress_bar("Importing") as progress:
        rows = convert(file, mapping, output, progress, losses=losses)
    with file_set(folder) as files:
        files.write(f"{name}.mapping.yaml", to_yaml(mapping))
    for path in (output, folder / f"{name}.mapping.yaml"):
        click.echo(str(path))
    for sentence in losses.words():
        say(sentence)
    say(f"{rows:,} rows of {len(mapping.spec.columns.metrics())} metrics were written. Next: tft-dash check {output}")


def _content(document: Path) -> bytes:
    try:
        with document.open("rb") as file:
            return file.read(_READ)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise SourceMissingError(f"The mapping {shorten(str(document))} cannot be read: {reason}.") from error
