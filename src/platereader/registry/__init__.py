"""From the name of a model to the bytes of its weight file, all of them checked before anything parses them.

Files are looked for in ``$PLATEREADER_MODELS``, the user's cache and the installed package, in this order. A file given
by its path is taken from there; if no manifest knows it, a sidecar ``FILE.json`` beside it says what it is. A file is
read once: the bytes that were checked are the bytes that are parsed.
"""

from platereader.registry._contents import Contents, Format, WeightPrecision
from platereader.registry._manifest import Kind, WeightEntry, load_manifest, write_sidecar
from platereader.registry._registry import Registry, WeightCheck, WeightFile

__all__ = [
    "Contents",
    "Format",
    "Kind",
    "Registry",
    "WeightCheck",
    "WeightEntry",
    "WeightFile",
    "WeightPrecision",
    "load_manifest",
    "write_sidecar",
]
