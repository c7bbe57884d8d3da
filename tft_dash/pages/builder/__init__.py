"""The scenario builder: its page, and its form made from a document, group by group."""

from tft_dash.pages.builder.form import form
from tft_dash.pages.builder.page import layout, missing

__all__ = ["form", "layout", "missing"]
