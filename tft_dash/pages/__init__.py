"""The pages' layouts. They see ids, components and figures, never services."""
