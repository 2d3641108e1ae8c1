"""Sequences of the video suite."""
