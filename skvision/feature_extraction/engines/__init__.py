"""What runs a feature network: one file an engine, one table of them."""

from .base import Engine, EngineChoice, resolve_engine
from .keras_engine import KerasEngine
from .openvino_engine import OpenVINOEngine

__all__ = ["Engine", "EngineChoice", "KerasEngine", "OpenVINOEngine", "make_engine", "resolve"]

#: every engine, the preferred one first
ENGINES: dict[str, type[Engine]] = {"openvino": OpenVINOEngine, "keras": KerasEngine}


def resolve(engine: str, precision: str) -> EngineChoice:
    """Turn what the user asked for into what this machine will do.

    Parameters
    ----------
    engine : {"auto", "openvino", "keras"}
        ``"auto"`` is OpenVINO where it is installed.
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
        If there is no such engine or precision.
    """
    return resolve_engine(ENGINES, engine, precision)


def make_engine(choice: EngineChoice, network: object, batch_size: int) -> Engine:
    """Make the engine that was chosen, for a feature network."""
    return ENGINES[choice.engine](network, choice.precision, batch_size)
