"""The feature cache's SQLite file: opening it, sharing it between threads, and all SQL.

`Database` opens the file and explains its errors; `FeatureStore` knows the tables.
"""

from __future__ import annotations

import errno
import os
import sqlite3
import sys
import tempfile
import threading
import time
import warnings
import weakref
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import TypeVar

import numpy as np

from ..._system.file_lock import lock_byte
from .location import network_mount

__all__ = ["CacheUnavailableError", "Database", "FeatureCacheWarning", "FeatureStore", "row_bytes"]

T = TypeVar("T")

#: seconds to wait for another process's transaction; ours take well under a second
BUSY_SECONDS = 30.0

# The version of the tables. It is a part of the file's name too, so that two versions of skvision
# don't repeatedly rename each other's file as damaged.
SCHEMA = 2

# Vectors have a table of their own, so that eviction, counting and updating the time of last use
# don't read or rewrite 100 kB per image.
_TABLES = """
CREATE TABLE networks (id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE);
CREATE TABLE entries (
    id INTEGER PRIMARY KEY, network INTEGER NOT NULL, image BLOB NOT NULL,
    checksum INTEGER NOT NULL, n_bytes INTEGER NOT NULL, used INTEGER NOT NULL,
    UNIQUE (network, image)
);
CREATE INDEX entries_used ON entries (used);
CREATE TABLE vectors (id INTEGER PRIMARY KEY, vector BLOB NOT NULL);
"""

# settings of a new file: pages that suit vectors of 5 to 100 kB, space that can be freed, and a
# write-ahead log, so that readers and a writer don't wait for each other
_FILE_SETTINGS = (
    "PRAGMA page_size = 16384",
    "PRAGMA auto_vacuum = INCREMENTAL",
    "PRAGMA journal_mode = WAL",
)
# settings of each connection
_SETTINGS = (
    # a killed process loses no committed data; a power cut may lose the last commits
    "PRAGMA synchronous = NORMAL",
    "PRAGMA journal_size_limit = 67108864",
    "PRAGMA secure_delete = OFF",
)

_STORED = np.dtype("<f4")  # independent of the machine's byte order

# Precision of the time of last use in seconds; coarse, so that repeated reads seldom write.
_USED_SECONDS = 60
# number of keys in one statement; old versions of SQLite allow 999 variables
_KEYS_AT_A_TIME = 256
# amount that one transaction removes or frees; small, so that other processes can write too
_ROWS_AT_A_TIME = 1000
_VACUUM_PAGES = 1024
# space that SQLite needs besides the features: its indexes, and parts of pages
_ROW_OVERHEAD = 1.08, 200

# One thread of this process at a time uses a cache, and a fork waits until no connection is in
# use. It is not held while features are computed.
_turn = threading.RLock()
_databases: weakref.WeakSet[Database] = weakref.WeakSet()
# connections of a parent process that forked without notice; never closed here, since closing
# releases the parent's locks
_inherited: list[sqlite3.Connection] = []

#: receives the key of an image and its vector
Found = Callable[[bytes, np.ndarray], None]

_Identity = tuple[int, int]


class FeatureCacheWarning(UserWarning):
    """The feature cache could not be used, or was rebuilt; the features are still correct."""


class CacheUnavailableError(Exception):
    """The cache can't be used now; the text explains why and what to do."""


class Database:
    """One process's access to the file.

    The connection is opened at first use. It is closed before a fork, so that no child
    inherits it, and opened again when the file has been replaced or removed.

    Parameters
    ----------
    path : pathlib.Path
        The file; created, with its folder, if it doesn't exist.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._connection: sqlite3.Connection | None = None
        self._pid = 0
        self._identity: _Identity | None = None
        with _turn:
            _databases.add(self)

    def run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Call `work` with the connection, while no other thread of this process has one.

        If the file is damaged, it is renamed, with a warning, and `work` is called again on
        an empty database.

        Raises
        ------
        CacheUnavailableError
            If the file can't be opened, read or written.
        """
        with _turn:
            for is_last in (False, True):
                try:
                    return work(self._connected())
                except sqlite3.ProgrammingError:
                    raise  # a bug in skvision, which must not look like a broken disk
                except (sqlite3.Error, OSError, UnicodeDecodeError) as error:
                    damaged = self._identity
                    self.close()
                    if is_last or not _is_damage(error):
                        raise CacheUnavailableError(self._explained(error)) from error
                    self._set_aside(damaged, error)
        raise AssertionError("unreachable")

    def close(self) -> None:
        """Close the connection; the next use opens a new one."""
        with _turn:
            connection, self._connection = self._connection, None
            if connection is None:
                return
            if self._pid != os.getpid():
                _inherited.append(connection)
                return
            with suppress(sqlite3.Error):
                connection.close()

    def __del__(self) -> None:
        if sys is not None and not sys.is_finalizing():
            self.close()

    def _connected(self) -> sqlite3.Connection:
        current = self._connection is not None and self._pid == os.getpid()
        # another process may have renamed the file, or the user may have removed it
        if current and self._identity is not None and self._identity == _identity(self.path):
            assert self._connection is not None
            return self._connection
        self.close()
        mount = network_mount(self.path.parent)
        if mount is not None:
            raise CacheUnavailableError(
                f"{self.path.parent} is on a network or shared file system ({mount}), where "
                "SQLite can't keep processes from damaging each other's data. Pass a folder on a "
                "local disk, in the environment variable SKVISION_CACHE or as cache=, for example "
                f"{Path(tempfile.gettempdir()) / 'skvision'}."
            )
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self._opening():
            self._identity = None
            self._connection = sqlite3.connect(
                self.path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
            )
            self._pid = os.getpid()
            self._identity = _identity(self.path)
            _set_up(self._connection)
        return self._connection

    @contextmanager
    def _opening(self) -> Iterator[None]:
        """Let one process at a time open or rename the file."""
        handle = os.open(self.path.with_name(f"{self.path.name}.lock"), os.O_RDWR | os.O_CREAT)
        try:
            deadline = time.monotonic() + BUSY_SECONDS
            while not lock_byte(handle):
                if time.monotonic() > deadline:
                    raise TimeoutError(f"another process has held {self.path}.lock for too long")
                time.sleep(0.02)
            yield
        finally:
            os.close(handle)  # this releases the lock

    def _set_aside(self, damaged: _Identity | None, error: Exception) -> None:
        try:
            with self._opening():
                if damaged is None or _identity(self.path) != damaged:
                    return  # another process was first
                aside = self.path.with_name(
                    f"{self.path.name}.corrupt-{time.strftime('%Y%m%d-%H%M%S')}"
                )
                older = set(self.path.parent.glob(f"{self.path.name}.corrupt-*"))
                for ending in ("", "-wal", "-shm"):
                    with suppress(FileNotFoundError):
                        os.replace(f"{self.path}{ending}", f"{aside}{ending}")
                        older.discard(Path(f"{aside}{ending}"))
                for path in older:
                    path.unlink(missing_ok=True)
        except OSError as failure:
            raise CacheUnavailableError(
                f"{self.path} is damaged ({error}) and can't be renamed: {failure}. Remove it."
            ) from failure
        warnings.warn(
            f"The feature cache {self.path} is damaged ({error}). It was renamed to {aside.name}, "
            "which you can remove, and a new one was created.",
            FeatureCacheWarning,
        )

    def _explained(self, error: Exception) -> str:
        said = error.strerror if isinstance(error, OSError) else None  # without its number
        reason = said or str(error).strip() or type(error).__name__
        is_full = _code(error) == sqlite3.SQLITE_FULL or getattr(error, "errno", 0) == errno.ENOSPC
        todo = "free space on the disk, or set" if is_full else "set"
        return (
            f"{self.path} can't be used: {reason}. To use a cache, {todo} another folder in the "
            "environment variable SKVISION_CACHE or as cache=."
        )


class FeatureStore(Database):
    """The features in the file, by network and image.

    Every method may raise `CacheUnavailableError`, as `run` does.
    """

    def read(
        self, network_key: str, image_keys: Sequence[bytes], n_features: int, found: Found
    ) -> None:
        """Call `found` with the features of each image that are stored, valid and of that length.

        Vectors are passed one by one, so that only those that the caller keeps stay in memory.
        """
        for start in range(0, len(image_keys), _KEYS_AT_A_TIME):
            some = image_keys[start : start + _KEYS_AT_A_TIME]
            self.run(partial(_read, network_key, some, n_features * _STORED.itemsize, found))

    def write(self, network_key: str, image_keys: Sequence[bytes], features: np.ndarray) -> None:
        """Write features, one row per image, and replace existing rows."""
        vectors = [row.astype(_STORED, copy=False).tobytes() for row in features]
        self.run(partial(_write, network_key, image_keys, vectors))

    def used_bytes(self) -> int:
        """Return the number of bytes of the file that are in use."""
        return self.run(_used_bytes)

    def evict(self, target: int) -> None:
        """Remove the least recently used rows until at most `target` bytes are in use."""
        while self.run(partial(_evict_some, target)):
            pass
        self.shrink()

    def remove_some(self, network_key: str | None) -> int:
        """Remove some rows of a network, or of all (None); return their number, 0 at the end."""
        return self.run(partial(_remove_some, network_key))

    def shrink(self) -> None:
        """Free unused pages."""
        while self.run(_shrink_some):
            pass

    def contents(self) -> tuple[int, dict[str, int]]:
        """Return the bytes in use and the number of rows of each network."""
        return self.run(_contents)


def row_bytes(n_features: int) -> int:
    """Return about how many bytes of the file the features of one image take."""
    factor, extra = _ROW_OVERHEAD
    return int(n_features * _STORED.itemsize * factor) + extra


def _read(
    network_key: str,
    image_keys: Sequence[bytes],
    n_bytes: int,
    found: Found,
    connection: sqlite3.Connection,
) -> None:
    network = _network_id(connection, network_key)
    if network is None:
        return
    marks = ",".join("?" * len(image_keys))
    asked = set(image_keys)  # a damaged index may return others
    now = int(time.time())
    stale = []
    for row, key, checksum, used, vector in connection.execute(
        # only question marks are inserted into the text
        "SELECT id, image, checksum, used, vector FROM entries JOIN vectors "  # nosec B608
        f"USING (id) WHERE network = ? AND image IN ({marks})",
        (network, *image_keys),
    ):
        sound = isinstance(vector, bytes) and len(vector) == n_bytes and key in asked
        if not sound or _checksum(network_key, key, vector) != checksum:
            continue
        found(key, np.frombuffer(vector, _STORED))
        if not isinstance(used, int) or abs(now - used) > _USED_SECONDS:
            stale.append(row)
    if stale:
        _touch(connection, stale, now)


def _touch(connection: sqlite3.Connection, rows: list[int], now: int) -> None:
    try:
        with _writing(connection):
            connection.executemany(
                "UPDATE entries SET used = ? WHERE id = ?", ((now, row) for row in rows)
            )
    except sqlite3.OperationalError:
        pass  # the disk is full, or another process writes for long; reading still works


def _write(
    network_key: str,
    image_keys: Sequence[bytes],
    vectors: list[bytes],
    connection: sqlite3.Connection,
) -> None:
    now = int(time.time())
    with _writing(connection):
        network = _network_id(connection, network_key)
        if network is None:
            cursor = connection.execute("INSERT INTO networks (key) VALUES (?)", (network_key,))
            network = cursor.lastrowid
        for key, vector in zip(image_keys, vectors, strict=True):
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


def _remove_rows(connection: sqlite3.Connection, rows: list[int]) -> None:
    for table in ("vectors", "entries"):
        removed = connection.executemany(
            # only the table names above are inserted into the text
            f"DELETE FROM {table} WHERE id = ?",  # nosec B608
            ((row,) for row in rows),
        )
    if rows and removed.rowcount < len(rows):
        # else a loop that removes rows until none is left would never end
        raise sqlite3.DatabaseError("an index does not match its table")


def _evict_some(target: int, connection: sqlite3.Connection) -> bool:
    """Remove the least recently used rows; return whether more must be removed."""
    with _writing(connection):
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
    network = () if network_key is None else (_network_id(connection, network_key),)
    with _writing(connection):
        # only constants are inserted into the text
        some = f"SELECT id FROM entries {where} LIMIT {_ROWS_AT_A_TIME}"  # nosec B608
        rows = [row for (row,) in connection.execute(some, network)]
        _remove_rows(connection, rows)
    return len(rows)


def _shrink_some(connection: sqlite3.Connection) -> bool:
    """Free some unused pages; return whether that freed any and more may be left."""
    before = _free_pages(connection)
    if before:
        # each fetched row frees a page
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


def _network_id(connection: sqlite3.Connection, key: str) -> int | None:
    """Return the id of a network in the tables; None if it has none yet."""
    row = connection.execute("SELECT id FROM networks WHERE key = ?", (key,)).fetchone()
    return None if row is None else int(row[0])


def _checksum(network_key: str, image_key: bytes, vector: bytes) -> int:
    # includes the keys, so that a damaged index can't return another image's features
    return zlib.crc32(vector, zlib.crc32(image_key, zlib.crc32(network_key.encode())))


@contextmanager
def _writing(connection: sqlite3.Connection) -> Iterator[None]:
    """Run the block as one transaction with an exclusive write lock from its beginning."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            with suppress(sqlite3.Error):
                connection.execute("ROLLBACK")
        raise


class _ForeignFileError(sqlite3.DatabaseError):
    """The file is a database, but not of this package."""


def _set_up(connection: sqlite3.Connection) -> None:
    for setting in _SETTINGS:
        connection.execute(setting)
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version == SCHEMA:
        return
    if version or connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
        raise _ForeignFileError(f"it is a database of another kind, version {version}")
    for setting in _FILE_SETTINGS:
        answer = connection.execute(setting).fetchone()
    if answer != ("wal",):
        raise OSError(f"SQLite can't keep a write-ahead log there (it offers {answer})")
    with _writing(connection):
        for statement in _TABLES.split(";"):
            connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {SCHEMA}")


def _code(error: Exception) -> int | None:
    code = getattr(error, "sqlite_errorcode", None)
    return None if code is None else int(code) & 0xFF  # the higher bits are a subtype


# Error codes of SQLite for our correct statements if the tables are damaged.
_DAMAGED = (
    sqlite3.SQLITE_CORRUPT,
    sqlite3.SQLITE_NOTADB,
    sqlite3.SQLITE_ERROR,  # no such column
    sqlite3.SQLITE_CONSTRAINT,
    sqlite3.SQLITE_MISMATCH,
    None,  # invalid text, or errors raised in this package
)


def _is_damage(error: Exception) -> bool:
    if isinstance(error, UnicodeDecodeError):  # in SQLite's own message, which quotes the file
        return True
    return isinstance(error, sqlite3.DatabaseError) and _code(error) in _DAMAGED


def _identity(path: Path) -> _Identity | None:
    # don't open it: closing any handle of the file releases all of this process's locks on it
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _before_fork() -> None:
    _turn.acquire()
    for database in list(_databases):
        database.close()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_before_fork,
        after_in_parent=_turn.release,
        # the owner of the lock is the thread that forked, the only one that survives in the child
        after_in_child=_turn.release,
    )
