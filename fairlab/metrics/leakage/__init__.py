"""How well a protected label can be guessed from labels or scores."""
