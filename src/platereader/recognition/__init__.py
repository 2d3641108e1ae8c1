"""From a straightened plate to posteriors over characters: preprocessing, the network, and the part that runs it."""

from platereader.recognition._recognizer import CtcRecognizer

__all__ = ["CtcRecognizer"]
