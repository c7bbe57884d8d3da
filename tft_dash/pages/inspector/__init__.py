"""The inspection of one dataset: verdict, facts, columns, gaps, rows, one server's metrics."""
