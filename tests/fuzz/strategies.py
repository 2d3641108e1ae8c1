"""What the tests throw at parsers and contracts: seeds that are nearly right, and changes that make them wrong."""

from __future__ import annotations

import io
import json
import struct
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

FunctionT = TypeVar("FunctionT", bound=Callable[..., object])

NUMBERS = st.one_of(
    st.integers(-10, 10),
    st.floats(),
    st.sampled_from([2**31, -(2**63), 10**400, 1e308, -1e308, 5e-324, 0.0, -0.0, 1.0]),
)
TEXTS = st.one_of(
    st.text(max_size=12),
    st.text(st.characters(), max_size=6),
    st.sampled_from(["", "\0", "\ud800", "../..", "=1+1", "\x1b[2J", "A123BC77", "й", "NaN", "-", "1e999", "0" * 5000]),
)
JSON_VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), NUMBERS, TEXTS),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(TEXTS, inner, max_size=4)),
    max_leaves=6,
)


def cases(share: float) -> Callable[[FunctionT], FunctionT]:
    """A share of the profile's number of cases, for a test whose cases are dear or cheap."""
    return settings(max_examples=max(1, round(settings().max_examples * share)))


@st.composite
def changed(draw: st.DrawFn, seeds: Sequence[bytes], *, words: Sequence[bytes] = ()) -> bytes:
    """One of some files with a few bytes overwritten, put in, left out or said twice."""
    data = bytearray(draw(st.sampled_from(seeds)))
    pieces = st.binary(max_size=6) if not words else st.one_of(st.binary(max_size=6), st.sampled_from(words))
    for what, where, piece in draw(
        st.lists(st.tuples(st.integers(0, 4), st.integers(0, 1 << 16), pieces), min_size=1, max_size=6)
    ):
        start = where % (len(data) + 1)
        if what == 0:
            data[start : start + len(piece)] = piece
        elif what == 1:
            data[start:start] = piece
        elif what == 2:
            del data[start : start + 1 + len(piece)]
        elif what == 3:
            data[start:start] = data[start : start + 64]
        else:
            del data[start:]
    return bytes(data)


@st.composite
def changed_object(draw: st.DrawFn, whole: Mapping[str, Any]) -> Any:
    """A JSON object with one or two of its values, at any depth, replaced or left out."""
    made: Any = json.loads(json.dumps(whole))
    for _ in range(draw(st.integers(1, 2))):
        holder, key = made, draw(st.sampled_from(sorted(made))) if made else None
        while key is not None and draw(st.booleans()):
            inner = holder[key]
            keys = (
                sorted(inner) if isinstance(inner, dict) else list(range(len(inner))) if isinstance(inner, list) else []
            )
            if not keys:
                break
            holder, key = inner, draw(st.sampled_from(keys))
        if key is None:
            break
        if draw(st.booleans()):
            holder[key] = draw(JSON_VALUES)
        else:
            del holder[key]
    return made


def pictures() -> list[bytes]:
    """A small file of each kind that is read."""
    rng = np.random.default_rng(0)
    pixels = Image.fromarray(rng.integers(0, 256, (6, 9, 3), np.uint8))
    deep = Image.fromarray(rng.integers(0, 65535, (4, 5), np.uint16))
    made = [_file(pixels, kind) for kind in ("JPEG", "PNG", "BMP", "GIF", "WEBP", "TIFF", "JPEG2000")]
    made += [
        _file(deep, "PNG"),
        _file(deep, "TIFF"),
        _file(pixels.convert("1"), "PNG"),
        _file(pixels.convert("P"), "PNG"),
    ]
    made += [
        _file(pixels, kind, save_all=True, append_images=[pixels.rotate(90)]) for kind in ("GIF", "PNG", "WEBP", "AVIF")
    ]
    exif = Image.Exif()
    exif[274] = 6
    made.append(_file(pixels, "JPEG", exif=exif, progressive=True))
    return made


def _file(picture: Image.Image, kind: str, **options: Any) -> bytes:
    stream = io.BytesIO()
    picture.save(stream, kind, **options)
    return stream.getvalue()


def tensors_file() -> bytes:
    """A safetensors file of one tensor."""
    header = json.dumps(
        {"__metadata__": {"platereader": "int8"}, "w": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}
    ).encode()
    return struct.pack("<Q", len(header)) + header + bytes(8)


def frames(*, sides: int = 12) -> st.SearchStrategy[NDArray[Any]]:
    """Arrays that are frames, and some that are none."""
    kinds = st.sampled_from([np.uint8] * 4 + [np.float32, np.bool_, np.int64])
    shapes = st.one_of(
        st.tuples(st.integers(1, sides), st.integers(1, sides), st.just(3)),
        st.lists(st.integers(0, sides), max_size=4).map(tuple),
    )
    return st.builds(lambda kind, shape, value: np.full(shape, value).astype(kind), kinds, shapes, st.integers(0, 255))
