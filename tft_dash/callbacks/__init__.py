"""Callbacks: decode, ask the services, call the figures, return."""
