"""From posteriors over characters to texts: the best path, or prefix beam search with an optional plate grammar."""
