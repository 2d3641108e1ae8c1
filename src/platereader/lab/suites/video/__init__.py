"""Sequences of frames with known truth: what following and fusing plates is worth."""
