"""Recordings as memory-mapped arrays, made once and shared by all processes."""
