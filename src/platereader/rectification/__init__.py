"""Straightening plates: by learned corners, or from a box alone with classical image processing."""
