"""`FeatureCache`: features on disk, each computed by one process only.

Features are stored by network and image (`image_key` and `network_key` make the keys; `store`
owns the file). A call first reads the stored features. It processes the rest in batches: it
claims a batch's images, looks them up again, and computes those that are still missing. Images
that another call has claimed are computed by that call and read afterwards.

Errors of the file never stop a call: it warns, and computes the features that it needs.
"""

from __future__ import annotations

import os
import time
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import Any

import numpy as np

from .claims import Claims
from .location import default_cache_folder
from .store import SCHEMA, CacheUnavailableError, FeatureCacheWarning, FeatureStore, row_bytes

__all__ = ["Batches", "CacheInfo", "FeatureCache"]

# Seconds that an idle call waits for features that other calls have claimed: between two look-ups,
# and in total without any new feature. Then it computes them too, since the other call may hang.
_SHORTEST_WAIT, _LONGEST_WAIT = 0.02, 0.5
PATIENCE_SECONDS = 600.0

# Share of the size limit that eviction shrinks the file to, and that one call may fill: a call
# that fills more would evict its own first features.
_FILL = 0.9


class Batches:
    """Positions of images to compute, in batches that are drawn on demand.

    Parameters
    ----------
    drawn : iterable of ndarray of int
        The batches.
    at_most : int
        Maximum number of batches; other calls may compute some of the images meanwhile.
    """

    def __init__(self, drawn: Iterable[np.ndarray], at_most: int) -> None:
        self._drawn = drawn
        self._at_most = at_most

    def __iter__(self) -> Iterator[np.ndarray]:
        return iter(self._drawn)

    def __len__(self) -> int:
        return self._at_most


#: computes missing features: takes batches of positions, yields pairs of positions and features
Compute = Callable[[Batches], Iterable[tuple[np.ndarray, np.ndarray]]]


@dataclass(frozen=True)
class CacheInfo:
    """The content of a feature cache.

    Parameters
    ----------
    path : pathlib.Path
        The database file.
    n_features_rows : int
        Number of feature vectors; an image counts once for each network.
    n_bytes : int
        Number of bytes of the file that are in use.
    networks : mapping of str to int
        Number of feature vectors of each network, by its key.
    hits, misses : int, default=0
        Number of distinct images that this object's `FeatureCache.fetch_or_compute` found in
        the cache, and that it computed.
    """

    path: Path
    n_features_rows: int
    n_bytes: int
    networks: Mapping[str, int]
    hits: int = 0
    misses: int = 0


class FeatureCache:
    """Features on disk, so that each network computes each image only once.

    It serves grid searches, whose candidates and folds need the features of the same
    images many times, and later sessions. Any number of processes and threads may use one
    folder at the same time.

    Parameters
    ----------
    folder : str, path-like, None or True, default=None
        Folder of the file; created if it doesn't exist. None or True for the user's cache
        folder: the environment variable ``SKVISION_CACHE``, else ``~/.cache/skvision`` or
        the system's equivalent.
    max_bytes : int, default=4294967296
        Maximum size of the file in bytes, at least 1. When it is exceeded, the least recently
        used features are removed until a tenth is free.

    Attributes
    ----------
    path : pathlib.Path
        The database file, in `folder`.
    max_bytes : int
        The parameter.

    Notes
    -----
    A hit costs about 15 microseconds for 1,280 features and 0.1 ms for 25,088. If a process is
    killed at any moment, the file keeps all batches that it had finished. Each vector has a
    checksum; vectors that don't match are computed again. A damaged file is renamed and
    replaced by a new one. On network file systems, where SQLite isn't safe, in a folder that
    can't be written and on a full disk, features are computed without the cache, with a
    warning.

    A cache pickles as its path and limit.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> from skvision.feature_extraction.cache import FeatureCache
    >>> from skvision.images import image_key
    >>> keys = [image_key(image) for image in (b"cat", b"dog", b"cat")]
    >>> def compute(batches):
    ...     for positions in batches:
    ...         print("computing", positions)
    ...         yield positions, np.ones((len(positions), 4), np.float32)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     cache = FeatureCache(folder)
    ...     first = cache.fetch_or_compute("network", keys, compute, 4)
    ...     again = cache.fetch_or_compute("network", keys, compute, 4)
    ...     cache.info().n_features_rows
    computing [0 1]
    2
    >>> again.shape
    (3, 4)
    """

    path: Path
    max_bytes: int

    def __init__(
        self, folder: str | os.PathLike[str] | bool | None = None, *, max_bytes: int = 4 * 2**30
    ) -> None:
        if folder is None or folder is True:
            folder = default_cache_folder()
        if not isinstance(folder, str | os.PathLike):
            raise TypeError(
                "folder must be a path, or None or True for the user's cache folder. Received: "
                f"{folder!r}"
            )
        if isinstance(max_bytes, bool) or not isinstance(max_bytes, int) or max_bytes < 1:
            raise ValueError(f"max_bytes must be a positive integer. Received: {max_bytes!r}")
        # absolute, since the process may change its working directory
        self.path = Path(folder).expanduser().absolute() / f"features-v{SCHEMA}.sqlite"
        self.max_bytes = max_bytes
        self._begin()

    def _begin(self) -> None:
        self._store = FeatureStore(self.path)
        self._warned = False
        self._hits = self._misses = 0

    def __getstate__(self) -> dict[str, Any]:
        return {"path": self.path, "max_bytes": self.max_bytes}

    def __setstate__(self, state: Mapping[str, Any]) -> None:
        self.path, self.max_bytes = state["path"], state["max_bytes"]
        self._begin()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self.path.parent)!r}, max_bytes={self.max_bytes})"

    def fetch_or_compute(
        self,
        network_key: str,
        image_keys: Sequence[bytes],
        compute: Compute,
        n_features: int,
        *,
        batch_size: int = 32,
    ) -> np.ndarray:
        """Return the features of images, and compute those that are not in the cache.

        Parameters
        ----------
        network_key : str
            The key of the network, by
            `skvision.feature_extraction.network_key.network_key`.
        image_keys : sequence of bytes, each of length 16 or 32
            The images' digests, by `skvision.images.image_key`.
        compute : callable
            Called with `Batches`: integer arrays of positions in `image_keys`, one position
            per image to compute. It may draw a few batches before it has computed the
            first. It yields pairs of positions and their features, (len(positions),
            n_features) of float32, in any order. It is called again if another process
            leaves images uncomputed, and never if all features are cached. It should
            acquire its resources (a network, threads) when it begins and release them when
            it ends or is closed.
        n_features : int
            Length of a vector, at least 1. Cached vectors of another length count as missing
            and are replaced.
        batch_size : int, default=32
            Maximum number of images per batch, at least 1.

        Returns
        -------
        ndarray of shape (len(image_keys), n_features), float32
            Features in the order of `image_keys`.

        Raises
        ------
        ValueError
            If an argument is not as described, or `compute` yields wrong positions or
            shapes. Errors of `compute` are passed on.

        Warns
        -----
        FeatureCacheWarning
            If the cache can't be used (once per object), or was damaged.
        """
        request = _Request(network_key, image_keys, n_features, batch_size)
        request.room = int(_FILL * self.max_bytes) // row_bytes(request.n_features)
        request.claims = Claims(self.path, network_key)
        wait, quiet_since = _SHORTEST_WAIT, time.monotonic()
        try:
            while request.missing:
                n_missing = len(request.missing)
                self._read(request, list(request.missing))
                batches = self._draw(request)
                first = next(batches, None)  # don't prepare a network if all features are cached
                if first is not None:
                    at_most = -(-len(request.missing) // batch_size)
                    self._compute(request, compute, Batches(chain([first], batches), at_most))
                if len(request.missing) < n_missing:
                    wait, quiet_since = _SHORTEST_WAIT, time.monotonic()
                    continue
                # other calls have claimed all missing images
                if time.monotonic() - quiet_since > PATIENCE_SECONDS:
                    request.give_up_claims()
                time.sleep(wait)
                wait = min(2 * wait, _LONGEST_WAIT)
        finally:
            request.give_up_claims()
        return request.result()

    def info(self) -> CacheInfo:
        """Return the content of the cache, without creating it.

        Returns
        -------
        CacheInfo
            All zeros if there is no cache, or if it can't be used (with a warning).
        """
        n_bytes = 0
        networks: dict[str, int] = {}
        try:
            if self.path.exists():
                n_bytes, networks = self._store.contents()
        except CacheUnavailableError as error:
            self._warn(str(error))
        return CacheInfo(
            self.path, sum(networks.values()), n_bytes, networks, self._hits, self._misses
        )

    def clear(self, network_key: str | None = None) -> int:
        """Remove features and free their disk space.

        Parameters
        ----------
        network_key : str, default=None
            Key of the network whose features are removed; None for all networks.

        Returns
        -------
        int
            Number of removed feature vectors.
        """
        removed = 0
        try:
            while self.path.exists():
                n_rows = self._store.remove_some(network_key)
                removed += n_rows
                if not n_rows:
                    self._store.shrink()
                    break
        except CacheUnavailableError as error:
            self._warn(str(error))
        return removed

    def _draw(self, request: _Request) -> Iterator[np.ndarray]:
        """Claim missing images and yield their positions, batch by batch."""
        untried = iter(list(request.missing))
        while True:
            if request.is_kept and request.room < 1:
                size = row_bytes(request.n_features) * len(request.first)
                self._stop_caching(
                    request,
                    f"The features of {len(request.first):,} images take about {size:,} bytes, "
                    f"but the cache {self.path} is limited to {self.max_bytes:,}; the rest is "
                    "computed each time. Pass a larger max_bytes, or fewer features "
                    "(pooling='avg').",
                )
            size = min(request.batch_size, request.room if request.is_kept else request.batch_size)
            batch: list[bytes] = []
            while len(batch) < size and (some := list(islice(untried, size - len(batch)))):
                batch += self._claimed(request, some)
            if not batch:
                return
            yield request.ask_for(batch)

    def _claimed(self, request: _Request, keys: list[bytes]) -> list[bytes]:
        """Claim and return those of `keys` that are missing and not claimed by other calls."""
        if request.claims is not None:
            keys = request.claims.take(keys)
        # another call may have stored and released them since the look-up
        self._read(request, keys)
        request.release(key for key in keys if key not in request.missing)
        return [key for key in keys if key in request.missing]

    def _compute(self, request: _Request, compute: Compute, batches: Batches) -> None:
        """Compute features, fill them into the request and store each batch."""
        computing = compute(batches)
        try:
            for positions, computed in computing:
                keys, features = request.take(positions, computed)
                self._misses += len(keys)
                self._keep(request, keys, features)
                request.release(keys)
        finally:
            # close it now, since it may hold a network, and a pending error would keep it alive
            close = getattr(computing, "close", None)
            if close is not None:
                close()
        if request.asked:
            raise ValueError(
                f"compute yielded no features for {len(request.asked)} of its positions."
            )

    def _read(self, request: _Request, keys: list[bytes]) -> None:
        """Fill cached features into the request."""
        if not request.is_kept:
            return
        n_missing = len(request.missing)
        try:
            self._store.read(request.network_key, keys, request.n_features, request.fill)
        except CacheUnavailableError as error:
            self._stop_caching(request, f"Features are computed without a cache: {error}")
        n_found = n_missing - len(request.missing)
        self._hits += n_found
        request.room -= n_found

    def _keep(self, request: _Request, keys: list[bytes], features: np.ndarray) -> None:
        """Store a batch; if the file has become too large, evict the least recently used rows."""
        if not request.is_kept:
            return
        try:
            self._store.write(request.network_key, keys, features)
            if self._store.used_bytes() > self.max_bytes:
                self._store.evict(int(_FILL * self.max_bytes))
        except CacheUnavailableError as error:
            self._stop_caching(request, f"Features are computed without a cache: {error}")

    def _stop_caching(self, request: _Request, reason: str) -> None:
        """Compute the rest of a request without the cache."""
        self._warn(reason)
        request.is_kept = False
        request.give_up_claims()

    def _warn(self, text: str) -> None:
        if not self._warned:
            self._warned = True
            warnings.warn(text, FeatureCacheWarning)


class _Request:
    """The images of one call, and the features found so far."""

    def __init__(
        self, network_key: str, image_keys: Sequence[bytes], n_features: int, batch_size: int
    ) -> None:
        if not isinstance(network_key, str) or not network_key:
            raise ValueError(f"network_key must be a text. Received: {network_key!r}")
        for name, value in (("n_features", n_features), ("batch_size", batch_size)):
            if isinstance(value, bool) or not isinstance(value, int | np.integer):
                raise ValueError(f"{name} must be an integer. Received: {value!r}")
            if value < 1:
                raise ValueError(f"{name} must be at least 1. Received: {value!r}")
        for key in image_keys:
            if not isinstance(key, bytes) or len(key) not in (16, 32):
                raise ValueError(f"image_keys must be digests of 16 or 32 bytes. Received: {key!r}")
        self.network_key = network_key
        self.n_features = int(n_features)
        self.batch_size = int(batch_size)
        #: first position of each key
        self.first: dict[bytes, int] = {}
        for position, key in enumerate(image_keys):
            self.first.setdefault(key, position)
        self._source = np.fromiter((self.first[key] for key in image_keys), np.intp)
        self._features = np.empty((len(image_keys), self.n_features), np.float32)
        #: keys without features, in order
        self.missing = dict.fromkeys(self.first)
        #: keys that are being computed, by position
        self.asked: dict[int, bytes] = {}
        #: whether the cache is used
        self.is_kept = True
        #: number of further images that this call may read from or write to the cache
        self.room = 0
        #: claims that keep other calls from computing the same images; None if given up
        self.claims: Claims | None = None

    def ask_for(self, keys: list[bytes]) -> np.ndarray:
        """Mark images as being computed; return their positions."""
        positions = [self.first[key] for key in keys]
        self.asked.update(zip(positions, keys, strict=True))
        self.room -= len(keys)
        return np.array(positions, np.intp)

    def take(self, positions: Any, computed: Any) -> tuple[list[bytes], np.ndarray]:
        """Fill in computed features; return their keys and rows."""
        keys = [self.asked.pop(int(position), None) for position in positions]
        features = np.ascontiguousarray(computed, dtype=np.float32)
        known = [key for key in keys if key is not None]
        expected = (len(keys), self.n_features)
        if len(known) < len(keys) or features.shape != expected:
            raise ValueError(
                "compute must yield each of its positions once, with features of "
                f"shape {expected}. Received: positions {positions!r} with features of shape "
                f"{features.shape}."
            )
        for key, row in zip(known, features, strict=True):
            self.fill(key, row)
        return known, features

    def fill(self, key: bytes, row: np.ndarray) -> None:
        self._features[self.first[key]] = row
        self.missing.pop(key, None)

    def release(self, keys: Iterable[bytes]) -> None:
        if self.claims is not None:
            self.claims.release(keys)

    def give_up_claims(self) -> None:
        if self.claims is not None:
            self.claims.release()
            self.claims = None

    def result(self) -> np.ndarray:
        repeated = np.flatnonzero(self._source != np.arange(len(self._source)))
        self._features[repeated] = self._features[self._source[repeated]]
        return self._features
