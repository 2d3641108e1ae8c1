"""Fitting confidence: of single readings and of fused ones."""
