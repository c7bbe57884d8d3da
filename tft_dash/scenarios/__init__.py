"""Scenarios: the documents that determine a drill, and the generator that turns one into a table."""
