"""What gunicorn serves: ``gunicorn tft_dash.wsgi:server``, configured by environment or ``tft_dash.toml``."""

from tft_dash.app import serving_app
from tft_dash.services import Services
from tft_dash.settings import load_settings

server = serving_app(Services(load_settings()))
