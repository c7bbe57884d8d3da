"""What a drill will do, before it is made: the run's own generator and model on a part of the fleet."""
