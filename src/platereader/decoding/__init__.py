"""From posteriors over characters to texts: the best path, or prefix beam search with an optional plate grammar."""

from platereader.decoding._beam import BeamDecoder
from platereader.decoding._greedy import GreedyDecoder
from platereader.decoding._prefixes import Automaton

__all__ = ["Automaton", "BeamDecoder", "GreedyDecoder"]
