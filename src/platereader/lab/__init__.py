"""Makes and measures the weights; used by nobody above it, and promises nothing between versions."""
