"""What the commands say on standard error, and how they end early."""

from __future__ import annotations

import sys

__all__ = ["Interrupted", "message", "say"]


class Interrupted(Exception):
    """Ctrl-C ended the command; the text says what there is in spite of it."""


def message(error: Exception) -> str:
    """One sentence of an error, an operating system's with the file's name."""
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    return str(error)


def say(text: object) -> None:
    """Write one line to standard error."""
    print(f"skvision: {' '.join(str(text).split())}", file=sys.stderr)
