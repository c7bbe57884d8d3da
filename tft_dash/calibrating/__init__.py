"""Fits a model's probabilities to a fleet's own history with outcomes, and says on later data what that is worth."""
