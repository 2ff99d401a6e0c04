"""The command ``skvision``: a shell over the public API, one file a command."""

from .app import main

__all__ = ["main"]
