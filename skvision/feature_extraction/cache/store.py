"""The feature cache's SQLite file: opening it, using it in turns, and all SQL.

`Database` opens the file and says what is wrong with it; `FeatureStore` knows the tables.
"""

from __future__ import annotations

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

#: How long to wait for another process's transaction; ours take well under a second.
BUSY_SECONDS = 30.0

# The tables' version. The file's name has it too, so that two versions of skvision don't take
# turns in setting each other's file aside.
SCHEMA = 2

# Vectors stand apart from their entries: what looks at many entries (eviction, counting) or
# changes one (the time of last use) doesn't read or rewrite 100 kB an image.
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

# of the file, before its first table: pages that suit vectors of 5 to 100 kB, space that can be
# given back, and a write-ahead log, so that readers and a writer don't wait for each other
_FILE_SETTINGS = (
    "PRAGMA page_size = 16384",
    "PRAGMA auto_vacuum = INCREMENTAL",
    "PRAGMA journal_mode = WAL",
)
# of each connection
_SETTINGS = (
    # a killed process loses nothing that was committed; a power cut may lose the last commits
    "PRAGMA synchronous = NORMAL",
    "PRAGMA journal_size_limit = 67108864",
    "PRAGMA secure_delete = OFF",
)

_STORED = np.dtype("<f4")  # whatever the machine's own byte order is

# "Last used" is as exact as this; so features that are read again and again are seldom written.
_USED_SECONDS = 60
# keys in one statement; SQLite's old limit is 999 variables
_KEYS_AT_A_TIME = 256
# what one transaction removes or gives back to the disk, so that others get their turn
_ROWS_AT_A_TIME = 1000
_VACUUM_PAGES = 1024
# what SQLite needs besides the features themselves: its indexes, and parts of pages
_ROW_OVERHEAD = 1.08, 200

# Threads of this process take turns, whichever cache they use, and so does a fork: it waits
# until no connection is in use. Whoever computes doesn't hold it.
_turn = threading.RLock()
_databases: weakref.WeakSet[Database] = weakref.WeakSet()
# connections of a parent process that forked unseen; never closed here, since that drops its locks
_inherited: list[sqlite3.Connection] = []

#: what is told of features that are there: the image's key, and its vector
Found = Callable[[bytes, np.ndarray], None]

_Identity = tuple[int, int]


class FeatureCacheWarning(UserWarning):
    """The feature cache could not be used, or was rebuilt; features are right all the same."""


class CacheUnavailableError(Exception):
    """The cache can't be used now; the text says why, and what to do."""


class Database:
    """One process's access to the file.

    The connection is opened at first use. It is closed before a fork, so that no
    child inherits it, and opened anew when the file has been replaced or removed.

    Parameters
    ----------
    path : pathlib.Path
        The file; made, with its folder, if it doesn't exist.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._connection: sqlite3.Connection | None = None
        self._pid = 0
        self._identity: _Identity | None = None
        with _turn:
            _databases.add(self)

    def run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Call `work` with the connection; no other thread of this process has one meanwhile.

        `work` may be called a second time, on an empty database, if the file turns
        out to be damaged: it is then set aside, with a warning.

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
                    raise  # a mistake in skvision, which must not pass for a broken disk
                except (sqlite3.Error, OSError, UnicodeDecodeError) as error:
                    damaged = self._identity
                    self.close()
                    if is_last or not _is_damage(error):
                        raise CacheUnavailableError(self._explained(error)) from error
                    self._set_aside(damaged, error)
        raise AssertionError("unreachable")

    def close(self) -> None:
        """Close the connection; the next use opens one."""
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
        # another process may have set the file aside, or the user may have removed it
        if current and self._identity is not None and self._identity == _identity(self.path):
            assert self._connection is not None
            return self._connection
        self.close()
        mount = network_mount(self.path.parent)
        if mount is not None:
            raise CacheUnavailableError(
                f"{self.path.parent} is on a network or shared file system ({mount}), where "
                "SQLite can't keep processes from damaging each other's data. Name a folder on a "
                "disk of this machine, in the environment variable SKVISION_CACHE or as cache=, "
                f"say {Path(tempfile.gettempdir()) / 'skvision'}."
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
        """Let one process at a time open the file, or set it aside."""
        handle = os.open(self.path.with_name(f"{self.path.name}.lock"), os.O_RDWR | os.O_CREAT)
        try:
            deadline = time.monotonic() + BUSY_SECONDS
            while not lock_byte(handle):
                if time.monotonic() > deadline:
                    raise TimeoutError(f"another process has held {self.path}.lock for too long")
                time.sleep(0.02)
            yield
        finally:
            os.close(handle)  # which unlocks it

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
                f"{self.path} is damaged ({error}) and can't be set aside: {failure}. Remove it."
            ) from failure
        warnings.warn(
            f"The feature cache {self.path} is damaged ({error}). It was renamed to {aside.name}, "
            "which may be removed, and is built anew.",
            FeatureCacheWarning,
        )

    def _explained(self, error: Exception) -> str:
        reason = str(error).strip() or type(error).__name__
        todo = "make room on the disk, or name" if _code(error) == sqlite3.SQLITE_FULL else "name"
        return (
            f"{self.path} can't be used: {reason}. To have one, {todo} another folder in the "
            "environment variable SKVISION_CACHE or as cache=."
        )


class FeatureStore(Database):
    """The features in the file, by network and image.

    Every method may raise `CacheUnavailableError`, as `run` does.
    """

    def read(
        self, network_key: str, image_keys: Sequence[bytes], n_features: int, found: Found
    ) -> None:
        """Call `found` with each image's features that are there, sound and of that length.

        One by one, so that no more of them are in memory than the caller keeps.
        """
        for start in range(0, len(image_keys), _KEYS_AT_A_TIME):
            some = image_keys[start : start + _KEYS_AT_A_TIME]
            self.run(partial(_read, network_key, some, n_features * _STORED.itemsize, found))

    def write(self, network_key: str, image_keys: Sequence[bytes], features: np.ndarray) -> None:
        """Write features, one row an image, in place of what may stand there."""
        vectors = [row.astype(_STORED, copy=False).tobytes() for row in features]
        self.run(partial(_write, network_key, image_keys, vectors))

    def used_bytes(self) -> int:
        """Return how much of the file is in use."""
        return self.run(_used_bytes)

    def evict(self, target: int) -> None:
        """Remove what was used longest ago, until no more than `target` bytes are in use."""
        while self.run(partial(_evict_some, target)):
            pass
        self.shrink()

    def remove_some(self, network_key: str | None) -> int:
        """Remove some rows of a network, or of all (None); return how many, 0 at the end."""
        return self.run(partial(_remove_some, network_key))

    def shrink(self) -> None:
        """Give unused pages back to the disk."""
        while self.run(_shrink_some):
            pass

    def contents(self) -> tuple[int, dict[str, int]]:
        """Return the bytes in use, and how many rows each network has."""
        return self.run(_contents)


def row_bytes(n_features: int) -> int:
    """Return about how much of the file the features of one image take."""
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
    asked = set(image_keys)  # a damaged index may find others
    now = int(time.time())
    stale = []
    for row, key, checksum, used, vector in connection.execute(
        # only question marks are put in
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
        pass  # a full disk, or another process writes for long: features are read all the same


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
            # only the names above are put in
            f"DELETE FROM {table} WHERE id = ?",  # nosec B608
            ((row,) for row in rows),
        )
    if rows and removed.rowcount < len(rows):
        # else a loop that removes rows until there are none would never end
        raise sqlite3.DatabaseError("an index does not match its table")


def _evict_some(target: int, connection: sqlite3.Connection) -> bool:
    """Remove what was used longest ago; tell whether more has to go."""
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
        # only constants are put in
        some = f"SELECT id FROM entries {where} LIMIT {_ROWS_AT_A_TIME}"  # nosec B608
        rows = [row for (row,) in connection.execute(some, network)]
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


def _network_id(connection: sqlite3.Connection, key: str) -> int | None:
    """Return the number that stands for a network in the tables; None if it has none yet."""
    row = connection.execute("SELECT id FROM networks WHERE key = ?", (key,)).fetchone()
    return None if row is None else int(row[0])


def _checksum(network_key: str, image_key: bytes, vector: bytes) -> int:
    # with the keys: a damaged index must not pass one image's features for another's
    return zlib.crc32(vector, zlib.crc32(image_key, zlib.crc32(network_key.encode())))


@contextmanager
def _writing(connection: sqlite3.Connection) -> Iterator[None]:
    """Run the block as one transaction, which is alone in writing from its beginning."""
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
    """A database, but not one of ours."""


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
    return None if code is None else int(code) & 0xFF  # above that, which kind of it


# What SQLite answers to our statements, which are right, if the tables are not what they should be.
_DAMAGED = (
    sqlite3.SQLITE_CORRUPT,
    sqlite3.SQLITE_NOTADB,
    sqlite3.SQLITE_ERROR,  # no such column
    sqlite3.SQLITE_CONSTRAINT,
    sqlite3.SQLITE_MISMATCH,
    None,  # a text that isn't one, or what is raised in this package
)


def _is_damage(error: Exception) -> bool:
    if isinstance(error, UnicodeDecodeError):  # in SQLite's own message, which quotes the file
        return True
    return isinstance(error, sqlite3.DatabaseError) and _code(error) in _DAMAGED


def _identity(path: Path) -> _Identity | None:
    # never by opening it: closing any handle of the file drops all of this process's locks on it
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
        # the lock's owner is the thread that forked, and it is the one that goes on
        after_in_child=_turn.release,
    )
