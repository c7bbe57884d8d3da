"""Trying a live source before it is collected: what it has, what is missing, what to change."""
