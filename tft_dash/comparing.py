"""Two recordings, or one under two models, on one clock."""
