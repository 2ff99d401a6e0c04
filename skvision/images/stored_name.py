"""`KeptFile`: a file's name that remembers what was read of the file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .learning import Levels

__all__ = ["KeptFile"]


class KeptFile(str):
    """A file's name, with what is known of the file once it has been examined.

    A copy in another process is a plain name: there the file is read again.
    """

    __slots__ = ("kept", "key", "levels", "place")

    #: what its pixels are kept in, and where in it
    kept: Any
    place: int
    #: its `image_key`, and the levels of an image that is on the scale that it is read on
    key: bytes | None
    levels: Levels | None

    def at(self, kept: Any, place: int) -> KeptFile:
        """Say where its pixels are kept."""
        self.kept, self.place = kept, place
        self.key = self.levels = None
        return self

    def __reduce__(self) -> tuple[type[str], tuple[str]]:
        return str, (str(self),)
