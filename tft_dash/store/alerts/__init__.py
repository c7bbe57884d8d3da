"""Alerts in the store, as plain values: what is judged, what people say, what is told to whom.

What these values mean is known to :mod:`tft_dash.alerting`. Functions work within a transaction that they are given:
an alert is judged in the one that records its tick.
"""
