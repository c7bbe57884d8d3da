"""What lies in a file: its format, its rows in blocks, and its columns as arrays."""
