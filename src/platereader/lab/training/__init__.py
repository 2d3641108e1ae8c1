"""Training loops that make the weights."""
