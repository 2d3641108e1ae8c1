"""Plates of other countries, made up: not every plate is Russian, and a reader has to say so."""
