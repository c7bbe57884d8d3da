"""Alerts at work: judged with every recorded tick, kept in the store, told to whoever is to be told, and looked at."""
