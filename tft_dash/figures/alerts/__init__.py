"""Figures about alerts: marks on the trend, a problem's chances, the tuner's curve, and drawings for a post-mortem."""
