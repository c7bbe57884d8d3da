"""The collector: one process for every live source, which polls, aligns, judges, and records each tick as issued."""
