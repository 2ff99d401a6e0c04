"""OpenVINO: the fastest on processors, an extra."""

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
    """The network converted by OpenVINO, several batches under way at once."""

    extra = "fast"
    # as of version 2026.4 it can't read what JAX 0.10 makes of a network
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
        """Compile at first use: where all features are in the cache there is none."""
        with self._compiling:
            if self._compiled is None:
                network = self._network or self._load()
                self._compiled = _compile(network, self._precision)
                # its weights are twice there now
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
            """Wait for the oldest request; return how many of its batch's parts follow."""
            request, n_left = busy.popleft()
            done.append(_finished(request))
            idle.append(request)
            return n_left

        for batch in batches:
            # a request has one thread or few: a batch in parts keeps all of them busy
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
        # what lay between the layers; "busy" if another thread is running it
        with suppress(RuntimeError):
            compiled.release_memory()


def _converted(build: Build, kept: KeptNetwork | None) -> Any:
    """OpenVINO's form of the network: read where it is kept, else converted and kept."""
    openvino = import_openvino()
    folder = kept.find() if kept is not None else None
    if folder is not None:
        return openvino.Core().read_model(folder / _FILE)
    network = build()
    convert = _from_torch if keras.config.backend() == "torch" else _from_tensorflow
    converted = convert(network)
    converted.reshape(_any_number(network))
    del network
    gc.collect()  # a Keras network refers to itself
    give_back_memory()
    if kept is not None:
        kept.write(
            # its default are 16-bit weights, which would change features
            lambda place: openvino.save_model(converted, place / _FILE, compress_to_fp16=False)
        )
    return converted


def _compile(network: Any, precision: str) -> Any:
    """Make a network ready to run on this processor."""
    options = {
        # without the hint it would compute in bfloat16 by itself where it can
        "INFERENCE_PRECISION_HINT": {"float32": "f32", "bfloat16": "bf16"}[precision],
        "PERFORMANCE_HINT": "THROUGHPUT",
        "INFERENCE_NUM_THREADS": thread_limit(),
        # else the one thread of each of several workers is bound to the same core
        "ENABLE_CPU_PINNING": False,
    }
    return import_openvino().Core().compile_model(network, "CPU", options)


def _any_number(network: Any) -> list[int]:
    """The shape of a batch of any number of images, as OpenVINO writes it."""
    return [-1, *network.input_shape[1:]]


def _from_tensorflow(network: Any) -> Any:
    # shared weights would be gone with the graph
    return import_openvino().convert_model(_graph_of_constants(network), share_weights=False)


def _graph_of_constants(network: Any) -> Any:
    """Return a network as a TensorFlow graph in which its weights are constants.

    OpenVINO converts a Keras model too, but looks each weight up among all of them, several
    times: four fifths of the time that DenseNet121 takes.
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
    """OpenVINO follows a batch through the layers, whose sizes must be known for some of them."""
    import torch

    batch = keras.ops.zeros((2, *network.input_shape[1:]))
    with warnings.catch_warnings():
        # that sizes become constants, as they shall, and that PyTorch has other ways by now
        for kind in (torch.jit.TracerWarning, FutureWarning, DeprecationWarning):
            warnings.simplefilter("ignore", kind)
        # traced here: where TensorFlow is loaded too, any Keras network passes for one of it
        traced = torch.jit.trace(network.eval(), ([batch],))
        return import_openvino().convert_model(
            traced, input=_any_number(network), share_weights=False
        )


@cache
def _capabilities() -> Any:
    return import_openvino().Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")


def _joined(parts: list[np.ndarray]) -> np.ndarray:
    """Put a batch's parts together; the list is empty afterwards."""
    batch = np.concatenate(parts)
    parts.clear()
    return batch


def _finished(request: Any) -> np.ndarray:
    request.wait()
    return np.array(request.get_output_tensor(0).data, np.float32)
