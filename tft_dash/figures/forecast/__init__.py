"""A server's forecast: its bands, when it is likely over a line, and what the model looked at."""
