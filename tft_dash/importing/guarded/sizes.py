"""Tables that are small on disk and endless when they are read, told by what they say of themselves."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pyarrow as pa
from pyarrow import parquet

from tft_dash.errors import TableError, shorten
from tft_dash.sources.files.formats import PARQUET, damaged_parquet, detect_format

ROW_BYTES: Final = 32
"""A short row of a metrics table as CSV: a time, a server and a value."""
VALUE_BYTES: Final = 4
"""A short value of a CSV file, with what stands before the next."""
ROWS_ALWAYS: Final = 10_000_000
"""So many rows, each with every column of the contract, are taken however small the limit of a file is."""
VALUES_ALWAYS: Final = ROWS_ALWAYS * 16


def demand_size(path: Path, limit_bytes: int) -> None:
    """Refuse a Parquet file that holds more than a CSV file of ``limit_bytes`` could; only its footer is read.

    :raises TableError: it does, its footer is damaged, or it is no table at all.
    """
    if detect_format(path) != PARQUET:
        return
    try:
        about = parquet.read_metadata(path)
    except (OSError, ValueError, pa.ArrowException) as error:
        raise TableError(damaged_parquet(str(path), error)) from error
    rows, values = max(ROWS_ALWAYS, limit_bytes // ROW_BYTES), max(VALUES_ALWAYS, limit_bytes // VALUE_BYTES)
    if about.num_rows > rows or about.num_rows * about.num_columns > values:
        raise TableError(
            f"{shorten(str(path))} says that it holds {about.num_rows:,} rows of {about.num_columns:,} columns. Where "
            f"files of {limit_bytes / 1e6:,.6g} MB are taken (TFT_DASH_UPLOAD_MB), one can hold {rows:,} rows and "
            f"{values:,} values. Split it by time, or leave columns out."
        )
