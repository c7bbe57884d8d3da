"""The format of a scenario document: its parts, how they are read, and every mistake that can be in them."""
