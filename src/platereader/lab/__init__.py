"""Makes and measures the weights; only the commands import it, and it may change in every version."""
