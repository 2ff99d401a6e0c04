"""The engine of OpenVINO, an optional dependency, the fastest on processors."""

from __future__ import annotations

import gc
import importlib.util
import threading
import warnings
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import suppress
from functools import cache, partial
from typing import Any

import keras
import numpy as np

from ..._system.memory import give_back_memory
from ..._system.threads import thread_limit
from ...networks.openvino_compat import import_openvino
from ..cache import KeptNetwork
from .base import Build, Engine

__all__ = ["OpenVINOEngine"]

_FILE = "network.xml"


class OpenVINOEngine(Engine):
    """Runs the network converted by OpenVINO, several batches at the same time."""

    extra = "fast"
    # OpenVINO 2026.4 can't convert the networks of JAX 0.10
    backends = ("tensorflow", "torch")
    on_processor = True

    def __init__(
        self, build: Build, precision: str, batch_size: int, kept: KeptNetwork | None = None
    ) -> None:
        self._precision = precision
        self._load = partial(_converted, build, kept)
        self._network = self._load()
        self._n_features = int(self._network.output(0).partial_shape[1].get_length())
        self._compiled: Any = None
        self._compiling = threading.Lock()

    @staticmethod
    def is_installed() -> bool:
        return importlib.util.find_spec("openvino") is not None

    @staticmethod
    def precisions() -> tuple[str, ...]:
        return ("bfloat16", "float32") if "BF16" in _capabilities() else ("float32",)

    @staticmethod
    def version() -> str:
        return f"openvino {import_openvino().__version__}"

    @property
    def n_features(self) -> int:
        return self._n_features

    def rest(self) -> None:
        with self._compiling:
            resting, self._compiled = self._compiled is not None, None
        if resting:
            give_back_memory()

    def _ready(self) -> Any:
        """Compile at first use, since it isn't needed if all features are cached."""
        with self._compiling:
            if self._compiled is None:
                network = self._network or self._load()
                self._compiled = _compile(network, self._precision)
                # the compiled network holds a copy of the weights
                network = self._network = None
                give_back_memory()
            return self._compiled

    def run(self, batches: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
        compiled = self._ready()
        n_requests = int(compiled.get_property("OPTIMAL_NUMBER_OF_INFER_REQUESTS"))
        idle = [compiled.create_infer_request() for _ in range(n_requests)]
        busy: deque[tuple[Any, int]] = deque()
        done: list[np.ndarray] = []

        def finish() -> int:
            """Wait for the oldest request; return the number of further parts of its batch."""
            request, n_left = busy.popleft()
            done.append(_finished(request))
            idle.append(request)
            return n_left

        for batch in batches:
            # a request has few threads: split a batch into parts to keep all threads busy
            parts = np.array_split(batch, min(n_requests, len(batch)))
            for n_left, part in zip(range(len(parts) - 1, -1, -1), parts, strict=True):
                if not idle and not finish():
                    yield _joined(done)
                request = idle.pop()
                request.start_async({0: np.ascontiguousarray(part, np.float32)})
                busy.append((request, n_left))
        while busy:
            if not finish():
                yield _joined(done)
        idle.clear()
        # free the buffers between the layers; "busy" if another thread runs the network
        with suppress(RuntimeError):
            compiled.release_memory()


def _converted(build: Build, kept: KeptNetwork | None) -> Any:
    """Return OpenVINO's form of the network: read it if it was kept, else convert and keep it."""
    openvino = import_openvino()
    folder = kept.find() if kept is not None else None
    if folder is not None:
        return openvino.Core().read_model(folder / _FILE)
    network = build()
    convert = _from_torch if keras.config.backend() == "torch" else _from_tensorflow
    converted = convert(network)
    converted.reshape(_any_number(network))
    del network
    gc.collect()  # a Keras network has reference cycles
    give_back_memory()
    if kept is not None:
        kept.write(
            # the default is 16-bit weights, which would change features
            lambda place: openvino.save_model(converted, place / _FILE, compress_to_fp16=False)
        )
    return converted


def _compile(network: Any, precision: str) -> Any:
    """Compile a network for this processor."""
    options = {
        # without the hint, OpenVINO uses bfloat16 if the processor supports it
        "INFERENCE_PRECISION_HINT": {"float32": "f32", "bfloat16": "bf16"}[precision],
        "PERFORMANCE_HINT": "THROUGHPUT",
        "INFERENCE_NUM_THREADS": thread_limit(),
        # else the single threads of several workers are bound to the same core
        "ENABLE_CPU_PINNING": False,
    }
    return import_openvino().Core().compile_model(network, "CPU", options)


def _any_number(network: Any) -> list[int]:
    """Return OpenVINO's shape of a batch of any number of images."""
    return [-1, *network.input_shape[1:]]


def _from_tensorflow(network: Any) -> Any:
    # shared weights would be freed with the graph
    return import_openvino().convert_model(_graph_of_constants(network), share_weights=False)


def _graph_of_constants(network: Any) -> Any:
    """Return a network as a TensorFlow graph with its weights as constants.

    OpenVINO can convert a Keras model too, but searches each weight among all weights several
    times, which takes four fifths of the time for DenseNet121.
    """
    import tensorflow as tf

    weights = [
        [variable.numpy() for variable in variables]
        for variables in (network.trainable_variables, network.non_trainable_variables)
    ]

    def call(pixels: Any) -> Any:
        constants = [[tf.constant(weight) for weight in group] for group in weights]
        features, _ = network.stateless_call(*constants, pixels, training=False)
        return features

    pixels = tf.TensorSpec([None, *network.input_shape[1:]], tf.float32)
    return tf.function(call, autograph=False).get_concrete_function(pixels).graph


def _from_torch(network: Any) -> Any:
    """Trace the network with a batch, since OpenVINO must know the sizes of some layers."""
    import torch

    batch = keras.ops.zeros((2, *network.input_shape[1:]))
    with warnings.catch_warnings():
        # PyTorch warns that sizes become constants, which is intended, and that tracing is outdated
        for kind in (torch.jit.TracerWarning, FutureWarning, DeprecationWarning):
            warnings.simplefilter("ignore", kind)
        # trace here: if TensorFlow is loaded too, OpenVINO mistakes any Keras network for one of
        # TensorFlow
        traced = torch.jit.trace(network.eval(), ([batch],))
        return import_openvino().convert_model(
            traced, input=_any_number(network), share_weights=False
        )


@cache
def _capabilities() -> Any:
    return import_openvino().Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")


def _joined(parts: list[np.ndarray]) -> np.ndarray:
    """Join the parts of a batch and empty the list."""
    batch = np.concatenate(parts)
    parts.clear()
    return batch


def _finished(request: Any) -> np.ndarray:
    request.wait()
    return np.array(request.get_output_tensor(0).data, np.float32)
