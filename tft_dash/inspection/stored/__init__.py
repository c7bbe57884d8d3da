"""The rows as they lie in the cache: read from any file, typed, and written as one Arrow file."""
