"""Models and networks to files and back."""

from ..atomic import written_whole

__all__ = ["written_whole"]
