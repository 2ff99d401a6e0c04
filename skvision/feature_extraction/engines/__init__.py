"""Engines that run a feature network: one module per engine, and a table of them.

The package imports `skvision.networks`, `skvision._system` and `kept_networks`.
"""

# first, since it hides the messages of Keras' backend
from ... import networks  # noqa: F401  isort: skip
from ..cache import KeptNetwork
from .base import Build, Engine, EngineChoice, resolve_engine
from .keras_engine import KerasEngine
from .openvino_engine import OpenVINOEngine

__all__ = [
    "ENGINES",
    "Engine",
    "EngineChoice",
    "KerasEngine",
    "OpenVINOEngine",
    "make_engine",
    "resolve",
]

#: all engines, the preferred one first
ENGINES: dict[str, type[Engine]] = {"openvino": OpenVINOEngine, "keras": KerasEngine}


def resolve(engine: str, precision: str) -> EngineChoice:
    """Choose the engine and precision for this machine.

    Parameters
    ----------
    engine : {"auto", "openvino", "keras"}
        ``"auto"`` is OpenVINO if it is installed, can convert networks of Keras' backend, and
        Keras computes on the processor; else Keras.
    precision : {"auto", "float32", "bfloat16"}
        ``"auto"`` is bfloat16 if engine and processor support it.

    Returns
    -------
    EngineChoice

    Raises
    ------
    ImportError
        If the engine is not installed; the message says how to install it.
    ValueError
        If the engine or precision doesn't exist, or doesn't support Keras' backend.
    """
    return resolve_engine(ENGINES, engine, precision)


def make_engine(
    choice: EngineChoice, build: Build, batch_size: int, kept: KeptNetwork | None = None
) -> Engine:
    """Make the chosen engine for the feature network that `build` makes."""
    return ENGINES[choice.engine](build, choice.precision, batch_size, kept)
