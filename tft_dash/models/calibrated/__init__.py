"""Probabilities fitted to one fleet's own history: what was fitted, for which sources, and how it is applied."""
