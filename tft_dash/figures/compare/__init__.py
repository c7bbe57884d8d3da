"""The compare page's figures and texts: pure functions from a comparison, or a side's frame, to plain values."""
