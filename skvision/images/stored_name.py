"""`KeptFile`: a file's name with what was read from the file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .learning import Levels

__all__ = ["KeptFile"]


class KeptFile(str):
    """A file's name, with what is known about the file after it was read once.

    A copy in another process is a plain name: there the file is read again.
    """

    __slots__ = ("kept", "key", "levels", "place")

    #: the store that keeps its pixels, and its place there
    kept: Any
    place: int
    #: its `image_key`, and its levels
    key: bytes | None
    levels: Levels | None

    def at(self, kept: Any, place: int) -> KeptFile:
        """Set the place of its pixels."""
        self.kept, self.place = kept, place
        self.key = self.levels = None
        return self

    def __reduce__(self) -> tuple[type[str], tuple[str]]:
        return str, (str(self),)
