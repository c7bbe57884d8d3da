"""The kinds of live source: each hands over :class:`tft_dash.live.samples.Samples`."""
