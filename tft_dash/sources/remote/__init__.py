"""Recordings in object stores, through a copy in the cache."""
