"""What runs a feature network: one file for each engine, one table of them.

It imports `skvision.networks`, `skvision._system` and `kept_networks`.
"""

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

#: every engine, the preferred one first
ENGINES: dict[str, type[Engine]] = {"openvino": OpenVINOEngine, "keras": KerasEngine}


def resolve(engine: str, precision: str) -> EngineChoice:
    """Turn what the user asked for into what this machine will do.

    Parameters
    ----------
    engine : {"auto", "openvino", "keras"}
        ``"auto"`` is OpenVINO where it is installed, takes networks of Keras' backend, and
        Keras computes on the processor, too.
    precision : {"auto", "float32", "bfloat16"}
        ``"auto"`` is bfloat16 where engine and processor have it.

    Returns
    -------
    EngineChoice

    Raises
    ------
    ImportError
        If the engine is not installed; the message is the line that installs it.
    ValueError
        If there is no such engine or precision, or not with Keras' backend.
    """
    return resolve_engine(ENGINES, engine, precision)


def make_engine(
    choice: EngineChoice, build: Build, batch_size: int, kept: KeptNetwork | None = None
) -> Engine:
    """Make the engine that was chosen, for the feature network that `build` makes."""
    return ENGINES[choice.engine](build, choice.precision, batch_size, kept)
