"""What the bytes of a weight file say of themselves, found without any engine: their format, precision and metadata.

An ONNX file is a protocol buffer. Its messages are walked over the few fields that matter here (onnx.proto3 of ONNX
1.17); tensors themselves are skipped.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias, cast

from platereader.errors import WeightsCorruptError

Format: TypeAlias = Literal["safetensors", "onnx"]
"""How a weight file is written: ``torch`` runs the one, ``onnx`` and ``openvino`` the other."""

WeightPrecision: TypeAlias = Literal["fp32", "int8"]
"""Number format of the weights in a file: int8 for a quantised network, fp32 (or smaller floats) for any other."""

_LENGTH_BYTES = 8
# Of each message, the fields that hold another message which matters, by number.
_MESSAGES: Final[dict[str, dict[int, str]]] = {
    "model": {7: "graph", 14: "metadata", 20: "training", 25: "function"},
    "training": {1: "graph", 2: "graph"},
    "function": {7: "node", 11: "attribute"},
    "graph": {1: "node", 5: "tensor", 15: "sparse"},
    "node": {5: "attribute"},
    "attribute": {5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse", 23: "sparse"},
    "sparse": {1: "tensor", 2: "tensor"},
    "tensor": {},
    "metadata": {},
}
_OPERATOR, _EXTERNAL_DATA, _DATA_LOCATION = 4, 13, 14
_GRAPH, _INPUT, _OUTPUT = 7, 11, 12
_DIMENSIONS: Final = (2, 1, 2, 1)  # of an input or output: its type, as a tensor, the shape, each dimension
_MAX_DEPTH = 32


@dataclass(frozen=True, slots=True)
class Contents:
    """What is found in a weight file.

    Attributes:
        format: how it is written.
        precision: of the weights in it.
        metadata: texts by name, as whoever wrote it put them there.
        inputs: shapes of the inputs of an ONNX file, 0 for what is not fixed.
        outputs: shapes of its outputs, likewise.
    """

    format: Format
    precision: WeightPrecision
    metadata: Mapping[str, str] = field(default_factory=dict[str, str])
    inputs: tuple[tuple[int, ...], ...] = ()
    outputs: tuple[tuple[int, ...], ...] = ()


def contents_of(data: bytes, *, name: str) -> Contents:
    """Look into a weight file; nothing of it is run.

    Raises:
        WeightsCorruptError: it is neither safetensors nor ONNX, or an ONNX file whose tensors lie in other files, which
            nobody has checked.
    """
    if data[_LENGTH_BYTES : _LENGTH_BYTES + 1] == b"{":
        return _safetensors(data, name=name)
    try:
        return _onnx(data, name=name)
    except (IndexError, UnicodeDecodeError) as error:
        raise _neither(name) from error


def _safetensors(data: bytes, *, name: str) -> Contents:
    length = int.from_bytes(data[:_LENGTH_BYTES], "little")
    try:
        header: object = json.loads(data[_LENGTH_BYTES : _LENGTH_BYTES + length])
    except (ValueError, RecursionError) as error:
        raise _neither(name) from error
    metadata = cast("dict[str, object]", header).get("__metadata__", {}) if isinstance(header, dict) else None
    if not isinstance(metadata, dict):
        raise _neither(name)
    texts = {str(key): str(value) for key, value in cast("dict[str, object]", metadata).items()}
    return Contents("safetensors", "int8" if texts.get("precision") == "int8" else "fp32", texts)


def _onnx(data: bytes, *, name: str) -> Contents:
    metadata: dict[str, str] = {}
    has_graph = quantized = False
    for kind, fields in _messages(memoryview(data), "model", depth=0):
        has_graph = has_graph or kind == "graph"
        if kind == "metadata":
            metadata[_text(fields.get(1))] = _text(fields.get(2))
        if kind == "node" and _text(fields.get(_OPERATOR)) == "DequantizeLinear":
            quantized = True
        if kind == "tensor" and (_EXTERNAL_DATA in fields or fields.get(_DATA_LOCATION)):
            raise WeightsCorruptError(
                f"{name} keeps tensors in other files, which its sha256 does not cover: write it again with all "
                "tensors inside, such as by onnx.save(onnx.load(path), other_path)."
            )
    if not has_graph:
        raise _neither(name)
    inputs, outputs = (tuple(map(_shape, _inner(memoryview(data), (_GRAPH, what)))) for what in (_INPUT, _OUTPUT))
    return Contents("onnx", "int8" if quantized else "fp32", metadata, inputs, outputs)


def _shape(value: memoryview) -> tuple[int, ...]:
    sizes = (dict(_fields(dimension)).get(1) for dimension in _inner(value, _DIMENSIONS))
    return tuple(size if isinstance(size, int) else 0 for size in sizes)


def _inner(data: memoryview, numbers: Sequence[int]) -> Iterator[memoryview]:
    """The messages that are reached from one by fields of these numbers, in their order."""
    first, *rest = numbers
    for number, value in _fields(data):
        if number == first and isinstance(value, memoryview):
            yield from _inner(value, rest) if rest else (value,)


_Fields: TypeAlias = "dict[int, int | memoryview]"


def _messages(data: memoryview, kind: str, *, depth: int) -> Iterator[tuple[str, _Fields]]:
    """Every message of the kinds in ``_MESSAGES``, with its last value of each field; outer ones after inner ones."""
    if depth > _MAX_DEPTH:
        raise IndexError("nested too deeply")
    fields: _Fields = {}
    inner = _MESSAGES[kind]
    for number, value in _fields(data):
        fields[number] = value
        if number in inner and isinstance(value, memoryview):
            yield from _messages(value, inner[number], depth=depth + 1)
    yield kind, fields


def _fields(data: memoryview) -> Iterator[tuple[int, int | memoryview]]:
    """Number and value of each field of one message: whole numbers, and the bytes of everything else.

    Raises:
        IndexError: it is no protocol buffer.
    """
    place = 0
    while place < len(data):
        key, place = _varint(data, place)
        number, wire = key >> 3, key & 7
        if wire == 0:
            value, place = _varint(data, place)
            yield number, value
            continue
        if wire == 2:
            length, place = _varint(data, place)
        elif wire in {1, 5}:
            length = 8 if wire == 1 else 4
        else:
            raise IndexError("no such kind of field")
        if place + length > len(data):
            raise IndexError("a field is longer than its message")
        yield number, data[place : place + length]
        place += length


def _text(value: int | memoryview | None) -> str:
    return bytes(value).decode() if isinstance(value, memoryview) else ""


def _varint(data: memoryview, place: int) -> tuple[int, int]:
    """A whole number of seven bits a byte, least first, and where it ends."""
    value = shift = 0
    while True:
        byte = data[place]
        value |= (byte & 0x7F) << shift
        place, shift = place + 1, shift + 7
        if byte < 0x80:
            return value, place
        if shift > 63:
            raise IndexError("a number is too long")


def _neither(name: str) -> WeightsCorruptError:
    return WeightsCorruptError(
        f"{name} is neither a safetensors nor an ONNX file, or not a whole one: fetch or make it again."
    )
