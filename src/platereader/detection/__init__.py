"""Parts that find plates in frames."""
