"""The commands of ``tft-dash``, one module for each thing that people do with it."""
