"""Messages of the commands on standard error, and their early end."""

from __future__ import annotations

import sys

__all__ = ["Interrupted", "message", "say"]


class Interrupted(Exception):
    """Ctrl-C ended the command; the text lists the results that exist nevertheless."""


def message(error: Exception) -> str:
    """Return an error as one sentence; errors of the operating system include the file's name."""
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    return str(error)


def say(text: object) -> None:
    """Write one line to standard error."""
    print(f"skvision: {' '.join(str(text).split())}", file=sys.stderr)
