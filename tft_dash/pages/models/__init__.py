"""The page of the models: what each one is, and how far its numbers can be trusted."""
