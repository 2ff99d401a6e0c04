"""Engines that are running in this process, so that a grid search loads each network once."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Hashable

from .engines import Engine, EngineChoice, make_engine
from .kept_networks import KeptNetwork
from .recipe import FeatureRecipe

__all__ = ["RunningEngines", "running_engines"]


class RunningEngines:
    """The engines used last, each with its network in memory.

    Parameters
    ----------
    most : int, default=2
        How many stay; VGG16 alone takes half a gigabyte.
    """

    def __init__(self, most: int = 2) -> None:
        self.most = most
        self._engines: OrderedDict[Hashable, Engine] = OrderedDict()
        # Keras builds one network at a time: it names layers through a global counter
        self._lock = threading.Lock()

    def get(
        self,
        recipe: FeatureRecipe,
        choice: EngineChoice,
        batch_size: int,
        kept: KeptNetwork | None = None,
    ) -> Engine:
        """Return the engine for this network; build it if it isn't there."""
        key = (recipe, choice, batch_size)
        with self._lock:
            if key not in self._engines:
                self._engines[key] = make_engine(choice, recipe.build, batch_size, kept)
                while len(self._engines) > self.most:
                    self._engines.popitem(last=False)
            self._engines.move_to_end(key)
            return self._engines[key]

    def clear(self) -> None:
        """Forget all engines, to give their memory back."""
        with self._lock:
            self._engines.clear()


#: the process's own
running_engines = RunningEngines()
