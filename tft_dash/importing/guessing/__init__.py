"""What a foreign file most likely means, told from its name, its header and its first values."""
