"""From blocks of a drill to files: CSV text, Parquet, metadata, all or nothing."""
