"""Drills made on the server in the background: queue, runner, limits."""
