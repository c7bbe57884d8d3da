"""The scenario builder: its page, and its form made from a document, group by group."""

from tft_dash.pages.builder.form import PARTS, form, frame, part_id
from tft_dash.pages.builder.page import layout, missing

__all__ = ["PARTS", "form", "frame", "layout", "missing", "part_id"]
