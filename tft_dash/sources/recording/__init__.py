"""Recordings: reading tables that the contract describes, aligning them, and keeping them as a memory-mapped cube."""
