"""From posteriors over characters to texts: the best path, or prefix beam search with an optional plate grammar."""

from platereader.decoding._automaton import Automaton
from platereader.decoding._beam import BeamDecoder
from platereader.decoding._greedy import GreedyDecoder

__all__ = ["Automaton", "BeamDecoder", "GreedyDecoder"]
