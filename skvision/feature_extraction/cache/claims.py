"""Who computes what: claims on keys of the feature cache, which lapse when their holder dies.

A holder is one call of one process. Others take its claims over

- at once, if its process is seen to be gone: no such process on this machine, or one that
  started at another time (process numbers are used again), or the machine has started since;
- else when it has given no sign of life for `LAPSE_SECONDS`. Signs of life are counted, and
  timed by the clock of whoever waits, so that clocks that differ or jump don't matter.

The signs come from a thread, since one batch may take longer than any sensible limit. They
end when no batch has been finished for `PATIENCE_SECONDS`: a process that hangs doesn't
keep others waiting for ever. Claims that lapse too early cost work done twice, nothing more.
"""

from __future__ import annotations

import os
import socket
import sqlite3
import sys
import threading
import time
import uuid
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import astuple, dataclass
from itertools import islice

from .store import CacheUnavailableError, Database, writing

__all__ = ["Claims", "Process", "network_id"]

BEAT_SECONDS = 5.0
LAPSE_SECONDS = 60.0
PATIENCE_SECONDS = 600.0

# holders in this process whose calls go on; a row of any other is left over from a full disk
_going_on: set[str] = set()

# keys in one statement; SQLite's old limit is 999 variables
KEYS_AT_A_TIME = 256


@dataclass(frozen=True)
class Process:
    """A process, told apart from all others, later ones with its number included."""

    host: str
    #: changes when the machine starts; empty where the system doesn't tell
    boot: str
    #: within which process numbers mean something: containers have their own
    space: str
    pid: int
    #: when it started, as the system writes it; empty where it doesn't tell
    started: str

    @classmethod
    def this(cls) -> Process:
        """The process that asks."""
        pid = os.getpid()
        return cls(
            host=socket.gethostname(),
            boot=_text("/proc/sys/kernel/random/boot_id"),
            space=_link("/proc/self/ns/pid"),
            pid=pid,
            started=_started(pid) or "",
        )

    def is_gone(self, here: Process) -> bool:
        """Tell whether it is certain, seen from the process `here`, that it has ended."""
        if self.host != here.host:
            return False
        if self.boot != here.boot:
            return True
        if self.space != here.space or sys.platform == "win32":
            return False  # os.kill(pid, 0) would end the process on Windows
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return True
        except (OverflowError, TypeError):  # no process has such a number: the row is damaged
            return True
        except OSError:
            return False  # it exists, and is another user's
        started = _started(self.pid)
        return started is not None and bool(self.started) and started != self.started


class Claims:
    """What one call has claimed of one network's pictures.

    Parameters
    ----------
    database : Database
        Where claims are written.
    network_key : str
        The network.
    """

    def __init__(self, database: Database, network_key: str) -> None:
        self.id = uuid.uuid4().hex
        self._database = database
        self._network_key = network_key
        self._process = Process.this()
        self._beats = 0
        self._thread: threading.Thread | None = None
        self._progressed = time.monotonic()
        self._ended = threading.Event()
        #: of every other holder, its beats and when they were first seen to be so many
        self._seen: dict[str, tuple[int, float]] = {}

    def take(self, keys: Iterable[bytes], limit: int) -> list[bytes]:
        """Claim at most `limit` of `keys`, the first that no living holder has claimed."""
        keys = list(keys)
        _going_on.add(self.id)
        taken = self._database.run(lambda connection: self._take(connection, keys, limit))
        self.progress()
        if taken and self._thread is None:
            self._thread = threading.Thread(target=self._beat, name="skvision-claims", daemon=True)
            self._thread.start()
        return taken

    def progress(self) -> None:
        """Note that work goes on."""
        self._progressed = time.monotonic()

    def release(self) -> None:
        """Give up what is still claimed."""
        self._ended.set()
        if self._beats:
            # where it can't be written, the claims lapse by themselves
            with suppress(CacheUnavailableError):
                self._database.run(lambda connection: _remove_holders(connection, [self.id]))
        _going_on.discard(self.id)

    def _take(self, connection: sqlite3.Connection, keys: list[bytes], limit: int) -> list[bytes]:
        free: list[bytes] = []
        with writing(connection):
            network = network_id(connection, self._network_key, make=True)
            gone = self._gone_holders(connection)
            for start in range(0, len(keys), KEYS_AT_A_TIME):
                if len(free) >= limit:
                    break
                some = keys[start : start + KEYS_AT_A_TIME]
                marks = ",".join("?" * len(some))
                held = {
                    image
                    for image, holder in connection.execute(
                        # only question marks are put in
                        "SELECT image, holder FROM claims "  # nosec B608
                        f"WHERE network = ? AND image IN ({marks})",
                        (network, *some),
                    )
                    if holder not in gone and holder in self._seen
                }
                free += islice((key for key in some if key not in held), limit - len(free))
            if gone:
                _remove(connection, gone)
            if free:
                connection.execute(
                    "INSERT OR REPLACE INTO holders VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                    (self.id, *astuple(self._process), self._next_beat(), time.time()),
                )
                connection.executemany(
                    "INSERT OR REPLACE INTO claims VALUES (?, ?, ?)",
                    ((network, key, self.id) for key in free),
                )
        return free

    def _gone_holders(self, connection: sqlite3.Connection) -> list[str]:
        """Look at all other holders; return those whose claims are void."""
        gone = []
        now = time.monotonic()
        seen: dict[str, tuple[int, float]] = {}
        rows = connection.execute("SELECT id, host, boot, space, pid, started, beats FROM holders")
        for holder, host, boot, space, pid, started, beats in rows.fetchall():
            if holder == self.id:
                continue
            before = self._seen.get(holder)
            since = before[1] if before is not None and before[0] == beats else now
            seen[holder] = (beats, since)
            process = Process(host, boot, space, pid, started)
            ended = process == self._process and holder not in _going_on
            if ended or now - since > LAPSE_SECONDS or process.is_gone(self._process):
                gone.append(holder)
        self._seen = seen
        return gone

    def _beat(self) -> None:
        while not self._ended.wait(BEAT_SECONDS):
            if time.monotonic() - self._progressed > PATIENCE_SECONDS:
                continue
            # what goes wrong here goes wrong in the thread that computes too, which says so
            with suppress(CacheUnavailableError, Warning):
                self._database.run(self._beat_once)

    def _beat_once(self, connection: sqlite3.Connection) -> None:
        with writing(connection):
            connection.execute(
                "UPDATE holders SET beats = ?, beaten = ? WHERE id = ?",
                (self._next_beat(), time.time(), self.id),
            )

    def _next_beat(self) -> int:
        self._beats += 1  # never back to an earlier number, which would be no sign of life
        return self._beats


def network_id(connection: sqlite3.Connection, key: str, *, make: bool = False) -> int | None:
    """Return the number that stands for a network in the tables; None if it has none yet."""
    find = "SELECT id FROM networks WHERE key = ?"
    row = connection.execute(find, (key,)).fetchone()
    if row is None and make:
        connection.execute("INSERT INTO networks (key) VALUES (?)", (key,))
        row = connection.execute(find, (key,)).fetchone()
    return None if row is None else int(row[0])


def _remove_holders(connection: sqlite3.Connection, holders: list[str]) -> None:
    with writing(connection):
        _remove(connection, holders)


def _remove(connection: sqlite3.Connection, holders: list[str]) -> None:
    for holder in holders:
        connection.execute("DELETE FROM claims WHERE holder = ?", (holder,))
        connection.execute("DELETE FROM holders WHERE id = ?", (holder,))


def _started(pid: int) -> str | None:
    """When a process started; None where the system doesn't tell, "ended" if it is a zombie."""
    # the name in brackets may itself hold brackets and spaces
    fields = _text(f"/proc/{pid}/stat").rpartition(")")[2].split()
    if len(fields) < 20:
        return None
    return "ended" if fields[0] in "ZXx" else fields[19]


def _text(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read().strip()
    except OSError:
        return ""


def _link(path: str) -> str:
    try:
        return os.readlink(path)
    except OSError:
        return ""
