"""A model's risks for a whole recording, as a Parquet file with the recording's own times."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from tft_dash.assessing import Assessed, assess_source
from tft_dash.errors import StorageError, UsageError
from tft_dash.models.base import RiskModel
from tft_dash.progress import Progress, silent
from tft_dash.schema import SERVER_FIELDS, SERVER_NAME, TIMESTAMP
from tft_dash.sources.base import START, Source

BLOCK_CELLS: Final = 1_000_000


def _schema(unit: str) -> pa.Schema:
    return pa.schema(
        [
            (TIMESTAMP, pa.timestamp(unit, "UTC")),
            (SERVER_NAME, pa.string()),
            ("risk", pa.float32()),
            ("prob_30m", pa.float32()),
            ("prob_8h", pa.float32()),
            *((name, pa.float32()) for name in SERVER_FIELDS),
        ]
    )


def write_scores(source: Source, model: RiskModel, cache: Path, output: Path, progress: Progress = silent) -> int:
    """Write a row per server and tick that the recording holds; returns how many.

    ``timestamp`` is the row's own, not the tick's. A risk is null where the model has nothing to say; ``prob_30m`` and
    ``prob_8h`` are the fleet's, the same on every row of a tick, ``server_prob_30m`` and ``server_prob_8h`` the
    server's own, null where the model has none.

    :raises UsageError: ``output`` is not a place for a file of its own.
    :raises StorageError: ``output`` cannot be written; nothing half-written is left.
    """
    if output.exists() and not output.is_file():
        raise UsageError(f"--output {output} is not a file. Name a file to write, e.g. risks.parquet.")
    assessed = assess_source(source, model, cache, lambda share: progress(0.8 * share))
    work = output.with_name(f".{output.name}.{os.getpid()}.part")
    rows = 0
    try:
        with pq.ParquetWriter(work, _schema(_unit(source)), compression="zstd") as writer:
            for share, table in _blocks(source, assessed):
                writer.write_table(table)
                rows += table.num_rows
                progress(0.8 + 0.2 * share)
        work.replace(output)
    except OSError as error:
        reason = error.strerror or str(error)
        raise StorageError(f"{output} cannot be written: {reason}. Choose another --output.") from error
    finally:
        with contextlib.suppress(OSError):
            work.unlink(missing_ok=True)
    return rows


def _unit(source: Source) -> str:
    """The unit in which the recording's own times are exact: ms, us or ns."""
    return str(np.datetime_data(source.sample_times(START, 1).dtype)[0])


def _blocks(source: Source, assessed: Assessed) -> Iterator[tuple[float, pa.Table]]:
    about = source.describe()
    ticks, names = about.ticks or 0, pa.array(about.servers, pa.string())
    found = assessed.assessments
    schema = _schema(_unit(source))
    size = max(1, BLOCK_CELLS // max(len(about.servers), 1))
    for first in range(0, ticks, size):
        last = min(first + size, ticks)
        times = source.sample_times(first - 1, last - first)
        tick, server = np.nonzero(~np.isnat(times))
        columns = [
            pa.array(times[tick, server], schema.field(TIMESTAMP).type),
            names.take(pa.array(server)),
            *(pa.array(values, pa.float32(), from_pandas=True) for values in (
                found.risk[first:last][tick, server],
                found.prob_30m[first:last][tick],
                found.prob_8h[first:last][tick],
                *(getattr(found, name)[first:last][tick, server] for name in SERVER_FIELDS),
            )),
        ]  # fmt: skip
        yield last / ticks, pa.Table.from_arrays(columns, schema=schema)
