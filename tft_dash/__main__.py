"""``python -m tft_dash`` is ``tft-dash``."""

from tft_dash.cli import main

main(prog_name="tft-dash")
