"""OpenVINO: the fastest on processors, an extra."""

from __future__ import annotations

import importlib.util
import sys
import warnings
from collections import deque
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any

import numpy as np

from ...threads import thread_limit
from .base import Engine

__all__ = ["OpenVINOEngine"]


class OpenVINOEngine(Engine):
    """The network converted by OpenVINO, several batches under way at once."""

    extra = "fast"

    def __init__(self, network: Any, precision: str, batch_size: int) -> None:
        openvino = _openvino()
        with warnings.catch_warnings():
            # on how OpenVINO calls a Keras model
            warnings.filterwarnings("ignore", message="The structure of `inputs`")
            converted = openvino.convert_model(network, share_weights=False)
        height, width, channels = network.input_shape[1:]
        converted.reshape([-1, height, width, channels])
        # without the hint it would compute in bfloat16 by itself where it can
        options = {
            "INFERENCE_PRECISION_HINT": {"float32": "f32", "bfloat16": "bf16"}[precision],
            "PERFORMANCE_HINT": "THROUGHPUT",
            "INFERENCE_NUM_THREADS": thread_limit(),
        }
        self._compiled = openvino.Core().compile_model(converted, "CPU", options)
        self._n_features = int(network.output_shape[-1])
        self._n_requests = int(self._compiled.get_property("OPTIMAL_NUMBER_OF_INFER_REQUESTS"))

    @staticmethod
    def is_installed() -> bool:
        return importlib.util.find_spec("openvino") is not None

    @staticmethod
    def precisions() -> tuple[str, ...]:
        able = _openvino().Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
        return ("bfloat16", "float32") if "BF16" in able else ("float32",)

    @staticmethod
    def version() -> str:
        return f"openvino {_openvino().__version__}"

    @property
    def n_features(self) -> int:
        return self._n_features

    def run(self, batches: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
        idle = [self._compiled.create_infer_request() for _ in range(self._n_requests)]
        busy: deque[Any] = deque()
        for batch in batches:
            if not idle:
                idle.append(busy.popleft())
                yield _finished(idle[-1])
            request = idle.pop()
            request.start_async({0: np.ascontiguousarray(batch, np.float32)})
            busy.append(request)
        while busy:
            yield _finished(busy.popleft())


def _finished(request: Any) -> np.ndarray:
    request.wait()
    return np.array(request.get_output_tensor(0).data, np.float32)


@cache
def _openvino() -> Any:
    """Import OpenVINO without its telemetry, which would report the import already."""
    if "openvino" not in sys.modules:
        reporter = "openvino_telemetry"
        before = sys.modules.get(reporter)
        sys.modules[reporter] = None  # type: ignore[assignment]  # "can't be imported"
        try:
            import openvino
        finally:
            del sys.modules[reporter]
            if before is not None:
                sys.modules[reporter] = before
    import openvino

    return openvino
