"""From the name of a model to its weight file, every byte of it checked before anything parses it.

Files are looked for in ``$PLATEREADER_MODELS``, the user's cache and the installed package, in this order. A file given
by its path is taken from there; if no manifest knows it, a sidecar ``FILE.json`` beside it says what it is.
"""

from platereader.registry._manifest import Kind, WeightEntry, load_manifest, write_sidecar
from platereader.registry._registry import Registry, WeightCheck, WeightFile

__all__ = ["Kind", "Registry", "WeightCheck", "WeightEntry", "WeightFile", "load_manifest", "write_sidecar"]
