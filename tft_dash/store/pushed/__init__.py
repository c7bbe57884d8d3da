"""Pushed samples in the store: taken from whoever pushes, handed to whoever collects. Plain values, no rules."""
