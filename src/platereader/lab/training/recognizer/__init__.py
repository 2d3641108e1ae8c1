"""Training the recognizer."""
