"""`BUILDING`: one thread at a time builds Keras networks.

Keras names layers through a counter and records operations in a graph that belong to the whole
process.
"""

from __future__ import annotations

import threading

__all__ = ["BUILDING"]

#: held while a network is built; a thread may take it again
BUILDING = threading.RLock()
