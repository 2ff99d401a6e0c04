"""The command ``skvision``: a command line for the public API, one module per command.

The package may import all other packages; no other package imports it.
"""

from .app import main

__all__ = ["main"]
