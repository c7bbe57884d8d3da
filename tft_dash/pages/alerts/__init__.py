"""The pages of alerts: problems, silences, rules with their tuner, and who is told."""
