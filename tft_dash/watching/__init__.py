"""Drift watch: forecasts held against what happened afterwards, over a sliding window, with a judgement in words.

Nothing is ever retrained by it: it says what no longer holds, and since when.
"""
