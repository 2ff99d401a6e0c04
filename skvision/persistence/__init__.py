"""Files that are written whole or not at all."""

from .atomic import written_whole

__all__ = ["written_whole"]
