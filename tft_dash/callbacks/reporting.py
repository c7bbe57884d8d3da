"""What a page says when the server itself failed; the log has the rest."""

from __future__ import annotations

from typing import Final

OWN_ERROR: Final = "The server met an error of its own. It is in the server's log; try again."
"""After something that a person asked for."""
RETRIED_ERROR: Final = "The server met an error of its own. It is in the server's log; the page tries again by itself."
"""Where the page asks again without being told to."""
