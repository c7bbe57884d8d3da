"""Fits the network: a plan, windows drawn by it, losses, a loop that can be killed and gone on with."""
