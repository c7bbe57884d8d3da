"""tft_dash: a server fleet, its risks, and the probability of an incident, as a web app."""

__version__ = "0.1.0"
