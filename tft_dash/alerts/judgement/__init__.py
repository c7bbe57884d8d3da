"""What a rule reads, one step of the state machine, and what is told of it, texts with places in them included."""
