"""What a bare `gunicorn tft_dash.wsgi:server` uses when it is started in this folder."""

from tft_dash import gunicorn_conf

globals().update({name: value for name, value in vars(gunicorn_conf).items() if not name.startswith("_")})
