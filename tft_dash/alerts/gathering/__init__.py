"""How a problem comes about: who showed first, what belongs together, how it goes on."""
