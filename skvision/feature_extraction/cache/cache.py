"""`FeatureCache`: every feature is computed once, whichever process asks for it first.

Features lie in one SQLite file, keyed by network and picture (`image_key` and `network_key`
make the keys; `store` has the tables). A call reads what is there, claims some of what is
missing, computes that and writes it batch by batch, then looks again: what other processes
have claimed meanwhile is theirs to compute, and is read when they are done.

Nothing that goes wrong with the file stops the call: it warns, and computes what it needs.
"""

from __future__ import annotations

import os
import sqlite3
import time
import warnings
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from .claims import KEYS_AT_A_TIME, Claims, network_id
from .location import default_cache_folder
from .store import (
    SCHEMA,
    CacheUnavailableError,
    Database,
    FeatureCacheWarning,
    writing,
)

__all__ = ["CacheInfo", "FeatureCache", "FeatureCacheWarning"]

#: What computes missing features: positions in, batches of (positions, features) out.
Compute = Callable[[np.ndarray], Iterable[tuple[np.ndarray, np.ndarray]]]

_STORED = np.dtype("<f4")  # whatever the machine's own byte order is

# Claims are for some ten seconds of work, but no more than a quarter of what is missing: few
# enough that processes share it, and wait briefly for each other's last; enough that beginning
# anew costs next to nothing.
_CLAIM_SECONDS = 10.0
_CLAIM_SHARE = 0.25
_FIRST_CLAIM = 32  # also what all are a multiple of, so that batches are full
_LARGEST_CLAIM = 4096

_SHORTEST_WAIT, _LONGEST_WAIT = 0.02, 0.5

# How far the size limit is undercut when it has been passed, and how much of it one call may fill:
# more would push out its own first features by its last.
_FILL = 0.9
# "Last used" is as exact as this; so features that are read again and again are seldom written.
_USED_SECONDS = 60
# what one transaction removes or gives back to the disk, so that others get their turn
_ROWS_AT_A_TIME = 1000
_VACUUM_PAGES = 1024
# what SQLite needs besides the features themselves: its indexes, and parts of pages
_ROW_OVERHEAD = 1.08, 200


@dataclass(frozen=True)
class CacheInfo:
    """What is in a feature cache.

    Parameters
    ----------
    path : pathlib.Path
        The database file.
    n_features_rows : int
        Pictures whose features it holds; one that two networks saw counts twice.
    n_bytes : int
        Bytes of the file that are in use.
    networks : mapping of str to int
        Rows of each network, by its key.
    hits, misses : int, default=0
        Distinct pictures that `FeatureCache.fetch_or_compute` of this very object found
        there, and those that it computed.
    """

    path: Path
    n_features_rows: int
    n_bytes: int
    networks: Mapping[str, int]
    hits: int = 0
    misses: int = 0


class FeatureCache:
    """Features on disk, so that each picture goes through each network once.

    For the features of a grid search, whose candidates and folds ask for the same
    pictures again and again, and for the next session. Any number of processes and
    threads may use one folder at a time.

    Parameters
    ----------
    folder : str, path-like, None or True, default=None
        Where the file lies; made if missing. None or True for the user's cache folder:
        the environment variable ``SKVISION_CACHE``, else ``~/.cache/skvision`` or
        what the system has in its place.
    max_bytes : int, default=4294967296
        How large the file may become, at least 1. Beyond it, what has not been used for
        longest is removed, until a tenth is free.

    Attributes
    ----------
    path : pathlib.Path
        The database file, in `folder`.
    max_bytes : int
        As given.

    Notes
    -----
    A hit costs some 15 microseconds for 1,280 features and 0.1 ms for 25,088. The file survives
    the end of a process at any moment, with all batches that it had finished. Each
    vector has a checksum; what does not match is computed anew. A file that SQLite finds
    damaged is renamed and built anew. On network file systems, where SQLite can't
    work safely, in a folder that can't be written and on a full disk, features are
    computed without the cache, with a warning.

    A cache pickles as its path and limit.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> from skvision.feature_extraction.cache import FeatureCache
    >>> from skvision.images import image_key
    >>> keys = [image_key(picture) for picture in (b"cat", b"dog", b"cat")]
    >>> def compute(positions):
    ...     print("computing", positions)
    ...     yield positions, np.ones((len(positions), 4), np.float32)
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
        # absolute: the process may go elsewhere later
        self.path = Path(folder).expanduser().absolute() / f"features-v{SCHEMA}.sqlite"
        self.max_bytes = max_bytes
        self._begin()

    def _begin(self) -> None:
        self._database = Database(self.path)
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
        self, network_key: str, image_keys: Sequence[bytes], compute: Compute, n_features: int
    ) -> np.ndarray:
        """Return the features of pictures; compute those that nobody has computed yet.

        Parameters
        ----------
        network_key : str
            All that makes features of pictures, as
            `skvision.feature_extraction.network_key.network_key` writes it.
        image_keys : sequence of bytes, each of length 16 or 32
            The pictures' digests, by `skvision.images.image_key`.
        compute : callable
            Called with an integer array of positions in `image_keys`, one of each picture
            that is to be computed; yields pairs of positions and their features,
            (len(positions), n_features) of float32, a batch at a time and in any order.
            It is called anew for every few hundred or thousand pictures, and not at all if
            everything is there. What it needs (a network, threads) it should take when it
            begins and give back when it ends or is closed.
        n_features : int
            Length of a vector, at least 1. Vectors of another length that are found
            count as missing, and are replaced.

        Returns
        -------
        ndarray of shape (len(image_keys), n_features), float32
            In the order of `image_keys`.

        Raises
        ------
        ValueError
            If an argument is not as described, or `compute` yields what it was not
            asked for. Whatever `compute` raises is passed on.

        Warns
        -----
        FeatureCacheWarning
            If the cache can't be used (said once), or was damaged.
        """
        request = _Request(image_keys, n_features)
        if not isinstance(network_key, str) or not network_key:
            raise ValueError(f"network_key must be a text. Received: {network_key!r}")
        try:
            self._share(request, network_key, compute)
        except CacheUnavailableError as error:
            self._warn(f"Features are computed without a cache: {error}")
        if request.missing:
            self._compute(request, list(request.missing), compute)
        return request.result()

    def info(self) -> CacheInfo:
        """Say what is in the cache; an empty one is not made by looking.

        Returns
        -------
        CacheInfo
            All zeros where there is no cache, or none that can be used (with a
            warning).
        """
        n_bytes = 0
        networks: dict[str, int] = {}
        try:
            if self.path.exists():
                n_bytes, networks = self._database.run(_contents)
        except CacheUnavailableError as error:
            self._warn(str(error))
        return CacheInfo(
            self.path, sum(networks.values()), n_bytes, networks, self._hits, self._misses
        )

    def clear(self, network_key: str | None = None) -> int:
        """Remove features, and give their space back to the disk.

        Parameters
        ----------
        network_key : str, default=None
            Of which network; None for all.

        Returns
        -------
        int
            How many rows were removed.
        """
        removed = 0
        try:
            while self.path.exists():
                n_rows = self._database.run(partial(_remove_some, network_key))
                removed += n_rows
                if not n_rows:
                    self._shrink()
                    break
        except CacheUnavailableError as error:
            self._warn(str(error))
        return removed

    def _share(self, request: _Request, network_key: str, compute: Compute) -> None:
        """Find all features, computing what other processes don't; stop when there is no room."""
        claims = Claims(self._database, network_key)
        size, wait = _FIRST_CLAIM, _SHORTEST_WAIT
        try:
            while True:
                self._read(request, network_key, list(request.missing))
                if not request.missing:
                    return
                room = int(_FILL * self.max_bytes - request.stored_bytes) // request.row_bytes
                if room < 1:
                    self._warn(
                        f"The features of {len(request.first):,} pictures take about "
                        f"{len(request.first) * request.row_bytes:,} bytes, but the cache "
                        f"{self.path} may have {self.max_bytes:,}; the rest is computed each time. "
                        "Pass a larger max_bytes, or fewer features (pooling='avg')."
                    )
                    return
                mine = claims.take(request.missing, min(size, room))
                if not mine:
                    time.sleep(wait)
                    wait = min(2 * wait, _LONGEST_WAIT)
                    continue
                # another process may have stored and released them since they were looked for
                self._read(request, network_key, mine)
                mine = [key for key in mine if key in request.missing]
                started = time.monotonic()

                def keep(keys: list[bytes], features: np.ndarray) -> None:
                    self._store(request, network_key, keys, features)
                    claims.progress()

                self._compute(request, mine, compute, keep)
                pace = len(mine) / max(time.monotonic() - started, 1e-3)
                most = min(pace * _CLAIM_SECONDS, _CLAIM_SHARE * len(request.missing))
                size = int(most) // _FIRST_CLAIM * _FIRST_CLAIM
                size = max(_FIRST_CLAIM, min(size, _LARGEST_CLAIM))
                wait = _SHORTEST_WAIT
        finally:
            claims.release()

    def _compute(
        self,
        request: _Request,
        keys: list[bytes],
        compute: Compute,
        keep: Callable[[list[bytes], np.ndarray], None] | None = None,
    ) -> None:
        """Have features computed; fill them into the request, and `keep` each batch."""
        if not keys:
            return
        asked = {request.first[key]: key for key in keys}
        failure = None
        batches = compute(np.fromiter(asked, np.intp, len(asked)))
        try:
            for positions, computed in batches:
                some = [asked.pop(int(position), None) for position in positions]
                features = np.ascontiguousarray(computed, dtype=np.float32)
                expected = (len(some), request.n_features)
                if None in some or features.shape != expected:
                    raise ValueError(
                        "compute must yield each position that it was asked for once, with "
                        f"features of shape {expected}. Received: positions {positions!r} with "
                        f"features of shape {features.shape}."
                    )
                found = [key for key in some if key is not None]
                for key, row in zip(found, features, strict=True):
                    request.fill(key, row)
                self._misses += len(found)
                if keep is None:
                    continue
                try:
                    keep(found, features)
                except CacheUnavailableError as error:  # what is under way is finished all the same
                    keep, failure = None, error
        finally:
            # now, and not when the error that ended it is forgotten: it may hold a network
            close = getattr(batches, "close", None)
            if close is not None:
                close()
        if asked:
            raise ValueError(
                f"compute yielded no features for {len(asked)} positions it was given."
            )
        if failure is not None:
            raise failure

    def _read(self, request: _Request, network_key: str, keys: list[bytes]) -> None:
        n_missing = len(request.missing)
        for start in range(0, len(keys), KEYS_AT_A_TIME):
            some = keys[start : start + KEYS_AT_A_TIME]
            self._database.run(partial(_read_some, request, network_key, some))
        self._hits += n_missing - len(request.missing)

    def _store(
        self, request: _Request, network_key: str, keys: list[bytes], features: np.ndarray
    ) -> None:
        vectors = [row.astype(_STORED, copy=False).tobytes() for row in features]
        self._database.run(partial(_store_some, network_key, keys, vectors))
        request.stored_bytes += len(keys) * request.row_bytes
        if self._database.run(_used_bytes) > self.max_bytes:
            while self._database.run(partial(_evict_some, int(_FILL * self.max_bytes))):
                pass
            self._shrink()

    def _shrink(self) -> None:
        """Give unused pages back to the disk."""
        while self._database.run(_shrink_some):
            pass

    def _warn(self, text: str) -> None:
        if not self._warned:
            self._warned = True
            warnings.warn(text, FeatureCacheWarning)


class _Request:
    """What one call asks for, and how much of it has been found."""

    def __init__(self, image_keys: Sequence[bytes], n_features: int) -> None:
        if isinstance(n_features, bool) or not isinstance(n_features, int | np.integer):
            raise ValueError(f"n_features must be an integer. Received: {n_features!r}")
        if n_features < 1:
            raise ValueError(f"n_features must be at least 1. Received: {n_features!r}")
        for key in image_keys:
            if not isinstance(key, bytes) or len(key) not in (16, 32):
                raise ValueError(f"image_keys must be digests of 16 or 32 bytes. Received: {key!r}")
        self.n_features = int(n_features)
        #: where each key stands first
        self.first: dict[bytes, int] = {}
        for position, key in enumerate(image_keys):
            self.first.setdefault(key, position)
        self._source = np.fromiter((self.first[key] for key in image_keys), np.intp)
        self._features = np.empty((len(image_keys), self.n_features), np.float32)
        #: keys without features, in order
        self.missing = dict.fromkeys(self.first)
        #: about how much of the file this call has read or written
        self.stored_bytes = 0
        factor, extra = _ROW_OVERHEAD
        self.row_bytes = int(self.n_features * _STORED.itemsize * factor) + extra

    def fill(self, key: bytes, row: np.ndarray) -> None:
        self._features[self.first[key]] = row
        self.missing.pop(key, None)

    def result(self) -> np.ndarray:
        repeated = np.flatnonzero(self._source != np.arange(len(self._source)))
        self._features[repeated] = self._features[self._source[repeated]]
        return self._features


def _checksum(network_key: str, image_key: bytes, vector: bytes) -> int:
    # with the keys: a damaged index must not pass one picture's features for another's
    return zlib.crc32(vector, zlib.crc32(image_key, zlib.crc32(network_key.encode())))


def _read_some(
    request: _Request, network_key: str, keys: list[bytes], connection: sqlite3.Connection
) -> None:
    """Fill what is there and sound into the request."""
    network = network_id(connection, network_key)
    if network is None:
        return
    marks = ",".join("?" * len(keys))
    n_bytes = request.n_features * _STORED.itemsize
    now = int(time.time())
    stale = []
    for row, key, checksum, used, vector in connection.execute(
        # only question marks are put in
        "SELECT id, image, checksum, used, vector FROM entries JOIN vectors "  # nosec B608
        f"USING (id) WHERE network = ? AND image IN ({marks})",
        (network, *keys),
    ):
        sound = isinstance(vector, bytes) and len(vector) == n_bytes and key in request.missing
        if not sound or _checksum(network_key, key, vector) != checksum:
            continue
        request.fill(key, np.frombuffer(vector, _STORED))
        request.stored_bytes += request.row_bytes
        if not isinstance(used, int) or abs(now - used) > _USED_SECONDS:
            stale.append(row)
    if stale:
        _touch(connection, stale, now)


def _touch(connection: sqlite3.Connection, rows: list[int], now: int) -> None:
    try:
        with writing(connection):
            connection.executemany(
                "UPDATE entries SET used = ? WHERE id = ?", ((now, row) for row in rows)
            )
    except sqlite3.OperationalError:
        pass  # a full disk, or somebody writes for long: features are read all the same


def _store_some(
    network_key: str, keys: list[bytes], vectors: list[bytes], connection: sqlite3.Connection
) -> None:
    """Write a batch, in place of what may stand there, and end the claims on it."""
    now = int(time.time())
    with writing(connection):
        network = network_id(connection, network_key, make=True)
        for key, vector in zip(keys, vectors, strict=True):
            find = "SELECT id FROM entries WHERE network = ? AND image = ?"
            _remove_rows(connection, [row for (row,) in connection.execute(find, (network, key))])
            cursor = connection.execute(
                "INSERT INTO entries (network, image, checksum, n_bytes, used) "
                "VALUES (?, ?, ?, ?, ?)",
                (network, key, _checksum(network_key, key, vector), len(vector), now),
            )
            connection.execute(
                "INSERT OR REPLACE INTO vectors VALUES (?, ?)", (cursor.lastrowid, vector)
            )
        connection.executemany(
            "DELETE FROM claims WHERE network = ? AND image = ?", ((network, key) for key in keys)
        )


def _remove_rows(connection: sqlite3.Connection, rows: list[int]) -> None:
    for table in ("vectors", "entries"):
        removed = connection.executemany(
            # only the names above are put in
            f"DELETE FROM {table} WHERE id = ?",  # nosec B608
            ((row,) for row in rows),
        )
    if rows and removed.rowcount < len(rows):
        # else whoever removes rows until there are none would never end
        raise sqlite3.DatabaseError("an index does not match its table")


def _evict_some(target: int, connection: sqlite3.Connection) -> bool:
    """Remove what was used longest ago; tell whether more has to go."""
    with writing(connection):
        excess = _used_bytes(connection) - target
        rows = []
        for row, n_bytes in connection.execute(
            "SELECT id, CAST(n_bytes AS INTEGER) FROM entries ORDER BY used, id LIMIT ?",
            (_ROWS_AT_A_TIME,),
        ):
            if excess <= 0:
                break
            excess -= n_bytes
            rows.append(row)
        _remove_rows(connection, rows)
    return bool(rows)


def _remove_some(network_key: str | None, connection: sqlite3.Connection) -> int:
    where = "" if network_key is None else "WHERE network = ?"
    network = () if network_key is None else (network_id(connection, network_key),)
    with writing(connection):
        # only constants are put in
        some = f"SELECT id FROM entries {where} LIMIT {_ROWS_AT_A_TIME}"  # nosec B608
        found = connection.execute(some, network)
        rows = [row for (row,) in found]
        _remove_rows(connection, rows)
    return len(rows)


def _shrink_some(connection: sqlite3.Connection) -> bool:
    """Give some unused pages back; tell whether that got anywhere and there may be more."""
    before = _free_pages(connection)
    if before:
        # each row that is fetched frees a page
        connection.execute(f"PRAGMA incremental_vacuum({_VACUUM_PAGES})").fetchall()
        if _free_pages(connection) < before:
            return True
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    return False


def _free_pages(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA freelist_count").fetchone()[0])


def _used_bytes(connection: sqlite3.Connection) -> int:
    pages, free, size = (
        int(connection.execute(f"PRAGMA {name}").fetchone()[0])
        for name in ("page_count", "freelist_count", "page_size")
    )
    return (pages - free) * size


def _contents(connection: sqlite3.Connection) -> tuple[int, dict[str, int]]:
    counted = connection.execute(
        "SELECT key, count(*) FROM entries JOIN networks ON networks.id = network "
        "GROUP BY network ORDER BY key"
    )
    return _used_bytes(connection), dict(counted.fetchall())
