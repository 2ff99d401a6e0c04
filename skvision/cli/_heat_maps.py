"""Write heat maps as PNG files, for ``skvision predict --explain``."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

__all__ = ["HeatMaps"]

# pixels between an image and its heat map
_GAP = 8


class HeatMaps:
    """A folder of heat maps, each beside its image.

    Parameters
    ----------
    folder : Path
        The folder. It is made if it doesn't exist.

    Raises
    ------
    OSError
        If the folder can't be made or written to.
    """

    def __init__(self, folder: Path) -> None:
        from .._system.atomic import not_writable

        self._folder = folder.expanduser()
        self._taken: set[str] = set()
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise not_writable(folder, error) from error
        if not os.access(self._folder, os.W_OK):
            raise PermissionError(f"{folder} can't be written. Pass another folder to --explain.")

    def write(self, estimator: Any, files: Sequence[Any]) -> list[dict[str, Any]]:
        """Explain the predicted class of each file, and write an image of it.

        Returns
        -------
        list of dict
            For each file its heat map's ``file``, and its controls ``deletion``,
            ``random_deletion`` and ``sanity`` (None if unknown).
        """
        import numpy as np
        from PIL import Image

        from .._system.atomic import written_whole
        from ..inspection.explanation import explain
        from ..inspection.overlays import enlarged, overlaid

        found = explain(estimator, list(files))
        entries = []
        for row, name in enumerate(files):
            overlay = overlaid(found.images[row : row + 1], found.maps[row : row + 1])[0]
            white = np.full((len(overlay), _GAP, 3), 255, np.uint8)
            both = np.concatenate([enlarged(found.images[row]), white, overlay], axis=1)
            path = self._folder / self._free_name(Path(os.fspath(name)).stem)
            with written_whole(path) as temporary:
                Image.fromarray(both).save(temporary, "PNG")
            sanity = float(found.sanity_[row])
            entries.append(
                {
                    "file": str(path),
                    "deletion": round(float(found.deletion_[row]), 6),
                    "random_deletion": round(float(found.random_deletion_[row]), 6),
                    "sanity": None if math.isnan(sanity) else round(sanity, 6),
                }
            )
        return entries

    def _free_name(self, stem: str) -> str:
        """Return a name that no other image has, in upper or lower case."""
        number, name = 1, f"{stem}.png"
        while name.lower() in self._taken:
            number += 1
            name = f"{stem}-{number}.png"
        self._taken.add(name.lower())
        return name
