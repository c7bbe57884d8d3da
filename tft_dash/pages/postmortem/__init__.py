"""A problem as one file: figures, data, comments and origin in HTML that needs no script, server or network."""
