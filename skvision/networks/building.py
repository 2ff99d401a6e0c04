"""`BUILDING`: a lock, so that one thread at a time builds Keras networks.

Keras' counter of layer names and its graph of operations are shared by all threads.
"""

from __future__ import annotations

import threading

__all__ = ["BUILDING"]

#: held while a network is built; reentrant
BUILDING = threading.RLock()
