"""Messages of a starting backend are hidden, unless TF_CPP_MIN_LOG_LEVEL requests them."""

from __future__ import annotations

import os

import pytest

from skvision._system.quiet import hidden_remarks


@pytest.mark.parametrize(("level", "shown"), [(None, b""), ("3", b""), ("2", b""), ("0", b"in")])
def test_standard_error_is_closed_meanwhile(capfdbinary, monkeypatch, level, shown):
    monkeypatch.delenv("TF_CPP_MIN_LOG_LEVEL", raising=False)
    if level is not None:
        monkeypatch.setenv("TF_CPP_MIN_LOG_LEVEL", level)
    with hidden_remarks():
        os.write(2, b"in")
        assert os.environ["TF_CPP_MIN_LOG_LEVEL"] == (level or "3")
    os.write(2, b"after")
    assert capfdbinary.readouterr().err == shown + b"after"
    assert os.environ.get("TF_CPP_MIN_LOG_LEVEL") == level


def test_an_error_opens_it_again(capfdbinary):
    with pytest.raises(ImportError), hidden_remarks():
        raise ImportError
    os.write(2, b"after")
    assert capfdbinary.readouterr().err == b"after"


def test_a_process_without_standard_error():
    kept = os.dup(2)
    os.close(2)
    try:
        with hidden_remarks():
            os.dup2(kept, 2)
    finally:
        os.dup2(kept, 2)
        os.close(kept)
