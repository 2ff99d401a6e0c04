"""The command ``skvision``: a shell over the public API, one file for each command.

It imports all other rooms; no other room imports it.
"""

from .app import main

__all__ = ["main"]
