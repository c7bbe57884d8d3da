"""The HTTP interface beside the pages: probes and JSON."""
