"""The feature cache's SQLite file: opening it, using it in turns, and what goes wrong with it."""

from __future__ import annotations

import os
import sqlite3
import sys
import tempfile
import threading
import time
import warnings
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar

from .location import network_mount

__all__ = ["CacheUnavailableError", "Database", "FeatureCacheWarning", "writing"]

T = TypeVar("T")

#: How long to wait for another process's transaction; ours take well under a second.
BUSY_SECONDS = 30.0

# The tables' version. The file's name has it too, so that two versions of skvision don't take
# turns in setting each other's file aside.
SCHEMA = 1

# Vectors stand apart from their entries: what looks at many entries (eviction, counting) or
# changes one (the time of last use) doesn't read or rewrite 100 kB a picture.
_TABLES = """
CREATE TABLE networks (id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE);
CREATE TABLE entries (
    id INTEGER PRIMARY KEY, network INTEGER NOT NULL, image BLOB NOT NULL,
    checksum INTEGER NOT NULL, n_bytes INTEGER NOT NULL, used INTEGER NOT NULL,
    UNIQUE (network, image)
);
CREATE INDEX entries_used ON entries (used);
CREATE TABLE vectors (id INTEGER PRIMARY KEY, vector BLOB NOT NULL);
CREATE TABLE holders (
    id TEXT PRIMARY KEY, host TEXT NOT NULL, boot TEXT NOT NULL, space TEXT NOT NULL,
    pid INTEGER NOT NULL, started TEXT NOT NULL, beats INTEGER NOT NULL, beaten REAL NOT NULL
) WITHOUT ROWID;
CREATE TABLE claims (
    network INTEGER NOT NULL, image BLOB NOT NULL, holder TEXT NOT NULL,
    PRIMARY KEY (network, image)
) WITHOUT ROWID;
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

# Threads of this process take turns, whichever cache they use, and so does a fork: it waits
# until no connection is in use. Whoever computes doesn't hold it.
_turn = threading.RLock()
_databases: weakref.WeakSet[Database] = weakref.WeakSet()
# connections of a parent process that forked unseen; never closed here, since that drops its locks
_inherited: list[sqlite3.Connection] = []

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
            while not _locked(handle):
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


@contextmanager
def writing(connection: sqlite3.Connection) -> Iterator[None]:
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
    with writing(connection):
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


def _locked(handle: int) -> bool:
    """Lock a file without waiting; the system unlocks it if the process dies."""
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    return True


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
