"""`Store`: the most recently used values, bounded in number and in bytes."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

__all__ = ["Store"]

K = TypeVar("K")
V = TypeVar("V")


class Store(Generic[K, V]):
    """A cache of values that are costly to make; the least recently used are dropped first.

    Values are shared (`get`) or lent to one thread at a time (`take`, `put`). A key may have
    several values.

    Parameters
    ----------
    most : int
        Maximum number of values.
    max_bytes : int, default=None
        Maximum size of the values in bytes; None for no limit. The last value always stays.
    n_bytes : callable, default=None
        Returns the size of a value in bytes.
    making : context manager, default=None
        Lock that is held while `get` makes a value; None for the store's own lock.

    Examples
    --------
    >>> from skvision._system.bounded_store import Store
    >>> store = Store(most=1)
    >>> store.get("a", list) is store.get("a", list)
    True
    >>> store.put("b", [1])
    1
    >>> store.take("a"), store.take("b"), store.take("b")
    (None, [1], None)
    """

    def __init__(
        self,
        most: int,
        max_bytes: int | None = None,
        n_bytes: Callable[[V], int] | None = None,
        making: threading.RLock | None = None,  # type: ignore[valid-type]
    ) -> None:
        self.most = most
        self.max_bytes = max_bytes
        self._n_bytes = n_bytes
        # by identity, since keys may be costly to hash, and a key may have several values
        self._values: OrderedDict[int, tuple[K, V]] = OrderedDict()
        self._lock = threading.Lock()
        self._making = making if making is not None else threading.RLock()

    def get(self, key: K, make: Callable[[], V]) -> V:
        """Return the value of a key, and make it if there is none; it stays in the store."""
        with self._making:  # type: ignore[attr-defined]
            value = self.take(key)
            if value is None:
                value = make()
            self.put(key, value)
            return value

    def take(self, key: K) -> V | None:
        """Remove and return the last value of a key; None if there is none."""
        with self._lock:
            for place in reversed(self._values):
                if self._values[place][0] == key:
                    return self._values.pop(place)[1]
        return None

    def put(self, key: K, value: V) -> int:
        """Store a value, drop those beyond the bounds, and return the number of dropped values."""
        n_dropped = 0
        with self._lock:
            self._values[id(value)] = (key, value)
            while len(self._values) > 1 and self._is_too_full():
                self._values.popitem(last=False)
                n_dropped += 1
        return n_dropped

    def keys(self) -> list[K]:
        """Return the keys of the values, the most recently used last."""
        with self._lock:
            return [key for key, _ in self._values.values()]

    def values(self) -> list[V]:
        """Return the values, the most recently used last."""
        with self._lock:
            return [value for _, value in self._values.values()]

    def clear(self) -> None:
        """Drop all values, to free their memory."""
        with self._lock:
            self._values.clear()

    def __len__(self) -> int:
        return len(self._values)

    def _is_too_full(self) -> bool:
        if len(self._values) > self.most:
            return True
        if self.max_bytes is None or self._n_bytes is None:
            return False
        return sum(self._n_bytes(value) for _, value in self._values.values()) > self.max_bytes
