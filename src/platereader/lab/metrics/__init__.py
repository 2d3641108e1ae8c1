"""Measures: pure functions of boxes, scores and texts, with their intervals."""
