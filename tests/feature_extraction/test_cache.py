"""The feature cache: each feature is computed once and correct, even if the file is damaged."""

from __future__ import annotations

import copy
import errno
import hashlib
import multiprocessing
import os
import pickle
import random
import sqlite3
import subprocess
import sys
import threading
import time
import warnings
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import joblib
import numpy as np
import pytest

from skvision.feature_extraction.cache import FeatureCache, FeatureCacheWarning
from skvision.feature_extraction.cache import cache as cache_module
from skvision.feature_extraction.cache import claims as cache_claims
from skvision.feature_extraction.cache import location as cache_folder
from skvision.feature_extraction.cache import store as cache_database
from skvision.feature_extraction.cache.claims import Claims
from skvision.feature_extraction.cache.store import Database

N_FEATURES = 50
#: seconds; a limit against hanging only
DEADLINE = 120
spawn = multiprocessing.get_context("spawn")


def keys_of(*names):
    return [hashlib.blake2b(str(name).encode(), digest_size=16).digest() for name in names]


def features_of(keys, n_features=N_FEATURES, network="net"):
    """Return features as from a network: numbers that depend on key and network."""
    seeds = [int.from_bytes(key[:6], "little") + len(network) for key in keys]
    rows = [np.random.default_rng(seed).random(n_features, np.float32) for seed in seeds]
    return np.array(rows, np.float32).reshape(len(keys), n_features)


class Computing:
    """A `compute` that records its calls."""

    def __init__(self, keys, *, n_features=N_FEATURES, network="net", batch=16, log=None, pause=0):
        self.keys, self.n_features, self.network = keys, n_features, network
        self.batch, self.log, self.pause = batch, log, pause
        self.asked = []

    def __call__(self, batches):
        for positions in batches:
            assert 0 < len(positions) <= self.batch
            self.asked += positions.tolist()
            keys = [self.keys[position] for position in positions]
            if self.log is not None:
                # one line per key in one write, so that each process appends complete lines
                with open(self.log, "ab", buffering=0) as file:
                    file.write(b"".join(b"%s\n" % key.hex().encode() for key in keys))
            time.sleep(self.pause)
            yield positions, features_of(keys, self.n_features, self.network)


def fetch(cache, keys, network="net", n_features=N_FEATURES, **options):
    """Fetch features, check them, and return the computed keys."""
    compute = Computing(keys, n_features=n_features, network=network, **options)
    features = cache.fetch_or_compute(network, keys, compute, n_features, batch_size=compute.batch)
    assert features.dtype == np.float32
    np.testing.assert_array_equal(features, features_of(keys, n_features, network))
    return compute.asked


def fetch_in_process(folder, names, log, pause, barrier=None):
    keys = keys_of(*names)
    if barrier is not None:
        barrier.wait(DEADLINE)
    fetch(FeatureCache(folder), keys, log=log, pause=pause)


def started(*args):
    process = spawn.Process(target=fetch_in_process, args=args)
    process.start()
    return process


def ended_well(process):
    process.join(DEADLINE)
    assert process.exitcode == 0


def wait_until(condition):
    deadline = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def lines(path):
    return path.read_text().splitlines() if path.exists() else []


@pytest.fixture
def cache(tmp_path):
    return FeatureCache(tmp_path / "cache")


def is_claimed(cache, keys, network="net"):
    """Return whether a call has claimed one of these keys."""
    claims = Claims(cache.path, network)
    for key in keys:  # one by one, since two of them may share a byte
        taken = claims.take([key])
        claims.release()
        if not taken:
            return True
    return False


@pytest.fixture
def silent():
    """Warnings are errors."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", FeatureCacheWarning)
        yield


# cached and computed features


@pytest.mark.usefixtures("silent")
def test_cached_features_are_not_computed(cache):
    assert fetch(cache, keys_of(*range(100))) == list(range(100))
    assert fetch(cache, keys_of(*range(100))) == []
    assert fetch(cache, keys_of(*range(90, 120))) == list(range(10, 30))
    info = cache.info()
    assert (info.hits, info.misses, info.n_features_rows) == (110, 120, 120)
    assert cache.path == cache.info().path
    assert cache.path.name == "features-v2.sqlite"


def test_the_order_is_that_of_the_keys(cache):
    keys = keys_of(*range(40))
    fetch(cache, keys)
    shuffled = [keys[i] for i in np.random.default_rng(0).permutation(40)]
    assert fetch(cache, shuffled) == []


def test_equal_images_are_computed_once(cache):
    assert fetch(cache, keys_of(1, 2, 1, 3, 2, 1)) == [0, 1, 3]
    assert fetch(cache, keys_of(3, 3, 3)) == []
    assert cache.info().hits == 1


def test_no_images(cache):
    assert cache.fetch_or_compute("net", [], None, 7).shape == (0, 7)


def test_longer_digests(cache):
    keys = [key * 2 for key in keys_of(*range(5))]
    assert len(fetch(cache, keys)) == 5
    assert fetch(cache, keys) == []


def test_batches_in_any_order_and_type(cache):
    keys = keys_of(*range(6))
    right = features_of(keys)

    def compute(batches):
        (positions,) = batches
        assert positions.dtype.kind == "i"
        return [
            ([4, 2], right[[4, 2]].astype(float)),
            (np.array([5, 0, 1, 3]), right[[5, 0, 1, 3]]),
        ]

    features = cache.fetch_or_compute("net", keys, compute, N_FEATURES)
    np.testing.assert_array_equal(features, right)
    assert fetch(cache, keys) == []


def test_numbers_come_back_to_the_bit(cache):
    special = np.array([[0.0, -0.0, np.inf, -np.inf, np.nan, 1e-45, 3.4e38]], np.float32)
    key = keys_of(1)
    cache.fetch_or_compute("net", key, lambda batches: [(*batches, special)], 7)
    again = cache.fetch_or_compute("net", key, None, 7)
    assert again.tobytes() == special.tobytes()


def test_networks_do_not_mix(cache):
    keys = keys_of(*range(20))
    assert len(fetch(cache, keys, "a")) == 20
    assert len(fetch(cache, keys, "another")) == 20
    assert fetch(cache, keys, "a") == fetch(cache, keys, "another") == []
    assert cache.info().networks == {"a": 20, "another": 20}


def test_vectors_of_another_length_are_replaced(cache):
    keys = keys_of(*range(20))
    fetch(cache, keys)
    assert len(fetch(cache, keys, n_features=N_FEATURES + 1)) == 20
    assert fetch(cache, keys, n_features=N_FEATURES + 1) == []
    assert cache.info().n_features_rows == 20


def test_more_keys_than_sqlite_accepts_at_once(cache):
    keys = keys_of(*range(3000))
    asked = []

    def compute(batches):
        assert len(batches) == 94
        for positions in batches:
            asked.append(len(positions))
            yield positions, features_of([keys[p] for p in positions], 3)

    cache.fetch_or_compute("net", keys, compute, 3)
    assert asked == [32] * 93 + [24]
    assert fetch(cache, keys, n_features=3) == []


def test_batches_may_be_drawn_ahead(cache):
    keys = keys_of(*range(40))
    fetch(cache, keys[7:12])

    def compute(batches):
        for positions in reversed(list(batches)):
            yield positions, features_of([keys[p] for p in positions])

    features = cache.fetch_or_compute("net", keys, compute, N_FEATURES, batch_size=10)
    np.testing.assert_array_equal(features, features_of(keys))
    assert (cache.info().hits, cache.info().misses) == (5, 40)


# errors of compute


def test_an_error_in_compute_is_passed_on_and_releases_the_claims(cache):
    keys = keys_of(*range(40))
    closed = []

    def failing(batches):
        try:
            positions = next(iter(batches))
            yield positions[:10], features_of([keys[p] for p in positions[:10]])
            raise ZeroDivisionError("of the network")
        finally:
            closed.append(True)

    with pytest.raises(ZeroDivisionError, match="of the network"):
        cache.fetch_or_compute("net", keys, failing, N_FEATURES)
    assert closed == [True]
    assert not is_claimed(cache, keys)
    # completed batches stay
    assert fetch(cache, keys) == list(range(10, 40))


@pytest.mark.parametrize(
    ("batches", "message"),
    [
        ([([0, 1], np.zeros((2, N_FEATURES + 1)))], r"features of shape \(2, 50\).*\(2, 51\)"),
        ([([0], np.zeros(N_FEATURES))], "Received"),
        ([([0, 7], np.zeros((2, N_FEATURES)))], "each of its positions once"),
        ([([0, 0], np.zeros((2, N_FEATURES)))], "once"),
        ([([0], np.zeros((1, N_FEATURES)))], "no features for 1 of its positions"),
    ],
)
def test_wrong_results_of_compute_are_refused(cache, batches, message):
    with pytest.raises(ValueError, match=message):
        cache.fetch_or_compute(
            "net", keys_of(1, 2), lambda asked: list(asked) and batches, N_FEATURES
        )
    assert not is_claimed(cache, keys_of(1, 2))


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("net", ["a text"], None, 3), "16 or 32 bytes"),
        (("net", [b"short"], None, 3), "16 or 32 bytes"),
        (("", keys_of(1), None, 3), "network_key"),
        (("net", keys_of(1), None, 0), "at least 1"),
        (("net", keys_of(1), None, 3.0), "integer"),
    ],
)
def test_wrong_arguments(cache, args, message):
    with pytest.raises(ValueError, match=message):
        cache.fetch_or_compute(*args)
    assert not cache.path.exists()


def test_wrong_parameters():
    with pytest.raises(TypeError, match="folder must be a path"):
        FeatureCache(False)
    with pytest.raises(ValueError, match="max_bytes"):
        FeatureCache("x", max_bytes=0)


# several processes and threads


def rows_of(cache, table):
    connection = sqlite3.connect(cache.path)
    try:
        return connection.execute(f"SELECT * FROM {table}").fetchall()
    finally:
        connection.close()


def test_two_processes_in_step_compute_each_key_once(tmp_path):
    barrier = spawn.Barrier(2)
    logs = [tmp_path / "a", tmp_path / "b"]
    args = tmp_path / "cache", range(200)
    processes = [started(*args, log, 0.02, barrier) for log in logs]
    for process in processes:
        ended_well(process)
    computed = [lines(log) for log in logs]
    assert sorted(computed[0] + computed[1]) == sorted(key.hex() for key in keys_of(*range(200)))
    # and they share the work
    assert all(computed)


def test_another_process_completes_the_work_of_a_killed_one(tmp_path):
    log, folder = tmp_path / "log", tmp_path / "cache"
    holder = started(folder, range(120), log, 0.3)
    wait_until(lambda: len(lines(log)) >= 32)
    waiting = started(folder, range(120), tmp_path / "other", 0)
    time.sleep(0.5)
    holder.kill()
    ended_well(waiting)
    holder.join()
    assert fetch(FeatureCache(folder), keys_of(*range(120))) == []
    # only the batch in flight is lost
    both = lines(log) + lines(tmp_path / "other")
    assert 120 <= len(both) <= 120 + 16


def test_claims_of_a_killed_process_end_immediately(tmp_path, cache):
    log = tmp_path / "log"
    keys = keys_of(*range(120))
    holder = started(cache.path.parent, range(120), log, 1000)
    wait_until(lambda: lines(log))
    assert is_claimed(cache, keys)
    holder.kill()
    holder.join()
    assert not is_claimed(cache, keys)
    assert len(fetch(cache, keys)) == 120


@pytest.mark.slow
def test_a_hundred_kills_while_two_processes_write_lose_and_damage_nothing(tmp_path, silent):
    chance = random.Random(0)
    folder, log = tmp_path / "cache", tmp_path / "log"
    cache = FeatureCache(folder)
    names = range(12_000)
    # each process is forked from one that has imported this module
    server = multiprocessing.get_context("forkserver")
    server.set_forkserver_preload([__name__])
    survivor = server.Process(
        target=fetch_in_process, args=(folder, names, tmp_path / "survivor's", 0.1)
    )
    survivor.start()
    wait_until(lambda: lines(tmp_path / "survivor's"))
    n_rows = kills = 0
    while kills < 100:
        n_lines = len(lines(log))
        process = server.Process(target=fetch_in_process, args=(folder, names, log, 0))
        process.start()
        while len(lines(log)) == n_lines:
            assert process.exitcode is None
        time.sleep(chance.random() * 0.01)
        process.kill()
        process.join()
        assert process.exitcode == -9
        kills += 1
        # committed data stay
        assert cache.info().n_features_rows >= n_rows
        n_rows = cache.info().n_features_rows
    assert survivor.exitcode is None, "there was nothing left to contend for"
    fetch(cache, keys_of(*names))
    ended_well(survivor)
    assert fetch(cache, keys_of(*names)) == []
    assert not is_claimed(cache, keys_of(*names))
    connection = sqlite3.connect(cache.path)
    assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()
    # each kill loses at most one batch
    n_computed = len(lines(log)) + len(lines(tmp_path / "survivor's"))
    assert n_computed <= len(names) + kills * 16


@pytest.mark.parametrize("n_caches", [1, 4])
def test_threads_compute_each_key_once(tmp_path, n_caches):
    caches = [FeatureCache(tmp_path) for _ in range(n_caches)]
    keys = keys_of(*range(300))
    log = tmp_path / "log"
    with ThreadPoolExecutor(4) as threads:
        jobs = [
            threads.submit(fetch, caches[i % n_caches], keys, log=log, pause=0.01) for i in range(4)
        ]
        asked = [job.result(DEADLINE) for job in jobs]
    assert sum(map(len, asked)) == len(lines(log)) == len(set(lines(log))) == 300


def test_the_wait_for_a_hanging_process_is_limited(tmp_path, monkeypatch):
    monkeypatch.setattr(cache_module, "PATIENCE_SECONDS", 0.3)
    keys, go_on, began = keys_of(*range(3)), threading.Event(), threading.Event()

    def hanging(batches):
        (positions,) = batches
        began.set()
        go_on.wait(DEADLINE)
        yield positions, features_of(keys)

    with ThreadPoolExecutor(1) as threads:
        hangs = threads.submit(
            FeatureCache(tmp_path).fetch_or_compute, "net", keys, hanging, N_FEATURES
        )
        assert began.wait(DEADLINE)
        before = time.monotonic()
        assert fetch(FeatureCache(tmp_path), keys) == [0, 1, 2]
        assert time.monotonic() - before > cache_module.PATIENCE_SECONDS
        go_on.set()
        # it still finishes, and writes over the existing features
        np.testing.assert_array_equal(hangs.result(DEADLINE), features_of(keys))
    assert fetch(FeatureCache(tmp_path), keys) == []


def test_images_that_a_failed_call_leaves_are_computed(cache):
    """The other call fails and releases its claims, and the waiting call computes the images."""
    keys, go_on, began = keys_of(*range(10)), threading.Event(), threading.Event()

    def failing(batches):
        next(iter(batches))
        began.set()
        go_on.wait(DEADLINE)
        raise ZeroDivisionError

    with ThreadPoolExecutor(2) as threads:
        fails = threads.submit(
            cache.fetch_or_compute, "net", keys, failing, N_FEATURES, batch_size=4
        )
        assert began.wait(DEADLINE)
        waits = threads.submit(fetch, cache, keys)
        wait_until(lambda: cache.info().n_features_rows == 6)
        go_on.set()
        with pytest.raises(ZeroDivisionError):
            fails.result(DEADLINE)
        assert waits.result(DEADLINE) == [4, 5, 6, 7, 8, 9, 0, 1, 2, 3]


def test_features_are_computed_twice_if_files_cannot_be_locked(cache, monkeypatch, silent):
    def no_locks(handle, place):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(cache_claims, "lock_byte", no_locks)
    monkeypatch.setattr(cache_claims, "unlock_byte", no_locks)
    assert len(fetch(cache, keys_of(*range(40)))) == 40
    (cache.path.parent / f"{cache.path.name}.claims").unlink()
    (cache.path.parent / f"{cache.path.name}.claims").mkdir()  # so that it can't be opened
    assert len(fetch(cache, keys_of(*range(80)))) == 40


def test_no_handle_stays_open(cache):
    for n in range(3):
        fetch(cache, keys_of(n))
    assert [file._handle for file in cache_claims._files.values()] == [None] * len(
        cache_claims._files
    )


# forks and pickles


def test_pickled_and_copied_caches_reopen(cache):
    keys = keys_of(*range(5))
    fetch(cache, keys)
    for copied in (pickle.loads(pickle.dumps(cache)), copy.deepcopy(cache)):
        assert (copied.path, copied.max_bytes) == (cache.path, cache.max_bytes)
        assert fetch(copied, keys) == []
        assert copied.info().hits == 5
    assert repr(cache) == f"FeatureCache({str(cache.path.parent)!r}, max_bytes=4294967296)"


def test_processes_of_joblib(cache):
    keys = keys_of(*range(100))
    jobs = (joblib.delayed(fetch)(cache, keys) for _ in range(2))
    asked = joblib.Parallel(n_jobs=2)(jobs)
    assert sorted(asked[0] + asked[1]) == list(range(100))


needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")


@needs_fork
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_child_opens_its_own_connection(cache, silent):
    fetch(cache, keys_of(*range(10)))
    assert cache._store._connection is not None
    fork = multiprocessing.get_context("fork")
    children = [
        fork.Process(target=fetch, args=(cache, keys_of(*range(5, 60 + n)))) for n in range(3)
    ]
    for child in children:
        child.start()
        # closed before the fork: SQLite's locks don't survive one
        assert cache._store._connection is None
        fetch(cache, keys_of(*range(10)))
    for child in children:
        ended_well(child)
    assert fetch(cache, keys_of(*range(62))) == []
    connection = sqlite3.connect(cache.path)
    assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()


@needs_fork
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_forks_while_threads_use_the_cache(tmp_path, silent):
    caches = [FeatureCache(tmp_path) for _ in range(3)]
    fork = multiprocessing.get_context("fork")
    with ThreadPoolExecutor(3) as threads:
        jobs = [
            threads.submit(fetch, cache, keys_of(*range(n, n + 400)), batch=4)
            for n, cache in enumerate(caches)
        ]
        for n in range(10):
            child = fork.Process(target=fetch, args=(caches[n % 3], keys_of(n, n + 1000)))
            child.start()
            ended_well(child)
        for job in jobs:
            job.result(DEADLINE)
    assert fetch(caches[0], keys_of(*range(402), *range(1000, 1010))) == []


@needs_fork
def test_a_connection_of_another_process_is_not_used(cache, monkeypatch):
    fetch(cache, keys_of(1))
    # as after a fork without Python's notice
    connection = cache._store._connection
    cache._store._pid -= 1
    assert fetch(cache, keys_of(1)) == []
    assert cache._store._connection is not connection
    assert connection.execute("SELECT 1").fetchone() == (1,)


@needs_fork
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_child_neither_has_nor_ends_its_parents_claims(cache):
    cache.path.parent.mkdir()
    mine, free = keys_of("parent's", "free")
    claims = Claims(cache.path, "net")
    assert claims.take([mine]) == [mine]
    fork = multiprocessing.get_context("fork")
    for _ in range(2):  # the second child sees the effect of the first on the parent's claim
        child = fork.Process(target=claim_what_is_free, args=(cache, [mine, free], [free]))
        child.start()
        ended_well(child)
    claims.release()
    child = fork.Process(target=claim_what_is_free, args=(cache, [mine, free], [mine, free]))
    child.start()
    ended_well(child)


def claim_what_is_free(cache, keys, expected):
    claims = Claims(cache.path, "net")
    assert claims.take(keys) == expected
    claims.release()


# a damaged file


@pytest.mark.parametrize(
    "damage", ["garbage", "empty", "truncated", "a database of something else"]
)
def test_a_damaged_file_is_renamed(cache, damage):
    keys = keys_of(*range(500))
    fetch(cache, keys)
    cache._store.close()
    if damage == "garbage":
        cache.path.write_bytes(random.Random(0).randbytes(100_000))
    elif damage == "empty":
        cache.path.write_bytes(b"")
    elif damage == "truncated":
        os.truncate(cache.path, cache.path.stat().st_size // 2)
    else:
        cache.path.unlink()
        with sqlite3.connect(cache.path) as connection:
            connection.execute("CREATE TABLE mine (a)")
        connection.close()
    if damage == "empty":  # as left by a process that is killed while it creates the file
        assert len(fetch(cache, keys)) == 500
        return
    before = cache.path.read_bytes()
    with pytest.warns(FeatureCacheWarning, match="is damaged.*renamed to .*corrupt-"):
        assert len(fetch(cache, keys)) == 500
    (aside,) = cache.path.parent.glob("*.corrupt-*")
    assert aside.read_bytes() == before
    assert fetch(cache, keys) == []
    assert fetch(FeatureCache(cache.path.parent), keys) == []


def test_only_the_last_damaged_file_is_kept(cache, monkeypatch):
    names = iter("abc")
    monkeypatch.setattr(cache_database.time, "strftime", lambda form: next(names))
    for _ in range(3):
        cache._store.close()
        cache.path.parent.mkdir(exist_ok=True)
        cache.path.write_bytes(b"no database" * 1000)
        with pytest.warns(FeatureCacheWarning, match="damaged"):
            fetch(cache, keys_of(1))
    assert [path.name for path in cache.path.parent.glob("*.corrupt-*")] == [
        f"{cache.path.name}.corrupt-c"
    ]


def test_a_file_that_another_process_has_renamed_is_not_renamed_again(cache):
    keys = keys_of(*range(10))
    fetch(cache, keys)
    damaged = Database(cache.path)
    damaged.run(lambda connection: None)
    identity = damaged._identity
    os.replace(cache.path, f"{cache.path}.corrupt-by-another")
    for ending in ("-wal", "-shm"):
        os.replace(f"{cache.path}{ending}", f"{cache.path}.corrupt-by-another{ending}")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        # the new file is found, whatever the state of the old connection
        assert len(fetch(cache, keys)) == 10
        damaged._set_aside(identity, sqlite3.DatabaseError("malformed"))
    assert fetch(FeatureCache(cache.path.parent), keys) == []
    damaged.close()
    assert fetch(FeatureCache(cache.path.parent), keys) == []


def test_a_file_that_was_removed_is_made_again(cache, silent):
    keys = keys_of(*range(10))
    fetch(cache, keys)
    for path in cache.path.parent.iterdir():
        path.unlink()
    cache.path.parent.rmdir()
    assert len(fetch(cache, keys)) == 10
    assert fetch(FeatureCache(cache.path.parent), keys) == []


def test_a_flipped_byte_in_a_vector_is_noticed(cache, silent):
    keys = keys_of(*range(50))
    fetch(cache, keys)
    cache._store.close()
    content = bytearray(cache.path.read_bytes())
    at = content.index(features_of(keys)[17].tobytes())
    content[at + 33] ^= 1
    cache.path.write_bytes(content)
    assert fetch(cache, keys) == [17]
    assert fetch(cache, keys) == []
    assert cache.info().n_features_rows == 50


def test_swapped_vectors_are_noticed(cache, silent):
    keys = keys_of(*range(10))
    fetch(cache, keys)
    with sqlite3.connect(cache.path) as connection:
        connection.execute("UPDATE vectors SET id = -id")
        connection.execute("UPDATE vectors SET id = 11 + id")
    connection.close()
    assert fetch(cache, keys) == list(range(10))
    with sqlite3.connect(cache.path) as connection:
        ids = sorted(row[0] for row in connection.execute("SELECT id FROM entries"))
        connection.execute("DELETE FROM vectors WHERE id < ?", (ids[3],))
        connection.execute("UPDATE entries SET used = 'x', n_bytes = x'00' WHERE id = ?", ids[4:5])
        connection.execute("UPDATE vectors SET vector = 'text' WHERE id = ?", ids[5:6])
    connection.close()
    assert len(fetch(cache, keys)) == 4
    assert fetch(cache, keys) == []


def test_an_index_that_does_not_match_its_table(cache):
    fetch(cache, keys_of(*range(10)))
    with sqlite3.connect(cache.path) as connection:
        # rows that can be found but not removed
        connection.execute(
            "CREATE TRIGGER stuck BEFORE DELETE ON entries BEGIN SELECT RAISE(IGNORE); END"
        )
    connection.close()
    with pytest.warns(FeatureCacheWarning, match="index does not match"):
        assert cache.clear() == 0
    assert cache.info().n_features_rows == 0


@pytest.mark.filterwarnings("ignore::skvision.feature_extraction.cache.store.FeatureCacheWarning")
def test_bytes_flipped_anywhere_give_no_wrong_feature_and_no_error(tmp_path):
    keys = keys_of(*range(60))
    whole = FeatureCache(tmp_path / "whole")
    fetch(whole, keys)
    whole._store.close()
    content = whole.path.read_bytes()
    chance = random.Random(0)
    for trial in range(60):
        damaged = bytearray(content)
        for _ in range(30):
            damaged[chance.randrange(len(damaged))] ^= 1 << chance.randrange(8)
        if trial % 2:  # the small part of the file with its own structure
            for _ in range(3):
                damaged[chance.randrange(100)] = chance.randrange(256)
        cache = FeatureCache(tmp_path / str(trial))
        cache.path.parent.mkdir()
        cache.path.write_bytes(damaged)
        fetch(cache, keys + keys_of("new"))
        fetch(cache, keys)
        cache.info()
        cache.clear()
        cache._store.close()


# folders without a usable file


def in_subprocess(code, *args):
    run = subprocess.run(
        [sys.executable, "-W", "always", "-c", code, *map(str, args)],
        capture_output=True,
        text=True,
        timeout=DEADLINE,
    )
    assert run.returncode == 0, run.stderr
    return run


FULL_DISK = """
import resource, sys
from tests.feature_extraction.test_cache import FeatureCache, fetch, keys_of
cache = FeatureCache(sys.argv[1])
fetch(cache, keys_of(*range(20)))
cache._store.close()
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), int(sys.argv[2])))
print(len(fetch(cache, keys_of(*range(2000)), n_features=50)))
print(len(fetch(cache, keys_of(*range(20)))))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="needs RLIMIT_FSIZE")
@pytest.mark.parametrize("limit", [150_000, 400_000])
def test_a_full_disk_gives_a_warning(tmp_path, limit):
    run = in_subprocess(FULL_DISK, tmp_path, limit)
    assert run.stderr.count("computed without a cache") == 1
    # earlier features are still found
    assert run.stdout.split() == ["1980", "0"]
    assert fetch(FeatureCache(tmp_path), keys_of(*range(20))) == []


def test_a_full_disk_is_explained(cache, monkeypatch):
    fetch(cache, keys_of(1))
    pages = "PRAGMA max_page_count = 1"
    cache._store.run(lambda connection: connection.execute(pages).fetchall())
    with pytest.warns(FeatureCacheWarning, match="full.*free space on the disk") as caught:
        assert len(fetch(cache, keys_of(*range(1, 500)))) == 498
    assert len(caught) == 1


def test_a_folder_that_cannot_be_created(tmp_path):
    (tmp_path / "file").write_text("")
    cache = FeatureCache(tmp_path / "file" / "cache")
    with pytest.warns(FeatureCacheWarning, match="SKVISION_CACHE") as caught:
        asked = [fetch(cache, keys_of(1, 2, 1)) for _ in range(2)]
    assert asked == [[0, 1], [0, 1]]
    assert len(caught) == 1
    assert cache.info().n_features_rows == cache.clear() == 0


def test_a_folder_where_the_file_should_be(cache):
    cache.path.mkdir(parents=True)
    with pytest.warns(FeatureCacheWarning, match="can't be used"):
        fetch(cache, keys_of(1, 2))
    with pytest.warns(FeatureCacheWarning, match="can't be used"):
        assert FeatureCache(cache.path.parent).clear() == 0


def test_a_process_that_locks_the_file_for_too_long(cache, monkeypatch):
    fetch(cache, keys_of(1, 2))
    cache._store.close()
    monkeypatch.setattr(cache_database, "BUSY_SECONDS", 0.1)
    other = sqlite3.connect(cache.path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    with pytest.warns(FeatureCacheWarning, match="locked"):
        # existing features can be read, but new ones can't be written
        assert fetch(cache, keys_of(1, 2, 3)) == [2]
    other.execute("ROLLBACK")
    other.close()
    assert fetch(cache, keys_of(1, 2, 3)) == [2]


# network mounts

MOUNTS = [
    ("/", "ext4"),
    ("/home", "nfs4"),
    ("/home/ann", "ext4"),
    ("/home/ann/remote", "fuse.sshfs"),
    ("/content/drive", "fuse"),
    ("/mnt/disk", "fuseblk"),
    ("/auto", "autofs"),
    ("/auto", "cifs"),
    ("/hom", "cifs"),
]


@pytest.mark.parametrize(
    ("folder", "kind"),
    [
        ("/var/cache", None),
        ("/home", "nfs4"),
        ("/home/bob/.cache", "nfs4"),
        ("/home/ann/.cache", None),
        ("/home/ann/remote/x", "fuse.sshfs"),
        ("/home/ann/remotely", None),
        ("/content/drive/MyDrive", "fuse"),
        ("/mnt/disk/cache", None),
        ("/auto/x", "cifs"),
        ("/homes", None),
    ],
)
def test_network_mounts_are_recognised(monkeypatch, folder, kind):
    monkeypatch.setattr(cache_folder, "mount_table", lambda: iter(MOUNTS))
    assert cache_folder.network_mount(Path(folder)) == kind


def test_the_cache_is_not_used_on_a_network_mount(monkeypatch, cache):
    monkeypatch.setattr(cache_folder, "mount_table", lambda: iter([("/", "nfs")]))
    with pytest.warns(FeatureCacheWarning, match=r"network.*\(nfs\).*SKVISION_CACHE") as caught:
        asked = [fetch(cache, keys_of(1, 2)) for _ in range(2)]
    assert asked == [[0, 1], [0, 1]]
    assert len(caught) == 1
    assert not cache.path.parent.exists()


@pytest.mark.skipif(sys.platform != "linux", reason="reads Linux's mount table")
def test_the_mount_table_of_this_machine():
    table = dict(cache_folder.mount_table())
    assert table["/proc"] == "proc"
    assert "/" in table


def test_names_in_the_mount_table(monkeypatch, tmp_path):
    line = r"36 35 0:3 / /mnt/with\040space\134 rw shared:1 master:2 - nfs server:/x rw"
    table = tmp_path / "mountinfo"
    table.write_text(f"{line}\nnonsense\n")
    reads_it = partial(open, table)
    monkeypatch.setattr(cache_folder, "open", lambda path, **how: reads_it(**how), raising=False)
    assert list(cache_folder.mount_table()) == [("/mnt/with space\\", "nfs")]
    table.unlink()
    assert list(cache_folder.mount_table()) == []


# size, clear, info, place


def test_the_least_recently_used_features_are_removed(cache, monkeypatch):
    clock = [1000.0]
    monkeypatch.setattr(cache_database.time, "time", lambda: clock[0])
    cache.max_bytes = 2 * 2**20
    groups = [keys_of(*range(100 * n, 100 * n + 100)) for n in range(5)]  # of 410 kB each
    for group in groups[:4]:
        clock[0] += 1000
        fetch(cache, group, n_features=1000)
    clock[0] += 1000
    assert fetch(cache, groups[0], n_features=1000) == []  # read again
    clock[0] += 1000
    fetch(cache, groups[4], n_features=1000)
    info = cache.info()
    assert 1.2 * 2**20 < info.n_bytes <= 2 * 2**20
    assert cache.path.stat().st_size <= 2 * 2**20
    assert fetch(cache, groups[0], n_features=1000) == []
    assert fetch(cache, groups[4], n_features=1000) == []
    assert len(fetch(cache, groups[1], n_features=1000)) > 0


def test_a_call_does_not_evict_its_own_features(cache):
    cache.max_bytes = 2**20
    keys = keys_of(*range(500))
    with pytest.warns(FeatureCacheWarning, match="Pass a larger max_bytes"):
        fetch(cache, keys, n_features=1000)
    assert cache.info().n_bytes <= 2**20
    assert 0 < len(fetch(cache, keys, n_features=1000)) < 450


def test_a_cache_too_small_for_one_vector(tmp_path):
    cache = FeatureCache(tmp_path, max_bytes=1)
    with pytest.warns(FeatureCacheWarning, match="is limited to 1;"):
        assert len(fetch(cache, keys_of(1, 2))) == 2


def test_reading_records_the_use_at_most_once_per_minute(cache, monkeypatch):
    clock = [1000.0]
    monkeypatch.setattr(cache_database.time, "time", lambda: clock[0])
    keys = keys_of(*range(3))
    used = []
    for seconds in (0, 30, 40, 30, 40):
        clock[0] += seconds
        fetch(cache, keys)
        used.append({row[-1] for row in rows_of(cache, "entries")})
    assert used == [{1000}, {1000}, {1070}, {1070}, {1140}]


def test_clear(cache):
    fetch(cache, keys_of(*range(1500)), "a", n_features=1000)
    fetch(cache, keys_of(*range(20)), "b")
    full = cache.path.stat().st_size
    assert cache.clear("nothing") == 0
    assert cache.clear("a") == 1500
    assert cache.info().networks == {"b": 20}
    assert cache.path.stat().st_size < full / 10
    assert fetch(cache, keys_of(*range(20)), "b") == []
    assert cache.clear() == 20
    assert cache.info().n_features_rows == 0
    assert len(fetch(cache, keys_of(*range(20)), "b")) == 20


def test_info_does_not_create_a_cache(cache):
    info = cache.info()
    assert (info.n_features_rows, info.n_bytes, info.networks) == (0, 0, {})
    assert cache.clear() == 0
    assert not cache.path.parent.exists()


@pytest.mark.parametrize("chosen", [None, True])
def test_the_users_cache_folder(monkeypatch, tmp_path, chosen):
    monkeypatch.setenv("SKVISION_CACHE", str(tmp_path))
    assert FeatureCache(chosen).path.parent == tmp_path
    monkeypatch.delenv("SKVISION_CACHE")
    monkeypatch.setenv("HOME", "/home/ann")
    monkeypatch.setenv("USERPROFILE", "/home/ann")
    for name, xdg, expected in [
        ("linux", "/xdg", "/xdg/skvision"),
        ("linux", "relative", "/home/ann/.cache/skvision"),
        ("darwin", "", "/home/ann/Library/Caches/skvision"),
        ("win32", "", "/local/skvision/Cache"),
    ]:
        monkeypatch.setattr(cache_folder.sys, "platform", name)
        monkeypatch.setenv("XDG_CACHE_HOME", xdg)
        monkeypatch.setenv("LOCALAPPDATA", "/local")
        assert cache_folder.default_cache_folder() == Path(expected)


def test_a_user_without_a_home(monkeypatch):
    monkeypatch.delenv("SKVISION_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", "")

    def no_home():
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", no_home)
    monkeypatch.setattr(cache_folder.sys, "platform", "linux")
    with pytest.raises(ValueError, match="SKVISION_CACHE"):
        FeatureCache()


def test_a_relative_folder_stays_the_same_after_chdir(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    cache = FeatureCache("cache")
    monkeypatch.chdir("/")
    fetch(cache, keys_of(1))
    assert (tmp_path / "cache" / cache.path.name).exists()


def test_the_cache_loads_no_keras():
    code = (
        "import sys\n"
        "import skvision.feature_extraction.cache, skvision.feature_extraction.network_key\n"
        "print([m for m in ('keras', 'tensorflow') if m in sys.modules])"
    )
    assert in_subprocess(code).stdout.strip() == "[]"
