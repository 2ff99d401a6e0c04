"""`find_unreadable` decodes in threads while its caller works."""

from __future__ import annotations

import sys
import threading

import pytest
from PIL import Image

from skvision.datasets import find_unreadable


@pytest.fixture
def files(tmp_path):
    for index in range(64):
        Image.new("RGB", (8, 8)).save(tmp_path / f"{index}.png")
    return sorted(map(str, tmp_path.iterdir()))


def test_files_are_decoded_while_the_caller_works(files, opened):
    def meanwhile():
        assert threading.current_thread() is threading.main_thread()
        assert opened.wait(60), "no file is opened until meanwhile returns"
        called.append(True)

    called = []
    errors = find_unreadable([*files, "/nowhere.png"], meanwhile=meanwhile)
    assert called
    assert [error.source for error in errors] == ["/nowhere.png"]


def test_an_error_of_the_caller_ends_the_decoding(files, monkeypatch):
    begun, go = [], threading.Event()

    def waiting(file):
        begun.append(file)
        assert go.wait(60)

    monkeypatch.setattr(
        "skvision.datasets.unreadable.read_levels", lambda file, size: waiting(file)
    )

    def meanwhile():
        threading.Timer(0.2, go.set).start()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        find_unreadable(files, meanwhile=meanwhile)
    assert len(begun) < len(files)


@pytest.fixture
def opened(files, monkeypatch):
    """An event: one of the files was opened."""
    event = threading.Event()

    def note(name, arguments):
        if name == "open" and watching and arguments[0] in files:
            event.set()

    watching = [True]
    sys.addaudithook(note)  # none can be taken away
    yield event
    watching.clear()
