"""Foreign files: what their columns mean, how they become tables of the contract, and how uploads are taken in."""
