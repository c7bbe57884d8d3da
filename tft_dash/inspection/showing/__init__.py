"""The rows as somebody wants to see them: filtered, in order, as cells of a page, as a file."""
