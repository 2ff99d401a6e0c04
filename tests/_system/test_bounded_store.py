"""The most recently used values stay, within bounds, and each value is made once."""

from __future__ import annotations

import threading
import time

import pytest

from skvision._system.bounded_store import Store


def test_a_value_is_made_once_and_shared():
    store = Store(most=2)
    first = store.get("a", object)
    assert store.get("a", object) is first
    assert len(store) == 1


def test_the_least_recently_used_is_dropped_first():
    store = Store(most=2)
    values = {name: store.get(name, lambda name=name: [name]) for name in "ab"}
    store.get("a", list)
    store.get("c", lambda: ["c"])
    assert store.values() == [["a"], ["c"]]
    assert store.get("a", list) is values["a"]
    store.clear()
    assert len(store) == 0


def test_bytes_are_bounded_but_the_last_stays():
    store = Store(most=9, max_bytes=10, n_bytes=len)
    for name, size in (("a", 4), ("b", 6), ("c", 5)):
        store.put(name, bytearray(size))
    assert [len(value) for value in store.values()] == [5]
    store.put("d", bytearray(99))
    assert [len(value) for value in store.values()] == [99]


def test_taken_values_are_not_shared():
    store = Store(most=3)
    one, two = [1], [2]
    store.put("a", one)
    store.put("a", two)
    assert store.take("a") is two
    assert store.take("a") is one
    assert store.take("a") is None


def test_equal_keys_are_one_key():
    store = Store(most=2)
    assert store.get((1, [2]), list) is store.get((1, [2]), list)


def test_threads_wait_for_the_thread_that_makes_a_value():
    store = Store(most=2)
    made = []

    def make():
        time.sleep(0.05)
        made.append([len(made)])
        return made[-1]

    got = []
    threads = [threading.Thread(target=lambda: got.append(store.get("a", make))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 1
    assert all(each is made[0] for each in got)


def test_an_error_while_making_leaves_nothing_behind():
    store = Store(most=2)

    def fail():
        raise OSError("no disk")

    for _ in range(2):
        with pytest.raises(OSError, match="no disk"):
            store.get("a", fail)
    assert store.get("a", lambda: [1]) == [1]
