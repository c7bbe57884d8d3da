"""Alerts: rules over recorded ticks, judged by a pure state machine, and gathered into problems.

Nothing in here reads a clock, a file of the fleet or the store: what is judged comes in as values, and so do states.
"""
