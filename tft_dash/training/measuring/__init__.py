"""Measures models beside references: scores with intervals, alarms, bands, and the document of it all."""
