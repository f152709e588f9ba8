"""Check a version's files without the libraries that load them.

An ONNX file is a protobuf message of a known shape. Field numbers are those of onnx.proto: https://github.com/onnx/onnx/blob/main/onnx/onnx.proto
"""

import json
from collections.abc import Iterator

from model_sync.ports import Unservable

# Tokenizers of models with a quarter of a million tokens have some 17 MB; each cold start of the API reads it.
MAX_TOKENIZER_BYTES = 32 * 1024 * 1024
_MODEL_GRAPH = 7
_GRAPH_INITIALIZER = 5
_TENSOR_DATA_LOCATION = 14
_EXTERNAL = 1
_VARINT = 0  # protobuf's wire types
_BYTES = 2
_FIXED = {1: 8, 5: 4}
_MAX_VARINT_BYTES = 10  # of 7 bits each: https://protobuf.dev/programming-guides/encoding/#varints


def check_onnx(content: bytes) -> None:
    """Raise Unservable for a file that is empty, no ONNX model, or not the whole of one."""
    if not content:
        raise Unservable("its ONNX file is empty: log the model again")
    try:
        graphs = list(_messages(memoryview(content), _MODEL_GRAPH))
        external = any(_is_external(tensor) for graph in graphs for tensor in _messages(graph, _GRAPH_INITIALIZER))
    except (ValueError, IndexError) as error:
        raise Unservable(f"its ONNX file of {len(content)} bytes is damaged, or no ONNX model: {error}") from error
    if not graphs:
        raise Unservable(f"its ONNX file of {len(content)} bytes holds no graph: log the model again")
    if external:
        raise Unservable("its weights lie in a file of their own: log it with save_as_external_data=False")


def check_tokenizer(content: bytes) -> None:
    """Raise Unservable for a file that no `tokenizers.Tokenizer` can be made of."""
    if len(content) > MAX_TOKENIZER_BYTES:
        raise Unservable(f"its tokenizer's {len(content)} bytes are over {MAX_TOKENIZER_BYTES}")
    try:
        document = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise Unservable(f"its tokenizer's file of {len(content)} bytes is not JSON: {error}") from error
    if not isinstance(document, dict) or "model" not in document:
        raise Unservable("its tokenizer's file has no `model`: it is not as tokenizers.Tokenizer.save writes it")


def _is_external(tensor: memoryview) -> bool:
    return any(field == _TENSOR_DATA_LOCATION and value == _EXTERNAL for field, value in _fields(tensor))


def _messages(message: memoryview, wanted: int) -> Iterator[memoryview]:
    for field, value in _fields(message):
        if field == wanted and isinstance(value, memoryview):
            yield value


def _fields(message: memoryview) -> Iterator[tuple[int, int | memoryview]]:
    position = 0
    while position < len(message):
        tag, position = _varint(message, position)
        kind = tag & 7
        if kind == _VARINT:
            value, position = _varint(message, position)
            yield tag >> 3, value
            continue
        length, position = _length(message, position, kind)
        if position + length > len(message):
            raise ValueError("it ends in the middle of a field")
        yield tag >> 3, message[position : position + length]
        position += length


def _length(message: memoryview, position: int, kind: int) -> tuple[int, int]:
    if kind == _BYTES:
        return _varint(message, position)
    if kind in _FIXED:
        return _FIXED[kind], position
    raise ValueError(f"a field of unknown wire type {kind}")


def _varint(message: memoryview, position: int) -> tuple[int, int]:
    value = 0
    for index in range(_MAX_VARINT_BYTES):
        byte = message[position + index]  # IndexError at the end of a message that is cut off
        value |= (byte & 0x7F) << 7 * index
        if byte < 0x80:
            return value, position + index + 1
    raise ValueError(f"a number of more than {_MAX_VARINT_BYTES} bytes")
